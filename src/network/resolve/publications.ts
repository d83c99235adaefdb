// A publication as what it takes at each edge on the way in: a translation and a firewall opening, both with
// the place of the publication. The outermost edge is the one that has the address; behind it the way goes on
// over edges that know the machine's subnet, or that are reached by an address of their own, to the fence,
// and to the machine.
import { familyOfIp, formatEndpoint, type Ip } from "../../base/ip.ts";
import type { Publication } from "../../model/datacenter.ts";
import type {
  Origin,
  PublicationStep,
  ResolvedEdge,
  ResolvedFirewallRule,
  ResolvedNatRule,
  ResolvedPublication,
} from "../../model/resolved-datacenter.ts";
import { machineOf } from "./names.ts";
import { ANY_PACKET, hairpinRules, single } from "./nat.ts";
import { chainTo, type Place, stepsOf, type Target, targetOf } from "./publication-way.ts";
import type { Resolution } from "./resolution.ts";
import { type Holder, type Protocol, UsedPlaces } from "./used-places.ts";

export function resolvePublications(resolution: Resolution): ResolvedPublication[] {
  const used = new UsedPlaces(resolution);
  const resolved = new Map<Publication, ResolvedPublication>();
  // Those that say where they want to be come first: what is chosen gives way.
  const order = [...resolution.datacenter.publications].sort(
    (a, b) => Number(a.at === null) - Number(b.at === null),
  );
  const additions = new Map<string, Additions>();
  for (const publication of order) {
    const found = resolvePublication(publication, used, additions, resolution);
    if (found !== null) resolved.set(publication, found);
  }
  for (const [name, { rules, nat }] of additions) {
    const edge = resolution.edges.get(name)!;
    const firewall = { ...edge.firewall, rules: [...rules, ...edge.firewall.rules] };
    resolution.edges.set(name, { ...edge, firewall, nat: [...nat, ...edge.nat] });
  }
  return resolution.datacenter.publications.flatMap((publication) => resolved.get(publication) ?? []);
}

/** What publications put before an edge's own rules, in their order. */
interface Additions {
  readonly rules: ResolvedFirewallRule[];
  readonly nat: ResolvedNatRule[];
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
  const copy = names.machines.get(machine.name)?.copy ?? null;
  const fence = copy === null ? null : (edges.get(copy.name) ?? null);
  const target = targetOf(publication, machine, fence, protocol);
  if (target === null) {
    const { at } = publication;
    const family = at === null ? "" : familyOfIp(at.value.ip) === 4 ? "IPv4 " : "IPv6 ";
    const message = `\`${machine.name}\` has no ${family}address to publish`;
    findings.error("publication-unreachable", wanted.span, message);
    return null;
  }
  const chain = chainTo(publication, target, resolution);
  if (chain === null) return null;
  const claim: Claim = {
    protocol,
    used,
    asker: `${machine.name} ${protocol} ${publication.port.value}`,
    holder: { words: `${machine.name} is published there`, span },
  };
  const at = placeOf(publication, target, chain, claim, resolution);
  if (at === null) return null;
  const steps = stepsOf(chain, at, target, fence, publication.port.value, (ip, port) =>
    freePort(ip, port, claim, resolution),
  );
  if (steps === null) return null;
  const origin: Origin = {
    kind: "publication",
    text: `published as ${formatEndpoint(at.ip, at.port)}`,
    span,
  };
  for (const [index, step] of steps.entries())
    addStep(step, index === 0, protocol, origin, additions, resolution);
  return {
    source: publication,
    machine: machine.name,
    protocol,
    at: { ...at, origin: publication.at === null ? { kind: "publication", text: "chosen", span } : origin },
    steps,
  };
}

/** Who wants a place for what. */
interface Claim {
  readonly protocol: Protocol;
  readonly used: UsedPlaces;
  /** Whose name has its place among the ports that are chosen. */
  readonly asker: string;
  readonly holder: Holder;
}

function placeOf(
  { at, port }: Publication,
  target: Target,
  chain: readonly ResolvedEdge[],
  claim: Claim,
  resolution: Resolution,
): Place | null {
  if (at !== null) {
    const place = { ip: at.value.ip, port: at.value.port ?? port.value };
    const { protocol, used, holder } = claim;
    const other = used.take(protocol, place.ip, place.port, holder);
    if (other === null) return place;
    const message = `${protocol} port ${place.port} of ${place.ip} is taken: ${other.words}`;
    const related = [{ span: other.span, message: "here" }];
    resolution.findings.error("port-taken", at.span, message, { related });
    return null;
  }
  const { networks } = resolution;
  const outer = chain[0]!.interfaces.filter(({ network }) => networks.get(network)?.isExternal === true);
  const family = familyOfIp(target.ip);
  const address = outer.flatMap(({ addresses }) => addresses).find(({ ip }) => familyOfIp(ip) === family);
  if (address === undefined) {
    const words = `\`${chain[0]!.name}\` has no IPv${family} address in an external network to publish at`;
    resolution.findings.error("publication-unreachable", claim.holder.span, words);
    return null;
  }
  const chosen = freePort(address.ip, port.value, claim, resolution);
  return chosen === null ? null : { ip: address.ip, port: chosen };
}

function freePort(
  ip: Ip,
  wanted: number,
  { used, protocol, asker, holder }: Claim,
  { findings }: Resolution,
): number | null {
  const port = used.takeFree(protocol, ip, wanted, asker, holder);
  if (port === null) findings.error("port-taken", holder.span, `no port of ${ip} is free`);
  return port;
}

/** Puts the translation and the opening of one step before what the edge has. A fence translates already. */
function addStep(
  { edge: name, from, to }: PublicationStep,
  isFirst: boolean,
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
    isTranslated && !isFence && isFirst
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
