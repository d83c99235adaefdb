// The outer VLAN of QinQ is also a VLAN of its own: the fabric cannot tell these frames from those.
import type { CheckRule } from "../rule.ts";

export const qinqOuterInUse: CheckRule = {
  code: "qinq-outer-in-use",
  severity: "warning",
  title: "the outer VLAN of QinQ is a VLAN of its own as well",
  *run({ datacenter }) {
    for (const { portGroups } of datacenter.switches) {
      for (const { name, vlan } of portGroups) {
        const tags = vlan?.value;
        if (tags?.kind !== "qinq") continue;
        const other = portGroups.find(
          (one) => one.vlan?.value.kind === "access" && one.vlan.value.id === tags.outer,
        );
        if (other === undefined) continue;
        yield {
          span: vlan!.span,
          message: `${name} puts its frames into outer VLAN ${tags.outer}, which ${other.name} uses as a VLAN of its own: the fabric learns the MACs of both in one table`,
          help: "Give QinQ an outer VLAN that nobody else uses.",
          related: [{ span: other.vlan!.span, message: `${other.name} is here` }],
        };
      }
    }
  },
};
