// What the kernel has counted in an applied datacentre, by the nodes and links of its topology: bytes and
// packets at ports, connections and leases at the services of edges.
import type { CardCounters, PortCounters } from "../../driver/linux/port-counters.ts";
import type { ServiceCount } from "../../driver/linux/service-counters.ts";
import type { NodeState } from "../../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter, ResolvedInterface } from "../../model/resolved-datacenter.ts";
import type { LinkTotals } from "./traffic-meter.ts";

type Nodes = Readonly<Record<string, NodeState>>;
type Counter = NodeState["counters"][number];
type Owners = Pick<ResolvedDatacenter, "machines" | "edges">;

export type ServiceCounter = Pick<ServiceCount, "owner" | "kind" | "value">;

/** Of whoever has a port: it is there. */
const MADE: NodeState = { state: "up", text: "is made on this machine", servers: [], counters: [] };

/** As `network/draw/topology-view.ts` names the links of machines and edges. */
export function linkIdOf(kind: "machine" | "edge" | "fence", name: string, port: string): string {
  return `interface ${kind} ${name} ${port}`;
}

/** Of the machine on which this runs. */
interface Cards {
  readonly host: string | null;
  readonly cards: readonly CardCounters[];
}

/** Whoever has a port is there, and has these counters besides its servers'. */
export function withPorts(nodes: Nodes, owners: Owners, ports: readonly PortCounters[]): Nodes {
  const find = ownerFinder(owners);
  const all: Record<string, NodeState> = { ...nodes };
  for (const { owner, sent, received } of ports) {
    const found = find(owner);
    if (found === null) continue;
    const id = `${found.kind}/${found.name}`;
    const node = all[id] ?? MADE;
    const dropped = sent.dropped + received.dropped;
    const counters: Counter[] = [
      ...bytesOf(found.port, { sent, received }),
      { label: `${found.port} dropped`, value: dropped, unit: "packets", service: null },
    ];
    all[id] = { ...node, counters: [...node.counters, ...counters] };
  }
  return all;
}

function bytesOf(port: string, { sent, received }: Pick<CardCounters, "sent" | "received">): Counter[] {
  return [
    { label: `${port} sent`, value: sent.bytes, unit: "bytes", service: null },
    { label: `${port} received`, value: received.bytes, unit: "bytes", service: null },
  ];
}

/** What stands for an external network has its port at the switch as everybody has. */
export function portTraffic(
  resolved: Owners & Pick<ResolvedDatacenter, "networks">,
  ports: readonly PortCounters[],
): LinkTotals[] {
  const find = ownerFinder(resolved);
  const externals = new Set(resolved.networks.flatMap(({ name, isExternal }) => (isExternal ? [name] : [])));
  return ports.flatMap(({ owner, sent, received }): LinkTotals[] => {
    const found = find(owner);
    const outside = owner.slice(0, owner.lastIndexOf("/"));
    if (found === null && !externals.has(outside)) return [];
    const link = found === null ? `port-group ${outside}` : linkIdOf(found.kind, found.name, found.port);
    return [{ link, countedBy: "kernel", sent, received }];
  });
}

/** The host of the file that this machine is, with what has passed its cards. */
export function withHost(nodes: Nodes, { host, cards }: Cards): Nodes {
  if (host === null) return nodes;
  const counters = cards.flatMap((card) => bytesOf(card.link, card));
  return { ...nodes, [`host/${host}`]: { ...MADE, text: "is this machine", counters } };
}

/**
 * Seen from the lower end, a switch sends what goes out by its uplink, and a host what goes out by its card.
 * Of other hosts nothing is known here.
 */
export function cardTraffic(
  { source }: Pick<ResolvedDatacenter, "source">,
  { host, cards }: Cards,
): LinkTotals[] {
  return cards.flatMap(({ link: card, sent, received }) => {
    const uplinks = source.switches.flatMap(({ name, uplinks: all }) =>
      all.some((one) => one.host.value === host && one.link.value === card) ? [`uplink ${name} ${host}`] : [],
    );
    const cables = source.fabric.flatMap(({ name, ports }) =>
      ports.flatMap((port) =>
        port.to?.value === `${host}/${card}` ? [`cable fabric:${name} ${port.name}`] : [],
      ),
    );
    return [...uplinks, ...cables].map((link) => ({ link, countedBy: "kernel" as const, sent, received }));
  });
}

/** Services are those of the topology's edges: a count that has none there is nobody's. */
export function withServices(
  nodes: Nodes,
  { edges, networks }: Pick<ResolvedDatacenter, "edges" | "networks">,
  counts: readonly ServiceCounter[],
): Nodes {
  const all: Record<string, NodeState> = { ...nodes };
  for (const { owner, kind, value } of counts) {
    const name = kind === "leases" ? networks.find((one) => one.name === owner)?.dhcp?.server : owner;
    const edge = edges.find((one) => one.name === name);
    if (edge === undefined) continue;
    const id = `${edge.kind}/${edge.name}`;
    const node = all[id] ?? { ...MADE, text: "its load balancer runs here" };
    all[id] = {
      ...node,
      counters: [...node.counters, ...countersOf(kind, owner, value, edge.nat.length > 0)],
    };
  }
  return all;
}

/** An edge follows connections for its firewall, and to translate what belongs to them. */
function countersOf(kind: ServiceCounter["kind"], owner: string, value: number, hasNat: boolean): Counter[] {
  switch (kind) {
    case "connections":
      return [
        { label: "followed by the firewall", value, unit: "connections", service: "firewall" },
        ...(hasNat ? [{ label: "known to NAT", value, unit: "connections", service: "NAT" } as const] : []),
      ];
    case "leases":
      return [{ label: `lent in ${owner}`, value, unit: "leases", service: "DHCP" }];
    case "sessions":
      return [{ label: "at its frontends", value, unit: "sessions", service: "load balancer" }];
    case "requests":
      return [{ label: "requests", value, unit: "per second", service: "load balancer" }];
  }
}

interface Owner {
  readonly kind: "machine" | "edge" | "fence";
  readonly name: string;
  readonly port: string;
}

/**
 * Who is meant by "web-001/eth0"; null: nobody of the file. Ports of edges are called like their networks.
 */
function ownerFinder({ machines, edges }: Owners): (owner: string) => Owner | null {
  type Known = { readonly kind: Owner["kind"]; readonly interfaces: readonly ResolvedInterface[] };
  const known = new Map<string, Known>([
    ...edges.map((edge) => [edge.name, edge] as const),
    ...machines.map(({ name, interfaces }) => [name, { kind: "machine", interfaces }] as const),
  ]);
  return (owner) => {
    const end = owner.lastIndexOf("/");
    const [name, device] = [owner.slice(0, end), owner.slice(end + 1)];
    const found = known.get(name);
    if (found === undefined) return null;
    const port = found.interfaces.find((one) => one.name === device || one.network === device)?.name;
    return { kind: found.kind, name, port: port ?? device };
  };
}
