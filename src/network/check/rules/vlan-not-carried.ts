// A VLAN that the other end of the cable does not carry: its frames leave the host and are never seen again.
import { describeEnd, linkOf } from "../cables.ts";
import { carriesTagged, neededVlans } from "../carried.ts";
import type { CheckRule } from "../rule.ts";

export const vlanNotCarried: CheckRule = {
  code: "vlan-not-carried",
  severity: "error",
  title: "the other end of a cable does not carry a VLAN that is used over it",
  *run(context) {
    for (const { vlan, words, span, host, link, ends } of neededVlans(context)) {
      for (const end of vlan === 0 ? [] : ends) {
        const far = linkOf(end);
        if (carriesTagged(far, vlan) || far.native?.value === vlan) continue;
        const place = far.trunk[0]?.span ?? far.span;
        yield {
          span,
          message: `${words} sends VLAN ${vlan} over ${host.name}/${link}, but ${describeEnd(end)} at the other end does not carry it`,
          help: `Add ${vlan} to \`trunk\` of ${describeEnd(end)}, in the switch and here.`,
          related: [{ span: place, message: `${describeEnd(end)} carries only what stands here` }],
        };
      }
    }
  },
};
