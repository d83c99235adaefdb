// Whether the two ends of an aggregate become one link (IEEE 802.1AX, and what happens when an end does not
// speak it).
import type { Bond, FabricLag } from "../../model/datacenter.ts";
import { bondModeOf, type LagFault } from "../topology/topology.ts";

/**
 * Modes whose frames arrive on several ports with one source MAC, so that the switch must know of the
 * aggregate.
 */
const MODES_THAT_NEED_A_LAG: ReadonlySet<string> = new Set([
  "balance-rr",
  "balance-xor",
  "broadcast",
  "802.3ad",
]);

/**
 * Why no frame passes between a host's bond and the switch's LAG; null when they agree. `lag` is null when
 * the ports of the switch are in no LAG.
 */
export function lagFault(bond: Bond, lag: FabricLag | null): LagFault | null {
  const mode = bondModeOf(bond);
  const modeSpan = bond.mode?.span ?? bond.span;
  const lacp = lag === null ? null : (lag.lacp?.value ?? "active");
  // A bond whose partner is silent keeps one port in use on its own: slow, but not dead unless it wants more.
  if (mode === "802.3ad") return minLinksFault(bond, isAlone(bond, lag) ? 1 : bond.links.length);
  if (lag === null) return null;
  if (lacp !== "off") {
    return {
      message: `LAG ${lag.name} waits for LACP, which a bond in mode ${mode} does not speak, so its ports stay down`,
      span: lag.lacp?.span ?? lag.span,
    };
  }
  if (MODES_THAT_NEED_A_LAG.has(mode)) return null;
  return {
    message: `LAG ${lag.name} spreads frames over all its ports, but ${bond.name} in mode ${mode} listens on one`,
    span: modeSpan,
  };
}

/** Below min-links the kernel takes the carrier from the whole bond; in mode 802.3ad only. */
function minLinksFault({ name, minLinks, links }: Bond, inUse: number): LagFault | null {
  if (minLinks === null || minLinks.value <= inUse) return null;
  const why =
    inUse < links.length ? "nobody at the other end speaks LACP, so one is in use" : `it has ${inUse}`;
  return { message: `${name} is down: it wants ${minLinks.value} links, and ${why}`, span: minLinks.span };
}

/** A bond that speaks LACP and gets no answer keeps one of its links in use. */
export function isAlone(bond: Bond, lag: FabricLag | null): boolean {
  return bondModeOf(bond) === "802.3ad" && (lag === null || lag.lacp?.value === "off");
}
