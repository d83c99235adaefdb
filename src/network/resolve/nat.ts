// NAT rules of the file as rules of the kernel's two hooks: destinations before routing, sources behind it.
import { familyOfIp, type Ip, type IpRange, subnetHas } from "../../base/ip.ts";
import type { Endpoint, Located, NatRule } from "../../model/datacenter.ts";
import type { ResolvedEdge, ResolvedNatRule } from "../../model/resolved-datacenter.ts";
import { addressesOfName, type Meaning, meaningsOf } from "./endpoints.ts";
import { fromFile, type Resolution } from "./resolution.ts";

type Interfaces = ResolvedEdge["interfaces"];

/** Anything, to be narrowed by who makes a rule. */
export const ANY_PACKET: Omit<ResolvedNatRule, "stage" | "action" | "origin"> = {
  in: null,
  out: null,
  protocol: null,
  from: null,
  to: null,
  ports: [],
};

/**
 * In the order in which they are tried: destinations as in the file; then sources, first for inside clients
 * that came back in (hairpin), then one-to-one, which is more special than what is said of whole networks.
 */
export function resolveNat(
  rules: readonly NatRule[],
  interfaces: Interfaces,
  resolution: Resolution,
): ResolvedNatRule[] {
  const destinations: ResolvedNatRule[] = [];
  const hairpins: ResolvedNatRule[] = [];
  const pairs: ResolvedNatRule[] = [];
  const sources: ResolvedNatRule[] = [];
  for (const rule of rules) {
    switch (rule.kind) {
      case "snat":
      case "masquerade":
        sources.push(...sourceRules(rule, interfaces, resolution));
        break;
      case "dnat":
      case "one-to-one": {
        const target = targetOf(rule.to, resolution);
        if (target === null) break;
        const made = destinationRule(rule, target);
        destinations.push(made);
        if (rule.kind === "one-to-one") pairs.push(returnRule(rule, target, interfaces));
        if (rule.hairpin?.value === true)
          hairpins.push(...hairpinRules(made, target, interfaces, resolution));
        break;
      }
    }
  }
  return [...destinations, ...hairpins, ...pairs, ...sources];
}

function destinationRule(
  rule: Extract<NatRule, { kind: "dnat" | "one-to-one" }>,
  target: Ip,
): ResolvedNatRule {
  const isDnat = rule.kind === "dnat";
  return {
    ...ANY_PACKET,
    stage: "prerouting",
    protocol: isDnat ? (rule.protocol?.value ?? null) : null,
    to: single(rule.address.value),
    ports: isDnat && rule.ports !== null ? [rule.ports.value] : [],
    action: { kind: "dnat", to: target, toPort: isDnat ? (rule.toPort?.value ?? null) : null },
    origin: fromFile(rule.span),
  };
}

function sourceRules(
  rule: Extract<NatRule, { kind: "snat" | "masquerade" }>,
  interfaces: Interfaces,
  resolution: Resolution,
): ResolvedNatRule[] {
  const networks = interfaces.map(({ network }) => network);
  const meanings = meaningsOf([rule.from], "from", { copy: null, networks, match: "translated" }, resolution);
  if (meanings === null) return [];
  const out =
    rule.out === null ? networkWith(rule.kind === "snat" ? rule.to.value : null, interfaces) : rule.out.value;
  if (rule.out !== null && !interfaces.some(({ network }) => network === rule.out!.value)) {
    const names = interfaces.map(({ network }) => network);
    resolution.findings.unknown("network", rule.out.value, rule.out.span, names);
    return [];
  }
  return meanings.map(({ addresses, network }: Meaning) => ({
    ...ANY_PACKET,
    stage: "postrouting",
    in: network,
    out,
    from: addresses,
    action: rule.kind === "snat" ? { kind: "snat", to: rule.to.value } : { kind: "masquerade" },
    origin: fromFile(rule.span),
  }));
}

/** The way out of a one-to-one pair. */
function returnRule(
  rule: Extract<NatRule, { kind: "one-to-one" }>,
  target: Ip,
  interfaces: Interfaces,
): ResolvedNatRule {
  return {
    ...ANY_PACKET,
    stage: "postrouting",
    out: networkWith(rule.address.value, interfaces),
    from: single(target),
    action: { kind: "snat", to: rule.address.value },
    origin: fromFile(rule.span),
  };
}

/**
 * A client in the target's own network sends to the outside address and would get its answer straight from
 * the target, from an address that it never asked. So the edge puts its own address there as the source.
 */
export function hairpinRules(
  destination: ResolvedNatRule,
  target: Ip,
  interfaces: Interfaces,
  resolution: Resolution,
): ResolvedNatRule[] {
  for (const { network, addresses } of interfaces) {
    const subnets = addressesOfName(network, resolution) ?? [];
    const own = addresses.find(({ ip }) => familyOfIp(ip) === familyOfIp(target));
    const isThere =
      resolution.networks.get(network)?.subnets.some((subnet) => subnetHas(subnet, target)) === true;
    if (!isThere || own === undefined) continue;
    const { toPort } = destination.action as Extract<ResolvedNatRule["action"], { kind: "dnat" }>;
    return [
      {
        ...ANY_PACKET,
        stage: "postrouting",
        in: network,
        out: network,
        protocol: destination.protocol,
        from: subnets,
        to: single(target),
        ports: shiftPorts(destination.ports, toPort),
        action: { kind: "snat", to: own.ip },
        origin: { ...destination.origin, text: "hairpin" },
      },
    ];
  }
  return [];
}

/** Ports behind the translation. */
export function shiftPorts(ports: ResolvedNatRule["ports"], toPort: number | null): ResolvedNatRule["ports"] {
  const [first] = ports;
  if (toPort === null || first === undefined) return ports;
  return ports.map((range) => ({
    first: range.first - first.first + toPort,
    last: range.last - first.first + toPort,
  }));
}

/** The one address that a rule translates to. */
function targetOf({ value, span }: Located<Endpoint>, resolution: Resolution): Ip | null {
  const { findings } = resolution;
  if (value.kind === "address") return value.ip;
  if (value.kind !== "name") {
    findings.error(
      "nat-target",
      span,
      "an address is translated to one address, or to the name of a machine",
    );
    return null;
  }
  const ranges = addressesOfName(value.reference.text, resolution);
  if (ranges === null) {
    findings.unknown("name", value.reference.text, span, [
      ...resolution.names.machines.keys(),
      ...resolution.names.kinds.keys(),
    ]);
    return null;
  }
  const [first] = ranges;
  if (first !== undefined && first.first === first.last) return first.first;
  findings.error("nat-target", span, `\`${value.reference.text}\` has no one address to translate to`);
  return null;
}

export function networkWith(ip: Ip | null, interfaces: Interfaces): string | null {
  if (ip === null) return null;
  return interfaces.find(({ addresses }) => addresses.some((address) => address.ip === ip))?.network ?? null;
}

export function single(ip: Ip): readonly IpRange[] {
  return [{ first: ip, last: ip }];
}
