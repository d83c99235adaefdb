// A publication as what it takes at each edge on the way in: a translation and a firewall opening, both with
// the place of the publication. The outermost edge is the one that has the address; behind it the way goes on
// over edges that know the machine's subnet, or that are reached by an address of their own, to the fence,
// and to the machine.
import { familyOfIp, type Ip, subnetHas } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Publication } from "../../model/datacenter.ts";
import type {
  Origin,
  PublicationStep,
  ResolvedEdge,
  ResolvedFirewallRule,
  ResolvedMachine,
  ResolvedNatRule,
  ResolvedPublication,
} from "../../model/resolved-datacenter.ts";
import { machineOf } from "./names.ts";
import { ANY_PACKET, hairpinRules, single } from "./nat.ts";
import { hashOf } from "./pool.ts";
import type { Resolution } from "./resolution.ts";

type Place = { readonly ip: Ip; readonly port: number };
type Protocol = "tcp" | "udp";

/**
 * Ports that are given when the machine's own is taken: above what services use, below the ephemeral range.
 */
const CHOSEN_PORT_FIRST = 20_000;
const CHOSEN_PORT_COUNT = 12_000;

export function resolvePublications(resolution: Resolution): ResolvedPublication[] {
  const used = usedPlaces(resolution);
  const resolved: ResolvedPublication[] = [];
  // Those that say where they want to be come first: what is chosen gives way.
  const order = [...resolution.datacenter.publications].sort(
    (a, b) => Number(a.at === null) - Number(b.at === null),
  );
  const additions = new Map<string, Additions>();
  for (const publication of order) {
    const found = resolvePublication(publication, used, additions, resolution);
    if (found !== null) resolved.push(found);
  }
  for (const [name, { rules, nat }] of additions) {
    const edge = resolution.edges.get(name)!;
    const firewall = { ...edge.firewall, rules: [...rules, ...edge.firewall.rules] };
    resolution.edges.set(name, { ...edge, firewall, nat: [...nat, ...edge.nat] });
  }
  return resolution.datacenter.publications.flatMap(
    (publication) => resolved.find(({ source }) => source === publication) ?? [],
  );
}

/** What publications put before an edge's own rules, in their order. */
interface Additions {
  readonly rules: ResolvedFirewallRule[];
  readonly nat: ResolvedNatRule[];
}

/** Who has a place already, by "tcp 203.0.113.10:443". */
type UsedPlaces = Map<string, { readonly words: string; readonly span: Span }>;

function usedPlaces({ edges, loadBalancerBinds, datacenter }: Resolution): UsedPlaces {
  const used: UsedPlaces = new Map();
  const add = (protocol: string, ip: Ip, port: number, words: string, span: Span) => {
    const key = `${protocol} ${ip}:${port}`;
    if (!used.has(key)) used.set(key, { words, span });
  };
  for (const { edge, ip, port, span } of loadBalancerBinds) {
    const addresses =
      edges.get(edge)?.interfaces.flatMap((one) => one.addresses.map((address) => address.ip)) ?? [];
    for (const address of ip === null ? addresses : [ip])
      add("tcp", address, port, `the load balancer of ${edge} listens there`, span);
  }
  const { consoles } = datacenter;
  for (const [words, endpoint] of [
    ["the console portal is there", consoles?.portal],
    ["the console proxy is there", consoles?.proxy],
  ] as const) {
    if (endpoint != null)
      add("tcp", endpoint.address.value.ip, endpoint.address.value.port, words, endpoint.span);
  }
  for (const source of datacenter.edges) {
    for (const rule of source.nat) {
      if (rule.kind !== "dnat" || rule.ports === null || rule.protocol === null) continue;
      const { first, last } = rule.ports.value;
      for (let port = first; port <= Math.min(last, first + 1023); port++)
        add(
          rule.protocol.value,
          rule.address.value,
          port,
          `a NAT rule of ${source.name} translates it`,
          rule.span,
        );
    }
  }
  return used;
}

function resolvePublication(
  publication: Publication,
  used: UsedPlaces,
  additions: Map<string, Additions>,
  resolution: Resolution,
): ResolvedPublication | null {
  const { findings, names, machines, edges } = resolution;
  const { machine: wanted, span } = publication;
  const name = machineOf(wanted.value, wanted.span, names, findings);
  const machine = name === null ? undefined : machines.get(name);
  if (machine === undefined) return null;
  const protocol = publication.protocol?.value ?? "tcp";
  const fence = machine.copy === null ? null : (edges.get(copyNameOf(machine.name)) ?? null);
  const inner = targetOf(publication, machine, fence, protocol);
  if (inner === null) {
    findings.error("publication-unreachable", wanted.span, `\`${machine.name}\` has no address to publish`);
    return null;
  }
  const chain = chainTo(publication, inner, resolution);
  if (chain === null) return null;
  const at = placeOf(publication, chain, protocol, machine, used, resolution);
  if (at === null) return null;
  const steps = stepsOf(chain, at, inner, fence, publication.port.value);
  const words = `published as ${at.ip}:${at.port}`;
  const origin: Origin = { kind: "publication", text: words, span };
  for (const [index, { edge, from, to }] of steps.entries())
    addStep(
      { edge, from, to },
      index === 0 ? null : steps[index - 1]!,
      protocol,
      origin,
      additions,
      resolution,
    );
  return {
    source: publication,
    machine: machine.name,
    protocol,
    at: { ...at, origin: publication.at === null ? { kind: "publication", text: "chosen", span } : origin },
    steps: steps.map(({ edge, from, to }) => ({ edge, from, to })),
  };
}

/** What the last edge before the machine, or before its fence, has to reach. */
interface Target extends Place {
  /** The network that it is in, as seen from outside. */
  readonly network: string;
}

function targetOf(
  publication: Publication,
  machine: ResolvedMachine,
  fenceEdge: ResolvedEdge | null,
  protocol: Protocol,
): Target | null {
  const port = publication.port.value;
  const family = publication.at === null ? 4 : familyOfIp(publication.at.value.ip);
  if (fenceEdge?.fence != null) {
    const { fence } = fenceEdge;
    const network = fenceEdge.interfaces.find(({ name }) => name === "out")!.network;
    const pair = fence.pairs.find((one) => one.machine === machine.name);
    if (pair === undefined) return null;
    if (fence.mode === "ip-translation") return { ip: pair.outside, port, network };
    const forward = fenceEdge.nat.find(
      ({ stage, action, protocol: ofRule }) =>
        stage === "prerouting" &&
        ofRule === protocol &&
        action.kind === "dnat" &&
        action.to === pair.inside &&
        action.toPort === port,
    );
    return { ip: fence.address, port: forward?.ports[0]?.first ?? port, network };
  }
  for (const { network, addresses } of machine.interfaces) {
    const address = addresses.find(({ ip }) => familyOfIp(ip) === family);
    if (address !== undefined) return { ip: address.ip, port, network };
  }
  return null;
}

/** Edges from the one with the outside address to the one next to the target. */
function chainTo(
  publication: Publication,
  target: Target,
  resolution: Resolution,
): readonly ResolvedEdge[] | null {
  const { edges, findings, networks } = resolution;
  const { at, span } = publication;
  const routers = [...edges.values()].filter(({ kind }) => kind === "edge");
  const isOuter = (edge: ResolvedEdge) =>
    at === null
      ? edge.interfaces.some(({ network }) => networks.get(network)?.isExternal === true)
      : edge.interfaces.some(({ addresses }) => addresses.some(({ ip }) => ip === at.value.ip));
  if (!routers.some(isOuter)) {
    if (at === null)
      findings.error("publication-unreachable", span, "no edge is in an external network to publish at");
    else {
      const known = routers.flatMap((edge) =>
        edge.interfaces
          .filter(({ network }) => networks.get(network)?.isExternal === true)
          .flatMap(({ addresses }) => addresses.map(({ ip }) => ip)),
      );
      findings.error("publication-unreachable", at.span, `no edge has the address ${at.value.ip}`, {
        help: known.length > 0 ? `Edges have ${known.slice(0, 8).join(", ")} outside.` : null,
      });
    }
    return null;
  }
  // Breadth first from the target's network outwards, so that the way is the shortest.
  const waiting: { readonly network: string; readonly chain: readonly ResolvedEdge[] }[] = [
    { network: target.network, chain: [] },
  ];
  const seen = new Set([target.network]);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const edge of routers) {
      if (next.chain.includes(edge) || !edge.interfaces.some(({ network }) => network === next.network))
        continue;
      const chain = [edge, ...next.chain];
      if (isOuter(edge)) return chain;
      for (const { network } of edge.interfaces) {
        if (seen.has(network)) continue;
        seen.add(network);
        waiting.push({ network, chain });
      }
    }
  }
  findings.error(
    "publication-unreachable",
    at?.span ?? span,
    `no edge leads from there to ${target.network}`,
    {
      help: `An edge with an interface in ${target.network} is missing, or one between.`,
    },
  );
  return null;
}

function placeOf(
  publication: Publication,
  chain: readonly ResolvedEdge[],
  protocol: Protocol,
  machine: ResolvedMachine,
  used: UsedPlaces,
  { findings, networks }: Resolution,
): Place | null {
  const { at, port, span } = publication;
  if (at !== null) {
    const place = { ip: at.value.ip, port: at.value.port ?? port.value };
    const key = `${protocol} ${place.ip}:${place.port}`;
    const other = used.get(key);
    if (other !== undefined) {
      findings.error(
        "port-taken",
        at.span,
        `${protocol} port ${place.port} of ${place.ip} is taken: ${other.words}`,
        {
          related: [{ span: other.span, message: "here" }],
        },
      );
      return null;
    }
    used.set(key, { words: `${machine.name} is published there`, span });
    return place;
  }
  const outer = chain[0]!.interfaces.filter(({ network }) => networks.get(network)?.isExternal === true);
  const ip = outer.flatMap(({ addresses }) => addresses)[0]?.ip;
  if (ip === undefined) return null;
  const start = hashOf(`${machine.name} ${protocol} ${port.value}`) % CHOSEN_PORT_COUNT;
  for (let step = -1; step < CHOSEN_PORT_COUNT; step++) {
    const candidate = step < 0 ? port.value : CHOSEN_PORT_FIRST + ((start + step) % CHOSEN_PORT_COUNT);
    const key = `${protocol} ${ip}:${candidate}`;
    if (used.has(key)) continue;
    used.set(key, { words: `${machine.name} is published there`, span });
    return { ip, port: candidate };
  }
  findings.error("port-taken", span, `no port of ${ip} is free`);
  return null;
}

/**
 * The outermost edge translates straight to the target when it has a way to it; the edges between then only
 * let it pass. An edge whose inside it does not know hides that inside, so the way goes by an address of that
 * edge.
 */
function stepsOf(
  chain: readonly ResolvedEdge[],
  at: Place,
  target: Target,
  fence: ResolvedEdge | null,
  machinePort: number,
): PublicationStep[] {
  const steps: PublicationStep[] = [];
  let present: Place = at;
  for (const [index, edge] of chain.entries()) {
    const next = chain[index + 1];
    const knowsTarget = next === undefined || knowsWayTo(edge, target.ip);
    const to: Place = knowsTarget ? target : { ip: addressTowards(next, edge) ?? target.ip, port: at.port };
    steps.push({ edge: edge.name, from: present, to: { ip: to.ip, port: to.port } });
    present = to;
  }
  const pair = fence?.fence?.pairs.find(({ outside }) => outside === target.ip);
  if (fence !== null && pair !== undefined) {
    const forward = fence.nat.find(
      ({ action, ports }) =>
        action.kind === "dnat" && action.toPort !== null && ports[0]?.first === target.port,
    );
    const inside = forward?.action.kind === "dnat" ? forward.action.to : pair.inside;
    steps.push({
      edge: fence.name,
      from: { ip: target.ip, port: target.port },
      to: { ip: inside, port: machinePort },
    });
  }
  return steps;
}

function knowsWayTo(edge: ResolvedEdge, ip: Ip): boolean {
  const connected = edge.interfaces.some(({ addresses }) =>
    addresses.some((address) => isInSubnet(address.ip, address.prefix, ip)),
  );
  return connected || edge.routes.some(({ to }) => to.prefix > 0 && subnetHas(to, ip));
}

function isInSubnet(own: Ip, prefix: number, ip: Ip): boolean {
  return familyOfIp(own) === familyOfIp(ip) && subnetHas({ family: familyOfIp(own), first: own, prefix }, ip);
}

/** An address of `edge` in a network that it shares with `outer`. */
function addressTowards(edge: ResolvedEdge, outer: ResolvedEdge): Ip | null {
  const shared = new Set(outer.interfaces.map(({ network }) => network));
  return edge.interfaces.find(({ network }) => shared.has(network))?.addresses[0]?.ip ?? null;
}

/** Puts the translation and the opening of one step before what the edge has. A fence translates already. */
function addStep(
  { edge: name, from, to }: PublicationStep,
  previous: PublicationStep | null,
  protocol: Protocol,
  origin: Origin,
  additions: Map<string, Additions>,
  resolution: Resolution,
): void {
  const edge = resolution.edges.get(name)!;
  const isTranslated = from.ip !== to.ip || from.port !== to.port;
  const translation: ResolvedNatRule = {
    ...ANY_PACKET,
    stage: "prerouting",
    protocol,
    to: single(from.ip),
    ports: [{ first: from.port, last: from.port }],
    action: { kind: "dnat", to: to.ip, toPort: to.port },
    origin,
  };
  const isFence = edge.kind === "fence";
  const hairpins =
    isTranslated && !isFence && previous === null
      ? hairpinRules(translation, to.ip, edge.interfaces, resolution).map((rule) => ({ ...rule, origin }))
      : [];
  const seen = edge.firewall.match === "original" ? from : to;
  const opening: ResolvedFirewallRule = {
    action: "allow",
    in: null,
    out: null,
    protocol,
    from: null,
    to: single(seen.ip),
    ports: [{ first: seen.port, last: seen.port }],
    isLogged: false,
    origin,
  };
  const added = additions.get(name) ?? { rules: [], nat: [] };
  additions.set(name, added);
  added.rules.push(opening);
  added.nat.push(...(isTranslated && !isFence ? [translation] : []), ...hairpins);
}

function copyNameOf(machine: string): string {
  return machine.slice(0, machine.lastIndexOf("/"));
}
