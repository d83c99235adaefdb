// Which VLANs each end of the cables has to carry for the file to work: those of port groups over their
// switch's uplinks, and those of the hosts' own VLAN devices.
import type { Span } from "../../diagnostic/span.ts";
import type { FabricLink, Host } from "../../model/datacenter.ts";
import { type Cable, endsOf } from "./cables.ts";
import type { CheckContext } from "./context.ts";
import { unstackVlans } from "./domains.ts";

export interface NeededVlan {
  /** 0: frames without a tag. For QinQ the outer one, which is all that the fabric sees. */
  readonly vlan: number;
  /** "port group dvs0/org", "VLAN interface bond0.10 of router". */
  readonly words: string;
  readonly span: Span;
  readonly host: Host;
  readonly link: string;
  /** The far ends that have to carry it. */
  readonly ends: readonly Cable[];
}

export function neededVlans({ datacenter, hosts, cables }: CheckContext): NeededVlan[] {
  const needed: NeededVlan[] = [];
  const endsByLink = new Map<string, readonly Cable[]>();
  const add = (host: Host, link: string, vlan: number, words: string, span: Span): void => {
    const key = `${host.name}/${link}`;
    const ends = endsByLink.get(key) ?? endsOf(cables, host, link);
    endsByLink.set(key, ends);
    if (ends.length > 0) needed.push({ vlan, words, span, host, link, ends });
  };
  const used = new Set(datacenter.networks.map(({ portGroup }) => portGroup && keyOf(portGroup.value)));
  for (const { name, uplinks, portGroups } of datacenter.switches) {
    for (const { host: hostName, link } of uplinks) {
      const host = hosts.get(hostName.value);
      if (host === undefined) continue;
      for (const group of portGroups) {
        if (!used.has(keyOf({ switch: name, portGroup: group.name }))) continue;
        const words = `port group ${name}/${group.name}`;
        const span = group.vlan?.span ?? group.span;
        const vlan = group.vlan?.value ?? { kind: "none" };
        if (vlan.kind === "access") add(host, link.value, vlan.id, words, span);
        else if (vlan.kind === "qinq") add(host, link.value, vlan.outer, words, span);
        else if (vlan.kind === "none") add(host, link.value, 0, words, span);
        else
          for (const { first, last } of vlan.ranges)
            for (let id = first as number; id <= last; id++) add(host, link.value, id, words, span);
      }
    }
  }
  for (const host of datacenter.hosts) {
    for (const { name, id, link } of host.vlans) {
      const { base, tags } = unstackVlans(host, link.value);
      if (tags.length === 0) add(host, base, id.value, `VLAN interface ${name} of ${host.name}`, id.span);
    }
    // A member's own address is another rule's matter.
    const members = new Set(host.bonds.flatMap(({ links }) => links.map(({ value }) => value)));
    for (const one of [...host.interfaces, ...host.bonds]) {
      if (members.has(one.name)) continue;
      const [address] = one.addresses;
      if (address !== undefined) add(host, one.name, 0, `address ${address.value.ip}`, address.span);
    }
  }
  return needed;
}

export function carriesTagged({ trunk }: FabricLink, vlan: number): boolean {
  return trunk.some(({ value: { first, last } }) => first <= vlan && vlan <= last);
}

function keyOf(portGroup: { readonly switch: string; readonly portGroup: string }): string {
  return `${portGroup.switch}/${portGroup.portGroup}`;
}
