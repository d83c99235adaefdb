// Firewalls as lists of rules that compare addresses, ports and networks only.
import type { Span } from "../../diagnostic/span.ts";
import type { Firewall, FirewallRule } from "../../model/datacenter.ts";
import type { ResolvedFirewall, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import { meaningsOf, type Standpoint } from "./endpoints.ts";
import { fromFile, type Resolution } from "./resolution.ts";

/**
 * `span`: of whom the firewall is, when nothing is said of one. `place`: the edge, and the copy if it is a
 * fence.
 */
export function resolveFirewall(
  firewall: Firewall | null,
  span: Span,
  place: Omit<Standpoint, "match">,
  resolution: Resolution,
): ResolvedFirewall {
  const match = firewall?.match?.value ?? "original";
  return {
    default: firewall?.default?.value ?? "deny",
    match,
    rules: firewall?.rules.flatMap((rule) => resolveRule(rule, { ...place, match }, resolution)) ?? [],
    span: firewall?.span ?? span,
  };
}

/** A rule that names an external network beside addresses becomes several. */
function resolveRule(
  { action, match, log, span }: FirewallRule,
  standpoint: Standpoint,
  resolution: Resolution,
): ResolvedFirewallRule[] {
  const from = meaningsOf(match.from, "from", standpoint, resolution);
  const to = meaningsOf(match.to, "to", standpoint, resolution);
  if (from === null || to === null) return [];
  return from.flatMap((source) =>
    to.map((destination) => ({
      action: action.value,
      in: source.network,
      out: destination.network,
      protocol: match.protocol?.value ?? null,
      from: source.addresses,
      to: destination.addresses,
      ports: match.ports.map(({ value }) => value),
      isLogged: log?.value === true,
      origin: fromFile(span),
    })),
  );
}
