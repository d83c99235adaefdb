// Whether a plan touches the way by which its user is connected to this machine: a change there may be right,
// and still nobody can take it back by hand who has lost the connection over it.
import { formatSubnet, type Ip, subnetHas } from "../../base/ip.ts";
import type { LinkState } from "../../model/network-state.ts";
import { changedOptions } from "./bond-options.ts";
import type { Plan, Step } from "./plan.ts";

/** How somebody's remote shell reaches this machine. */
export interface OwnWay {
  readonly client: Ip;
  /** The address of this machine that the client talks to. */
  readonly server: Ip;
  /**
   * Devices that packets pass: the one with the address, the one towards the client, and what they stand on.
   */
  readonly links: ReadonlySet<string>;
}

/** The first step that may cut it. Adding addresses, or anything elsewhere, does not. */
export function cuttingStep({ steps }: Plan, way: OwnWay): Step | null {
  return steps.find((step) => mayCut(step, way)) ?? null;
}

function mayCut({ change }: Step, { client, server, links }: OwnWay): boolean {
  if (!("namespace" in change) || change.namespace !== null) return false;
  switch (change.kind) {
    case "delete-link":
      return links.has(change.link.name);
    case "set-link":
      return links.has(change.link.name) && change.before !== null && isOther(change.link, change.before);
    case "delete-address":
      return change.address.ip === server;
    case "add-route":
    case "delete-route":
      return subnetHas(change.route.to, client) || formatSubnet(change.route.to).endsWith("/0");
    case "add-rule":
    case "delete-rule":
      return true;
    default:
      return false;
  }
}

/** An alias changes nothing that a packet would notice. */
function isOther(link: LinkState, before: LinkState): boolean {
  return (
    link.master !== before.master ||
    link.isUp !== before.isUp ||
    link.mtu < before.mtu ||
    (link.mac !== null && link.mac !== before.mac) ||
    JSON.stringify(link.port) !== JSON.stringify(before.port) ||
    isOtherKind(link.kind, before.kind)
  );
}

/** Of a bond the kernel has more options than anybody has said. */
function isOtherKind(kind: LinkState["kind"], before: LinkState["kind"]): boolean {
  if (kind.kind === "bond" && before.kind === "bond")
    return changedOptions(before.options, kind.options).length > 0;
  return JSON.stringify(kind) !== JSON.stringify(before);
}
