// One end tags the VLAN, for the other it is the one without a tag: one direction works, the other does not.
import { describeEnd, linkOf } from "../cables.ts";
import { carriesTagged, neededVlans } from "../carried.ts";
import type { CheckRule } from "../rule.ts";

export const nativeVlanTagged: CheckRule = {
  code: "native-vlan-tagged",
  severity: "error",
  title: "a VLAN has a tag at one end of a cable and none at the other",
  *run(context) {
    for (const { vlan, words, span, host, link, ends } of neededVlans(context)) {
      for (const end of vlan === 0 ? [] : ends) {
        const far = linkOf(end);
        if (far.native?.value !== vlan || carriesTagged(far, vlan)) continue;
        yield {
          span,
          message: `${words} sends VLAN ${vlan} with a tag over ${host.name}/${link}, but ${describeEnd(end)} sends it without: what comes back is in no VLAN`,
          help: `Take ${vlan} into \`trunk\` there, and another VLAN as \`native\`; or have no VLAN here.`,
          related: [{ span: far.native.span, message: `it is native at ${describeEnd(end)}` }],
        };
      }
    }
  },
};
