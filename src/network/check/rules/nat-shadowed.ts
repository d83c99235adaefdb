// A translation behind one that takes all its packets.
import { EarlierMatches } from "../address-sets.ts";
import type { CheckRule } from "../rule.ts";

export const natShadowed: CheckRule = {
  code: "nat-shadowed",
  severity: "error",
  title: "a NAT rule can never match, since an earlier one takes its packets",
  *run({ resolved }) {
    for (const { name, kind, nat } of resolved.edges) {
      if (kind !== "edge") continue;
      for (const stage of ["prerouting", "postrouting"] as const) {
        const earlier = new EarlierMatches<(typeof nat)[number]>();
        for (const rule of nat) {
          if (rule.stage !== stage) continue;
          const first = earlier.take(rule);
          if (first === null || rule.origin.kind !== "file" || first.origin.span === rule.origin.span)
            continue;
          yield {
            span: rule.origin.span,
            message: `${name} never comes to this NAT rule: an earlier one takes all its packets`,
            help: "Put the special rule before the general one, or take one away.",
            related: [{ span: first.origin.span, message: "the one that takes them" }],
          };
        }
      }
    }
  },
};
