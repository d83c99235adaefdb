// A VLAN that one switch sends and the other one drops.
import type { FabricLink } from "../../../model/datacenter.ts";
import { fabricPairs } from "../fabric-links.ts";
import type { CheckRule } from "../rule.ts";

const VLANS_SHOWN_MAX = 6;

export const trunkEndsDiffer: CheckRule = {
  code: "trunk-ends-differ",
  severity: "error",
  title: "two switches carry different VLANs on one cable",
  *run(context) {
    for (const { a, b } of fabricPairs(context)) {
      for (const [here, there] of [
        [a, b],
        [b, a],
      ] as const) {
        const kept = vlansOf(there.link);
        const missing = [...vlansOf(here.link)].filter((id) => !kept.has(id));
        if (missing.length === 0) continue;
        const more = missing.length > VLANS_SHOWN_MAX ? " and others" : "";
        const shown = missing.slice(0, VLANS_SHOWN_MAX).join(", ");
        const vlans = `${missing.length === 1 ? "VLAN" : "VLANs"} ${shown}${more}`;
        yield {
          span: there.link.trunk[0]?.span ?? there.link.span,
          message: `${here.words} carries ${vlans}, which ${there.words} at the other end drops`,
          help: "Write the same `trunk` at both ends.",
          related: [{ span: here.link.trunk[0]?.span ?? here.link.span, message: `${here.words} is here` }],
        };
      }
    }
  },
};

function vlansOf({ trunk }: FabricLink): Set<number> {
  const vlans = new Set<number>();
  for (const {
    value: { first, last },
  } of trunk)
    for (let id = first as number; id <= last; id++) vlans.add(id);
  return vlans;
}
