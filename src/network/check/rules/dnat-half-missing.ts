// Behind two NATs a machine needs a rule at each. Here the outer edge sends to an inner edge, which does not
// know where to go on to.
import type { Machine } from "../../../model/datacenter.ts";
import type { ResolvedEdge } from "../../../model/resolved-datacenter.ts";
import { addressesHave, portsCover } from "../address-sets.ts";
import { type CheckContext, ownerIn } from "../context.ts";
import { type NatTarget, natTargets, targetPort } from "../nat-targets.ts";
import type { CheckRule, Fault } from "../rule.ts";

export const dnatHalfMissing: CheckRule = {
  code: "dnat-half-missing",
  severity: "error",
  title: "an edge translates to an inner edge that does not translate further",
  *run(context) {
    for (const one of natTargets(context)) {
      const inner = edgeBehind(context, one);
      if (inner === null || inner.loadBalancer !== null || goesOn(inner, one)) continue;
      const port = targetPort(one);
      const words = `${one.target}${port === null ? "" : `:${port}`}`;
      const what = inner.kind === "fence" ? `the fence of ${inner.name}` : inner.name;
      yield {
        span: one.rule.to.span,
        message: `${one.edge.name} translates ${one.rule.address.value} to ${words}, which is ${what}, but that has no rule for it: the packet ends there`,
        related: [{ span: inner.span, message: `${what} is here` }],
        ...cure(context, one, inner),
      };
    }
  },
};

function edgeBehind(context: CheckContext, { edge, target }: NatTarget): ResolvedEdge | null {
  for (const { network } of edge.interfaces) {
    const owner = ownerIn(context, context.networks.get(network)!, target)?.owner;
    if ((owner?.kind !== "edge" && owner?.kind !== "fence") || owner.name === edge.name) continue;
    return context.edges.get(owner.name) ?? null;
  }
  return null;
}

function goesOn(inner: ResolvedEdge, one: NatTarget): boolean {
  const port = targetPort(one);
  const { protocol } = one.resolved;
  return inner.nat.some(
    (rule) =>
      rule.action.kind === "dnat" &&
      addressesHave(rule.to, one.target) &&
      (rule.protocol === null || protocol === null || rule.protocol === protocol) &&
      (port === null || portsCover(rule.ports, [{ first: port, last: port }])),
  );
}

/** When only one machine behind the inner edge can be meant, `publish` says all of it at once. */
function cure(context: CheckContext, one: NatTarget, inner: ResolvedEdge): Pick<Fault, "help" | "fix"> {
  const port = targetPort(one);
  const protocol = one.resolved.protocol;
  const outsidePort = one.resolved.ports[0]?.first ?? port;
  if (port === null || outsidePort === null || protocol === null || protocol === "icmp")
    return { help: `A rule at ${inner.name} is missing, and its firewall's opening.` };
  const own = new Set(inner.interfaces.map(({ network }) => network));
  const served = context.resolved.machines.filter(
    ({ source, interfaces }) =>
      serves(source, port) &&
      interfaces.some(
        ({ network }) =>
          own.has(network) &&
          network !== one.edge.name &&
          !one.edge.interfaces.some((outer) => outer.network === network),
      ),
  );
  const [machine, second] = served;
  const name = machine === undefined || second !== undefined ? "…" : machine.name;
  const at = `${one.rule.address.value}:${outsidePort}`;
  const line = `publish: [{machine: ${name}, port: ${port}, at: "${at}"}]`;
  const help = `Instead of this rule, \`publish\` makes both halves and their openings:\n${line}`;
  if (name === "…") return { help };
  const { file } = one.rule.span;
  const value = { machine: name, port, ...(protocol === "udp" ? { protocol } : {}), at };
  return {
    help,
    fix: [
      { kind: "append", file, path: ["publish"], value },
      { kind: "delete", file, path: ["edges", one.edge.name, "nat", one.index] },
    ],
  };
}

function serves({ services }: Machine, port: number): boolean {
  return services.some(({ value }) => value.port === port);
}
