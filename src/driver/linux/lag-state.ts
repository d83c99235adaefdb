// What the kernel says of a bond's LACP, in words: which cable has no partner, goes elsewhere, or waits to be
// taken in again. All of it comes from /proc/net/bonding, which says more of partners than netlink does, to
// root of the machine alone. A LAG is only converted when both ends agree on it, and `status` tells when they
// do not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkState } from "../../model/network-state.ts";

const NO_PARTNER = "00:00:00:00:00:00";
/** Of a port's state (IEEE 802.1AX, 6.4.2.3). */
const [SYNCHRONISED, COLLECTING, DISTRIBUTING, DEFAULTED, EXPIRED] = [0x08, 0x10, 0x20, 0x40, 0x80];
const IN_USE = SYNCHRONISED | COLLECTING | DISTRIBUTING;

/** Of every bond of the machine's own that shall speak LACP: what is wrong with it, in words. */
export function lagFaults({ namespaces }: NetworkState, folder?: string): string[] {
  const bonds = namespaces
    .filter(({ name }) => name === null)
    .flatMap(({ links }) => links)
    .filter(({ kind }) => kind.kind === "bond" && new Map(kind.options).get("mode") === "802.3ad");
  return bonds.flatMap(({ name }) => faultsOfLag(name, folder));
}

/** Empty: its members are all in use, with one partner. `folder`: where the kernel has a file for each. */
export function faultsOfLag(bond: string, folder = "/proc/net/bonding"): string[] {
  const lag = readLag(bond, folder);
  if (lag === null) return [`${bond} is no bond`];
  if (!lag.isLacp) return [`${bond} does not speak LACP`];
  if (lag.members.length === 0) return [`${bond} has no member`];
  const inUse = lag.members.filter((one) => one.isUp && one.aggregator === lag.aggregator);
  const down = lag.members.filter(({ isUp }) => !isUp).map(({ name }) => `${name} of ${bond} has no carrier`);
  if (lag.members.length === down.length) return down;
  if (lag.partner === NO_PARTNER) {
    const alone = inUse[0]?.name ?? "none";
    return [...down, `${bond} has no LACP partner at the other end: of its cables ${alone} is in use alone`];
  }
  const faults = lag.members.filter(({ isUp }) => isUp).flatMap((one) => memberFault(one, lag));
  return [...down, ...faults];
}

/**
 * Whether frames get through: by LACP as both ends have agreed, or alone, as a card without a partner does.
 */
export function carriageOf(bond: string, folder = "/proc/net/bonding"): "none" | "alone" | "agreed" {
  const lag = readLag(bond, folder);
  const hasCarrier = lag?.members.some(({ isUp }) => isUp) === true;
  if (lag === null || !hasCarrier) return "none";
  if (!lag.isLacp || faultsOfLag(bond, folder).length === 0) return "agreed";
  const isInUse = lag.members.some((one) => one.isUp && one.aggregator === lag.aggregator);
  return lag.partner === NO_PARTNER && isInUse ? "alone" : "none";
}

interface Lag {
  readonly name: string;
  readonly isLacp: boolean;
  readonly aggregator: string;
  /** MAC of the system at the other end of the cables that are in use. */
  readonly partner: string;
  readonly members: readonly Member[];
}

interface Member {
  readonly name: string;
  readonly isUp: boolean;
  readonly aggregator: string;
  readonly partner: string;
  readonly state: number;
  readonly partnerState: number;
}

function memberFault(member: Member, lag: Lag): string[] {
  const words = `${member.name} of ${lag.name}`;
  const { state, partnerState } = member;
  if ((state & EXPIRED) !== 0)
    return [`${words} hears no LACP partner at the moment: in seconds that is decided`];
  // Both ends have forgotten each other by then, and ask at the slow rate, which is once in 30 s.
  if ((state & DEFAULTED) !== 0 || member.partner === NO_PARTNER)
    return [
      `${words} hears no LACP partner, as other members do: it is plugged into a port without LACP, or was cut off and rejoins within 30 s (in 2 s after: ip link set ${member.name} down && ip link set ${member.name} up)`,
    ];
  if (member.partner !== lag.partner)
    return [
      `${words} is in another aggregator: its cable goes to ${member.partner}, and those in use to ${lag.partner}`,
    ];
  if (member.aggregator !== lag.aggregator)
    return [`${words} is in another aggregator: at ${lag.partner} it is not in the LAG of the others`];
  if ((state & IN_USE) !== IN_USE) return [`${words} is not in use yet: LACP is negotiating`];
  if ((partnerState & IN_USE) !== IN_USE)
    return [`${words} is not in use at the other end: ${lag.partner} does not take it into its LAG yet`];
  return [];
}

/** Null: there is no such bond. A member's part begins with a line that names it. */
function readLag(bond: string, folder: string): Lag | null {
  let text: string;
  try {
    text = readFileSync(join(folder, bond), "utf8");
  } catch {
    return null;
  }
  const [head = "", ...parts] = text.split(/^Slave Interface: /m);
  const valueIn = (part: string, key: string) =>
    new RegExp(`^\\s*${key}: (.*)$`, "m").exec(part)?.[1]?.trim() ?? "";
  return {
    name: bond,
    isLacp: valueIn(head, "Bonding Mode").startsWith("IEEE 802.3ad"),
    aggregator: valueIn(head, "Aggregator ID"),
    partner: valueIn(head, "Partner Mac Address"),
    members: parts.map((part): Member => {
      const [own = "", actor = "", partner = ""] = part.split(/^details .* lacp pdu:$/m);
      return {
        name: own.slice(0, own.indexOf("\n")),
        isUp: valueIn(own, "MII Status") === "up",
        aggregator: valueIn(own, "Aggregator ID"),
        partner: valueIn(partner, "system mac address"),
        state: Number(valueIn(actor, "port state")),
        partnerState: Number(valueIn(partner, "port state")),
      };
    }),
  };
}
