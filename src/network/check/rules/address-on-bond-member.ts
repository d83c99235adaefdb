// The kernel gives what arrives on a member to the bond, so an address on the member never hears anything.
import { allBonds } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const addressOnBondMember: CheckRule = {
  code: "address-on-bond-member",
  severity: "error",
  title: "a card that belongs to a bond has an address",
  *run({ datacenter }) {
    for (const { host, bond } of allBonds(datacenter)) {
      for (const { value: member, span: place } of bond.links) {
        const [address] = host.interfaces.find(({ name }) => name === member)?.addresses ?? [];
        if (address === undefined) continue;
        yield {
          span: address.span,
          message: `${member} of ${host.name} has the address ${address.value.ip}, but belongs to ${bond.name}, which gets all that arrives`,
          help: `Move the address to ${bond.name}, or to a VLAN on it.`,
          related: [{ span: place, message: `${bond.name} has it here` }],
        };
      }
    }
  },
};
