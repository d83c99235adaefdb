// How firewall and NAT rules compare, and the two decisions that are made with it: a verdict, and a
// translation.
import { familyOfIp, type Ip, type IpRange, rangeHas } from "../../base/ip.ts";
import type { PortRange } from "../../model/datacenter.ts";
import type {
  AddressSet,
  ResolvedFirewall,
  ResolvedFirewallRule,
  ResolvedNatRule,
} from "../../model/resolved-datacenter.ts";

/** What rules compare. Networks: where the packet comes from and leaves to; null: the router itself. */
export interface Compared {
  readonly in: string | null;
  readonly out: string | null;
  /** "tcp", "udp", "icmp", or another name that no rule has. */
  readonly protocol: string;
  readonly source: Ip;
  readonly destination: Ip;
  readonly destinationPort: number;
}

type Rule = Pick<ResolvedFirewallRule, "in" | "out" | "protocol" | "from" | "to" | "ports">;

export function ruleMatches(rule: Rule, packet: Compared): boolean {
  if (rule.in !== null && rule.in !== packet.in) return false;
  if (rule.out !== null && rule.out !== packet.out) return false;
  if (rule.protocol !== null && rule.protocol !== packet.protocol) return false;
  if (!setHas(rule.from, packet.source) || !setHas(rule.to, packet.destination)) return false;
  return rule.ports.length === 0 || rule.ports.some((range) => portIn(range, packet.destinationPort));
}

/** The first rule that matches; null: the default decides. */
export function firewallRuleFor(firewall: ResolvedFirewall, packet: Compared): ResolvedFirewallRule | null {
  return firewall.rules.find((rule) => ruleMatches(rule, packet)) ?? null;
}

/** The first rule of a stage that matches a packet of its own family. */
export function natRuleFor(
  rules: readonly ResolvedNatRule[],
  stage: ResolvedNatRule["stage"],
  packet: Compared,
): ResolvedNatRule | null {
  const family = familyOfIp(packet.source);
  return (
    rules.find(
      (rule) =>
        rule.stage === stage &&
        (rule.action.kind === "masquerade" || familyOfIp(rule.action.to) === family) &&
        ruleMatches(rule, packet),
    ) ?? null
  );
}

/** The port behind a translation: ranges keep their distance from their first. */
export function translatedPort(rule: ResolvedNatRule, port: number): number {
  if (rule.action.kind !== "dnat" || rule.action.toPort === null) return port;
  const range = rule.ports.find((one) => portIn(one, port)) ?? rule.ports[0];
  return rule.action.toPort + (range === undefined ? 0 : port - range.first);
}

function setHas(set: AddressSet, ip: Ip): boolean {
  return (
    set === null ||
    set.some((range: IpRange) => range.first === ip || range.last === ip || rangeHas(range, ip))
  );
}

function portIn({ first, last }: PortRange, port: number): boolean {
  return port >= first && port <= last;
}
