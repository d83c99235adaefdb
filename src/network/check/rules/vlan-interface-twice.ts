// The kernel refuses a second VLAN device of the same number on one link.
import type { VlanInterface } from "../../../model/datacenter.ts";
import type { CheckRule } from "../rule.ts";

export const vlanInterfaceTwice: CheckRule = {
  code: "vlan-interface-twice",
  severity: "error",
  title: "a host has one VLAN twice on one link",
  *run({ datacenter }) {
    for (const host of datacenter.hosts) {
      const seen = new Map<string, VlanInterface>();
      for (const vlan of host.vlans) {
        const key = `${vlan.link.value} ${vlan.protocol?.value ?? "802.1Q"} ${vlan.id.value}`;
        const first = seen.get(key);
        if (first === undefined) seen.set(key, vlan);
        else
          yield {
            span: vlan.id.span,
            message: `${vlan.name} and ${first.name} of ${host.name} are both VLAN ${vlan.id.value} on ${vlan.link.value}`,
            help: "Put the addresses of both on one of them.",
            related: [{ span: first.id.span, message: "the first is here" }],
          };
      }
    }
  },
};
