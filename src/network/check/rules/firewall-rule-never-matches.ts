// A rule behind one that covers it. When the two decide differently, somebody believes that something is
// forbidden, or allowed, that is not.
import { EarlierMatches } from "../address-sets.ts";
import type { CheckRule } from "../rule.ts";

export const firewallRuleNeverMatches: CheckRule = {
  code: "firewall-rule-never-matches",
  severity: "warning",
  title: "a firewall rule can never match, since an earlier one covers it",
  *run({ resolved }) {
    const told = new Set<unknown>();
    for (const { name, kind, firewall } of resolved.edges) {
      const earlier = new EarlierMatches<(typeof firewall.rules)[number]>();
      for (const rule of firewall.rules) {
        const first = earlier.take(rule);
        const { origin } = rule;
        if (
          first === null ||
          origin.kind !== "file" ||
          first.origin.span === origin.span ||
          told.has(origin.span)
        )
          continue;
        told.add(origin.span);
        const isContrary = first.action !== rule.action;
        const owner = kind === "fence" ? `the fence of ${name}` : name;
        yield {
          span: origin.span,
          message: isContrary
            ? `${owner} never comes to this rule: an earlier one ${first.action === "allow" ? "allows" : "denies"} all that this one would ${rule.action}`
            : `${owner} never comes to this rule: an earlier one ${first.action === "allow" ? "allows" : "denies"} all of it already`,
          help: isContrary ? "Put the special rule before the general one." : "Take it away.",
          related: [{ span: first.origin.span, message: "the earlier one" }],
        };
      }
    }
  },
};
