// A cluster of one spreads nothing, and fails with its only member.
import type { CheckRule } from "../rule.ts";

export const nlbSingleMember: CheckRule = {
  code: "nlb-single-member",
  severity: "warning",
  title: "a cluster has one member only",
  *run({ resolved }) {
    for (const { name, members, span, source } of resolved.clusters) {
      if (members.length !== 1 || source.machines.length !== 1) continue;
      yield {
        span: source.machines[0]?.span ?? span,
        message: `${name} has ${members[0]!.machine} only: when that fails, so does the cluster`,
        help: "Add a second member, or give its address to the machine itself.",
      };
    }
  },
};
