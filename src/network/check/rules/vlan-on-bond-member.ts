// A member belongs to the bond: what a VLAN device on it receives depends on which card the switch chose.
import { allBonds } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const vlanOnBondMember: CheckRule = {
  code: "vlan-on-bond-member",
  severity: "error",
  title: "a VLAN is on a card that belongs to a bond",
  *run({ datacenter }) {
    for (const { host, bond } of allBonds(datacenter)) {
      for (const { value: member, span: place } of bond.links) {
        for (const { name, link } of host.vlans) {
          if (link.value !== member) continue;
          yield {
            span: link.span,
            message: `${name} of ${host.name} is on ${member}, which belongs to ${bond.name}`,
            help: `Write \`link: ${bond.name}\`.`,
            related: [{ span: place, message: `${bond.name} has it here` }],
          };
        }
      }
    }
  },
};
