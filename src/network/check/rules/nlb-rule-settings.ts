// Port rules that contradict themselves or each other.
import type { ClusterRule, Located, PortRange } from "../../../model/datacenter.ts";
import { portsMeet } from "../address-sets.ts";
import type { CheckRule } from "../rule.ts";

export const nlbRuleSettings: CheckRule = {
  code: "nlb-rule-settings",
  severity: "error",
  title: "port rules of a cluster contradict each other or themselves",
  *run({ datacenter }) {
    for (const { name, rules, machines } of datacenter.clusters) {
      for (const [index, rule] of rules.entries()) {
        const { filtering, weights, priorities, affinity } = rule;
        const kind = filtering?.value ?? "multiple";
        const other = rules.slice(0, index).find((earlier) => rulesMeet(earlier, rule));
        if (other !== undefined)
          yield {
            span: rule.ports[0]?.span ?? rule.span,
            message: `two port rules of ${name} are for the same ports`,
            help: "Each port has one rule.",
            related: [{ span: other.ports[0]?.span ?? other.span, message: "the other one is here" }],
          };
        if (kind !== "multiple" && weights.length > 0)
          yield {
            span: weights[0]!.weight.span,
            message: `weights mean nothing with \`filtering: ${kind}\``,
            help: kind === "single" ? "With it go `priorities`." : "Leave them out.",
          };
        if (kind !== "single" && priorities.length > 0)
          yield {
            span: priorities[0]!.priority.span,
            message: `priorities mean nothing with \`filtering: ${kind}\``,
            help: kind === "multiple" ? "With it go `weights`." : "Leave them out.",
          };
        if (kind !== "multiple" && affinity !== null)
          yield {
            span: affinity.span,
            message: `affinity means nothing with \`filtering: ${kind}\``,
            help: "Leave it out: one member takes all, or none does.",
          };
        const isAllZero =
          weights.length >= machines.length &&
          weights.length > 0 &&
          weights.every(({ weight }) => weight.value === 0);
        if (kind === "multiple" && isAllZero)
          yield {
            span: weights[0]!.weight.span,
            message: `all members of ${name} have the weight 0, so nobody takes these ports`,
            help: "Write `filtering: disabled` if that is meant.",
          };
        yield* repeated(name, priorities);
      }
    }
  },
};

function* repeated(name: string, priorities: ClusterRule["priorities"]) {
  const seen = new Map<number, Located<string>>();
  for (const { machine, priority } of priorities) {
    const first = seen.get(priority.value);
    if (first === undefined) seen.set(priority.value, machine);
    else
      yield {
        span: priority.span,
        message: `${first.value} and ${machine.value} of ${name} both have the priority ${priority.value}: neither gives way`,
        help: "Each member has a priority of its own; lower goes first.",
        related: [{ span: first.span, message: `${first.value} is here` }],
      };
  }
}

function rulesMeet(a: ClusterRule, b: ClusterRule): boolean {
  const isOneProtocol = a.protocol === null || b.protocol === null || a.protocol.value === b.protocol.value;
  const values = (ports: readonly Located<PortRange>[]): PortRange[] => ports.map(({ value }) => value);
  return isOneProtocol && portsMeet(values(a.ports), values(b.ports));
}
