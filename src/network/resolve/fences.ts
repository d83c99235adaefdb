// The edge of a fenced copy: the same subnet on both sides. It answers for the inside with addresses of the
// parent's pool, one for each machine (ip-translation) or ports of its own (port-forwarding), and inwards by
// proxy ARP for everybody outside.
import { familyOfIp, type Ip, type IpFamily } from "../../base/ip.ts";
import { macOfName } from "../../base/mac.ts";
import type {
  Origin,
  ResolvedEdge,
  ResolvedFence,
  ResolvedFirewall,
  ResolvedFirewallRule,
  ResolvedInterface,
  ResolvedNatRule,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import { insideAddresses } from "./endpoints.ts";
import { resolveFirewall } from "./firewall.ts";
import { type CopyOfVapp, isFenced } from "./names.ts";
import { ANY_PACKET, single } from "./nat.ts";
import { choosePort, FENCE_PORTS } from "./ports.ts";
import { fromFile, hostOf, poolOf, prefixIn, type Resolution } from "./resolution.ts";

export const INSIDE = "in";
export const OUTSIDE = "out";

export function resolveFences(resolution: Resolution): void {
  for (const copy of resolution.names.copies) {
    const parent = resolution.networks.get(copy.vapp.network.parent.value);
    // Where an edge or a network has the name already, that has been reported.
    if (!isFenced(copy) || parent === undefined || resolution.edges.has(copy.name)) continue;
    if (resolution.networks.get(copy.name)?.kind !== "fence-inside") continue;
    const fence = fenceOf(copy, parent, resolution);
    if (fence !== null) resolution.edges.set(copy.name, edgeOf(copy, parent, fence, resolution));
  }
}

/** Rules that name machines need all fences to be there. */
export function addFenceRules(resolution: Resolution): void {
  for (const copy of resolution.names.copies) {
    const edge = resolution.edges.get(copy.name);
    if (edge?.fence == null) continue;
    resolution.edges.set(copy.name, { ...edge, firewall: firewallOf(copy, resolution) });
  }
}

function fenceOf(copy: CopyOfVapp, parent: ResolvedNetwork, resolution: Resolution): ResolvedFence | null {
  const mode = copy.vapp.nat?.value ?? "ip-translation";
  const pinned = copy.source?.address ?? null;
  const family = familyInside(copy, parent, resolution);
  const address = pinned?.value ?? fromPool(copy, parent, family, copy.name, resolution);
  if (address === null) return null;
  const pairs = copy.vapp.machines.flatMap((machine) => {
    const name = `${copy.name}/${machine.name}`;
    const inside = insideAddresses(name, resolution).find((ip) => familyOfIp(ip) === familyOfIp(address));
    if (inside === undefined) return [];
    if (mode === "port-forwarding") {
      const origin: Origin = { kind: "fence", text: "ports of the fence's own address", span: copy.span };
      return [{ machine: name, inside, outside: address, origin }];
    }
    const pin = copy.source?.outside.find((one) => one.machine.value === machine.name);
    const outside = pin?.address.value ?? fromPool(copy, parent, family, name, resolution);
    if (outside === null) return [];
    const origin: Origin =
      pin === undefined
        ? { kind: "pool", text: `from the pool of ${parent.name}`, span: copy.span }
        : fromFile(pin.address.span);
    return [{ machine: name, inside, outside, origin }];
  });
  reportUnknownPins(copy, resolution);
  return { vapp: copy.vapp.name, copy: copy.source?.name ?? copy.vapp.name, mode, address, pairs };
}

/** A fence translates one family: that of the first machine inside that has an address. */
function familyInside({ name, vapp }: CopyOfVapp, parent: ResolvedNetwork, resolution: Resolution): IpFamily {
  const [inside] = vapp.machines.flatMap((machine) => insideAddresses(`${name}/${machine.name}`, resolution));
  return inside === undefined ? (parent.subnets[0]?.family ?? 4) : familyOfIp(inside);
}

function fromPool(
  copy: CopyOfVapp,
  parent: ResolvedNetwork,
  family: IpFamily,
  asker: string,
  resolution: Resolution,
): Ip | null {
  const pool = poolOf(resolution, parent.name, family);
  const ip = pool.take(`fence ${asker}`);
  if (ip !== null) return ip;
  const isThere = pool.size > 0;
  resolution.findings.error(
    isThere ? "pool-exhausted" : "no-pool",
    copy.span,
    isThere
      ? `no address is left in the pool of ${parent.name} for \`${asker}\``
      : `${parent.name} has no pool, from which \`${asker}\` would get its outside address`,
    {
      help: isThere
        ? `It holds ${pool.size}.`
        : `Say \`pool: first-last\` at ${parent.name}, or pin the address here.`,
      related: [{ span: parent.span, message: `${parent.name} is here` }],
    },
  );
  return null;
}

function reportUnknownPins({ vapp, source }: CopyOfVapp, { findings }: Resolution): void {
  const names = vapp.machines.map(({ name }) => name);
  for (const { machine } of source?.outside ?? [])
    if (!names.includes(machine.value)) findings.unknown("machine", machine.value, machine.span, names);
}

function edgeOf(
  copy: CopyOfVapp,
  parent: ResolvedNetwork,
  fence: ResolvedFence,
  resolution: Resolution,
): ResolvedEdge {
  const origin: Origin = { kind: "fence", text: `the fence around ${copy.name}`, span: copy.span };
  const [first] = copy.vapp.machines;
  const outsides = [...new Set([fence.address, ...fence.pairs.map(({ outside }) => outside)])];
  const interfaces: ResolvedInterface[] = [
    {
      name: INSIDE,
      network: copy.name,
      addresses: [],
      // The same in all copies, as everything inside is.
      mac: macOfName(`${copy.vapp.name}/fence`),
      wantsDhcp: false,
      span: copy.span,
    },
    {
      name: OUTSIDE,
      network: parent.name,
      addresses: outsides.map((ip, index) => ({
        ip,
        // Only the first makes the subnet a connected one.
        prefix: index === 0 ? prefixIn(parent, ip) : hostPrefix(ip),
        origin,
      })),
      mac: macOfName(`${copy.name}/outside`),
      wantsDhcp: false,
      span: copy.span,
    },
  ];
  return {
    name: copy.name,
    kind: "fence",
    // Where its first machine is: that one has to say it where there are several.
    host: hostOf(resolution, first?.host ?? null, first?.span ?? copy.span),
    interfaces,
    routes: parent.gateways.map((via) => ({
      to: everything(via),
      via,
      span: parent.span,
    })),
    firewall: { default: "deny", match: "original", rules: [], span: copy.span },
    nat: natOf(copy, parent, fence, origin, resolution),
    loadBalancer: null,
    fence,
    source: copy.source ?? copy.vapp,
    span: copy.span,
  };
}

function natOf(
  copy: CopyOfVapp,
  parent: ResolvedNetwork,
  fence: ResolvedFence,
  origin: Origin,
  resolution: Resolution,
): ResolvedNatRule[] {
  const insides = fence.pairs.map(({ inside }) => ({ first: inside, last: inside }));
  const [from, to] = [copy.name, parent.name];
  const inwards: ResolvedNatRule[] =
    fence.mode === "ip-translation"
      ? fence.pairs.map(({ inside, outside }) => ({
          ...ANY_PACKET,
          stage: "prerouting",
          in: to,
          to: single(outside),
          action: { kind: "dnat", to: inside, toPort: null },
          origin,
        }))
      : forwardedPorts(copy, fence, resolution).map(({ machine, protocol, port, inside, outsidePort }) => ({
          ...ANY_PACKET,
          stage: "prerouting",
          in: to,
          protocol,
          to: single(fence.address),
          ports: [{ first: outsidePort, last: outsidePort }],
          action: { kind: "dnat", to: inside, toPort: port },
          origin: { ...origin, text: `port ${outsidePort} is ${machine}` },
        }));
  // Somebody outside who has the very address of a machine inside (the original, which is not fenced) must
  // not seem to be a neighbour: its packets go in with the fence's address.
  const overlap: ResolvedNatRule = {
    ...ANY_PACKET,
    stage: "postrouting",
    in: to,
    out: from,
    from: insides,
    action: { kind: "snat", to: fence.address },
    origin: { ...origin, text: "the same address on both sides" },
  };
  const outwards: ResolvedNatRule[] = fence.pairs.map(({ inside, outside }) => ({
    ...ANY_PACKET,
    stage: "postrouting",
    in: from,
    out: to,
    from: single(inside),
    action: { kind: "snat", to: outside },
    origin,
  }));
  return fence.pairs.length === 0 ? [] : [...inwards, overlap, ...outwards];
}

/**
 * Each port that a machine is known to serve, at the same number where that is free, else at one from 10000
 * that its name chooses: the same in every copy, and whoever comes to serve it too.
 */
function forwardedPorts(copy: CopyOfVapp, fence: ResolvedFence, { publicationsOf }: Resolution) {
  const used = new Set<string>();
  return copy.vapp.machines.flatMap((machine) => {
    const name = `${copy.name}/${machine.name}`;
    const inside = fence.pairs.find((pair) => pair.machine === name)?.inside;
    const published = (publicationsOf.get(name) ?? []).map(({ protocol, port }) => ({
      protocol: protocol?.value ?? ("tcp" as const),
      port: port.value,
    }));
    const services = [...machine.services.map(({ value }) => value), ...published];
    const distinct = [...new Map(services.map((one) => [`${one.protocol} ${one.port}`, one])).values()];
    if (inside === undefined) return [];
    return distinct.flatMap(({ protocol, port }) => {
      const asker = `${machine.name} ${protocol} ${port}`;
      const isTaken = (candidate: number) => used.has(`${protocol} ${candidate}`);
      const outsidePort = choosePort(port, asker, FENCE_PORTS, isTaken);
      if (outsidePort === null) return [];
      used.add(`${protocol} ${outsidePort}`);
      return { machine: name, protocol, port, inside, outsidePort };
    });
  });
}

/**
 * What goes out passes; what comes in needs a rule of the vApp's firewall, its `default: allow`, or a
 * publication.
 */
function firewallOf(copy: CopyOfVapp, resolution: Resolution): ResolvedFirewall {
  const place = { copy: copy.name, networks: [copy.name, copy.vapp.network.parent.value] };
  const written = resolveFirewall(copy.vapp.firewall, copy.span, place, resolution);
  const outgoing: ResolvedFirewallRule = {
    action: "allow",
    in: copy.name,
    out: null,
    protocol: null,
    from: null,
    to: null,
    ports: [],
    isLogged: false,
    origin: { kind: "fence", text: `the fence around ${copy.name}`, span: copy.span },
  };
  // Rules of the file may forbid what goes out, so they come first.
  return { ...written, rules: [...written.rules, outgoing] };
}

function hostPrefix(ip: Ip): 32 | 128 {
  return familyOfIp(ip) === 4 ? 32 : 128;
}

function everything(via: Ip): { readonly family: 4 | 6; readonly first: Ip; readonly prefix: number } {
  const family = familyOfIp(via);
  return { family, first: (family === 4 ? "0.0.0.0" : "::") as Ip, prefix: 0 };
}
