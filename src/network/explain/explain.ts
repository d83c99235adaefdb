// What becomes of a packet: it is sent through the simulated network, and everything that is done to it is
// noted.
import { familyOfIp, type Ip, parseIp } from "../../base/ip.ts";
import type { Reference } from "../../model/datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import type { Disposition, Trace, TracePath, TraceQuestion } from "../../model/trace.ts";
import { HostLinks } from "../device/host-links.ts";
import { IpStack } from "../device/ip-stack.ts";
import { describePacket, newPacket, type Packet, type PacketBody } from "../device/packet.ts";
import { HopNote, nodeIdOf, Recording } from "../device/recorder.ts";
import { World } from "../device/world.ts";
import type { LoadBalancerBind } from "../resolve/resolution.ts";
import { buildTopology } from "../topology/build-topology.ts";
import { addressOfSomebody } from "../topology/external-station.ts";
import type { StackSpec, Topology } from "../topology/topology.ts";
import { announceClusters } from "./announce-clusters.ts";
import { requestAddress } from "./request-address.ts";

/** A network that questions can be asked about. Building it once serves all of them. */
export interface Network {
  readonly topology: Topology;
  readonly loadBalancerBinds: readonly LoadBalancerBind[];
}

export interface ExplainOptions {
  /** Also the way of the answer. */
  readonly back?: boolean;
  /** Bytes of data in the packet, to see what fits. */
  readonly dataBytes?: number;
}

/** The question cannot be asked: a name is nobody's, or has no address. */
export interface UnclearQuestion {
  readonly kind: "unclear";
  readonly message: string;
  /** The name that is nobody's, for a suggestion. */
  readonly name: string;
  readonly known: readonly string[];
}

const EPHEMERAL_PORT = 40_000;
const FIRST_SEQUENCE = 1000;

export function compileNetwork(
  resolved: ResolvedDatacenter,
  loadBalancerBinds: readonly LoadBalancerBind[] = [],
): Network {
  return { topology: buildTopology(resolved), loadBalancerBinds };
}

export function explain(
  network: Network,
  question: TraceQuestion,
  options: ExplainOptions = {},
): Trace | UnclearQuestion {
  const { topology } = network;
  const asker = stackNamed(topology, question.from);
  if (asker === null) return unclearName(question.from.text, topology);
  const world = new World(topology, network.loadBalancerBinds);
  const before: TracePath[] = [];
  const device = world.device(nodeIdOf(asker));
  const stack = device instanceof HostLinks ? device.stack : device;
  if (!(stack instanceof IpStack)) return unclear(question.from.text, "has no address to ask from", topology);
  const lacking = asker.interfaces.find(({ wantsDhcp }) => wantsDhcp);
  if (lacking !== undefined) before.push(requestAddress(world, asker, lacking));
  const target = targetOf(topology, question.to, asker);
  if (typeof target !== "string") return target;
  before.push(...announceClusters(world));
  const recording = new Recording({ wantsAnswer: options.back === true });
  const hop = new HopNote(recording, stack.name, null, null, world.nowMs);
  const source = sourceOf(stack, asker, target);
  if (source === null) {
    const family = familyOfIp(target);
    const isDhcp = lacking !== undefined;
    const why = isDhcp ? "it asks by DHCP, and nobody answers" : `it has no IPv${family} address`;
    hop.end(
      "no-address",
      `${asker.name} cannot send: ${why}. It is an address that is missing, not a router`,
      lacking?.span ?? asker.span,
    );
  } else {
    const packet = firstPacket(source, target, question, options.dataBytes ?? 0);
    hop.step("send", `${asker.name} sends ${describePacket(packet)}`, { level: "brief" });
    stack.send(packet, hop);
    world.settle();
  }
  const there = recording.finish(otherwise(world));
  const answer = recording.answer();
  const back = answer === null || answer.hops.length === 0 ? null : backPath(answer.finish(otherwise(world)));
  const conversations = world.conversations.map((one) =>
    one.finish({ disposition: "arp-unanswered", summary: "nobody answers" }),
  );
  return { question, before: [...before, ...conversations], there, back };
}

/** An answer that gets lost tells of the way back, whatever it was that lost it. */
function backPath(path: TracePath): TracePath {
  if (path.disposition !== "not-for-us" && path.disposition !== "flooded") return path;
  return {
    ...path,
    disposition: "source-unreachable",
    summary: `the answer does not come back: ${path.summary}`,
  };
}

function otherwise(world: World): { readonly disposition: Disposition; readonly summary: string } {
  return world.isStorming
    ? { disposition: "looped", summary: "the frame goes round and round: there is a loop" }
    : { disposition: "flooded", summary: "the frame went to everybody, and nobody took it" };
}

/** The machine, edge, host or external network of that name. */
export function stackNamed({ nodes }: Topology, reference: Reference): StackSpec | null {
  for (const kind of ["machine", "edge", "fence", "external", "host"] as const) {
    const spec = nodes.get(nodeIdOf({ kind, name: reference.text }));
    if (spec === undefined || spec.kind === "switch" || spec.kind === "fabric") continue;
    if (!("stack" in spec)) return spec as StackSpec;
    if (spec.stack !== null) return spec.stack;
  }
  return null;
}

/**
 * An address stands for itself; a machine behind a fence that is not the asker's own is its outside address.
 */
function targetOf(topology: Topology, to: Ip | Reference, asker: StackSpec): Ip | UnclearQuestion {
  if (typeof to === "string")
    return isGroup(to)
      ? unclear(to, "is for many at once: ask for one of those that it is for", topology)
      : to;
  const { resolved } = topology;
  const literal = parseIp(to.text);
  if (literal !== null) return literal;
  const cluster = resolved.clusters.find(({ name }) => name === to.text);
  if (cluster !== undefined) return cluster.address;
  const external = resolved.networks.find(({ name, isExternal }) => name === to.text && isExternal);
  if (external !== undefined) {
    const families = external.subnets.map(({ family }) => family);
    return addressOfSomebody(families.find((family) => hasFamily(asker, family)) ?? families[0] ?? 4);
  }
  const machine = resolved.machines.find(({ name }) => name === to.text);
  const askerCopy = asker.machine?.copy ?? null;
  if (machine?.copy != null) {
    const copyName = to.text.slice(0, to.text.lastIndexOf("/"));
    const isOwn = askerCopy !== null && asker.name.startsWith(`${copyName}/`);
    const fence = isOwn ? null : resolved.edges.find(({ name }) => name === copyName)?.fence;
    const outside = fence?.pairs.find((pair) => pair.machine === machine.name)?.outside;
    if (outside !== undefined) return outside;
  }
  const spec = stackNamed(topology, to);
  if (spec === null) return unclearName(to.text, topology);
  const shared = new Set(asker.interfaces.map(({ network }) => network));
  const near = spec.interfaces.filter(({ network }) => shared.has(network));
  const addresses = [...near, ...spec.interfaces].flatMap((one) => one.addresses);
  const address = addresses.find(({ ip }) => hasFamily(asker, familyOfIp(ip))) ?? addresses[0];
  return address?.ip ?? unclear(to.text, "has no address", topology);
}

/** Multicast of both families, and broadcast. */
function isGroup(ip: Ip): boolean {
  return ip === "255.255.255.255" || ip.startsWith("ff") || /^2(2[4-9]|3\d)\./.test(ip);
}

/** Whether it can speak the family: of two families that the other has, only such a one is of use. */
function hasFamily({ interfaces }: StackSpec, family: 4 | 6): boolean {
  return interfaces.some(({ addresses }) => addresses.some(({ ip }) => familyOfIp(ip) === family));
}

function sourceOf(stack: IpStack, asker: StackSpec, target: Ip): Ip | null {
  const family = familyOfIp(target);
  // Somebody outside asks from beyond the network, as people on the internet do.
  if (asker.kind === "external") return addressOfSomebody(family);
  return stack.sourceFor(target);
}

function firstPacket(source: Ip, destination: Ip, question: TraceQuestion, dataBytes: number): Packet {
  const sourcePort = question.sourcePort ?? EPHEMERAL_PORT;
  const data = new Uint8Array(dataBytes);
  const port = question.port ?? 0;
  let body: PacketBody;
  switch (question.protocol) {
    case "tcp":
      body = {
        kind: "tcp",
        sourcePort,
        destinationPort: port,
        flags: ["syn"],
        sequence: FIRST_SEQUENCE,
        acknowledgement: 0,
        options: new Uint8Array(0),
        data,
      };
      break;
    case "udp":
      body = { kind: "udp", sourcePort, destinationPort: port, data };
      break;
    case "icmp":
      body = { kind: "icmp", type: "echo-request", code: 0, identifier: 1, sequence: 1, data };
      break;
  }
  return newPacket(source, destination, body);
}

export function unclearName(name: string, topology: Topology): UnclearQuestion {
  return unclear(name, "is nobody's name in the file", topology);
}

function unclear(name: string, what: string, { resolved }: Topology): UnclearQuestion {
  const known = [
    ...resolved.machines.map((one) => one.name),
    ...resolved.edges.map((one) => one.name),
    ...resolved.networks.filter(({ isExternal }) => isExternal).map((one) => one.name),
    ...resolved.clusters.map((one) => one.name),
    ...resolved.source.hosts.map((one) => one.name),
  ];
  return { kind: "unclear", name, message: `\`${name}\` ${what}`, known };
}
