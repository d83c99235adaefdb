// Frames without a tag arrive at a port that takes none.
import { describeEnd, linkOf } from "../cables.ts";
import { neededVlans } from "../carried.ts";
import type { CheckRule } from "../rule.ts";

export const untaggedDropped: CheckRule = {
  code: "untagged-dropped",
  severity: "error",
  title: "frames without a tag meet a port that drops them",
  *run(context) {
    for (const { vlan, words, span, host, link, ends } of neededVlans(context)) {
      for (const end of vlan === 0 ? ends : []) {
        const far = linkOf(end);
        if (far.native !== null) continue;
        yield {
          span,
          message: `${words} sends frames without a tag over ${host.name}/${link}, but ${describeEnd(end)} has no native VLAN and drops them`,
          help: "Give this a VLAN that the trunk carries, or the other end a `native` one.",
          related: [{ span: far.span, message: `${describeEnd(end)} is here` }],
        };
      }
    }
  },
};
