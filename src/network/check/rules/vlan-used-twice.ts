// Two networks with different names in one VLAN: they hear each other's broadcasts, whatever was meant.
import type { Span } from "../../../diagnostic/span.ts";
import { portGroupOf } from "../context.ts";
import type { CheckRule } from "../rule.ts";

export const vlanUsedTwice: CheckRule = {
  code: "vlan-used-twice",
  severity: "warning",
  title: "two networks are in one VLAN",
  *run(context) {
    const first = new Map<string, { readonly name: string; readonly span: Span }>();
    for (const { name, portGroup } of context.datacenter.networks) {
      const network = context.networks.get(name)!;
      const group = portGroupOf(context, network);
      if (portGroup === null || group === null) continue;
      const domain = context.domainOf(network);
      const other = first.get(domain);
      const span = portGroup.span;
      if (other === undefined) first.set(domain, { name, span });
      else {
        const vlan = group.vlan?.value;
        const words =
          vlan?.kind === "access"
            ? `VLAN ${vlan.id}`
            : vlan?.kind === "qinq"
              ? `VLAN ${vlan.outer}.${vlan.inner}`
              : `port group ${group.name}`;
        yield {
          span,
          message: `${name} and ${other.name} are both in ${words}: their machines hear each other without any firewall between`,
          help: "Give one of them another VLAN; or, if it is one network, write it once with both subnets.",
          related: [{ span: other.span, message: `${other.name} is put there here` }],
        };
      }
    }
  },
};
