// The part of a member's nftables rules that changes while it runs: what it takes of each port rule, whether
// it is stopped, and the lease without which it takes nothing new. All of it is written in one transaction,
// so no packet meets half of it, and a connection that is known is not asked again.
import { familyOfIp, type Ip } from "../../base/ip.ts";
import { type Holdings, LEASE_MS } from "./agreement.ts";
import { LIVE_SET, type MemberSettings } from "./member-settings.ts";

/** Of the family of the cluster's address. */
export const CLUSTER_TABLE = "sallyport_cluster";
export const LEASE_SET: string = `${LIVE_SET}lease`;
export const STOPPED_SET: string = `${LIVE_SET}stopped`;
const BOTH_PROTOCOLS = ["tcp", "udp"];

/** For `nft -f`. */
export function liveSetsText({ shared, sets }: MemberSettings, held: Holdings, isStopped: boolean): string {
  const lease = isStopped ? [] : BOTH_PROTOCOLS.map((protocol) => `${protocol} timeout ${LEASE_MS}ms`);
  const table = `${nftFamilyOf(shared.cluster)} ${CLUSTER_TABLE}`;
  const fill = (set: string, elements: readonly string[]): string => {
    const add = elements.length === 0 ? "" : `add element ${table} ${set} { ${elements.join(", ")} }\n`;
    return `flush set ${table} ${set}\n${add}`;
  };
  return [
    ...shared.rules.map(({ name, kind }, index) => {
      const slots = held.get(name) ?? [];
      // Who has the only slot of a rule takes both protocols.
      const elements = kind === "multiple" ? slots.map(String) : slots.length > 0 ? BOTH_PROTOCOLS : [];
      return fill(sets[index]!, elements);
    }),
    fill(LEASE_SET, lease),
    fill(STOPPED_SET, isStopped ? BOTH_PROTOCOLS : []),
  ].join("");
}

/** The words of nftables for a family. */
export function nftFamilyOf(address: Ip): "ip" | "ip6" {
  return familyOfIp(address) === 4 ? "ip" : "ip6";
}
