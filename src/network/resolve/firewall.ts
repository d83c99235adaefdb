// Firewalls as lists of rules that compare addresses, ports and networks only.
import type { Span } from "../../diagnostic/span.ts";
import type { Firewall, FirewallRule } from "../../model/datacenter.ts";
import type { ResolvedFirewall, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import { meaningsOf } from "./endpoints.ts";
import { fromFile, type Resolution } from "./resolution.ts";

/**
 * `span`: of whom the firewall is, when nothing is said of one. `copy`: the fenced copy whose fence it is.
 */
export function resolveFirewall(
  firewall: Firewall | null,
  span: Span,
  copy: string | null,
  resolution: Resolution,
): ResolvedFirewall {
  return {
    default: firewall?.default?.value ?? "deny",
    match: firewall?.match?.value ?? "original",
    rules: firewall?.rules.flatMap((rule) => resolveRule(rule, copy, resolution)) ?? [],
    span: firewall?.span ?? span,
  };
}

/** A rule that names an external network beside addresses becomes several. */
function resolveRule(
  { action, match, log, span }: FirewallRule,
  copy: string | null,
  resolution: Resolution,
): ResolvedFirewallRule[] {
  const from = meaningsOf(match.from, copy, resolution);
  const to = meaningsOf(match.to, copy, resolution);
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
