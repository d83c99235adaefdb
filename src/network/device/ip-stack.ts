// A machine, router, fence or host from the frame up: which frames are its own, ARP, connection tracking,
// NAT, firewall, routes, and the answer of who is asked. The order of the steps is that of the Linux kernel:
// dstnat before routing, filter, srcnat behind it.
import { familyOfIp, formatEndpoint, type Ip, subnetHas } from "../../base/ip.ts";
import { BROADCAST_MAC, isGroupMac, type Mac } from "../../base/mac.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedCluster, ResolvedNatRule, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, decodeDhcp } from "../../protocol/dhcp/message.ts";
import { decodeArp, encodeArp } from "../../wire/arp.ts";
import { decodeEthernet, ETHER_TYPES, encodeEthernet } from "../../wire/ethernet.ts";
import { isPrivate } from "../topology/external-station.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";
import { answerTo, isAnswer } from "./answers.ts";
import { clusterVerdict } from "./cluster-member.ts";
import {
  type Connection,
  ConnectionTable,
  keyOf,
  reversed,
  type Tuple,
  translate,
  tupleOf,
} from "./connection-tracking.ts";
import type { Device } from "./device.ts";
import { answerDhcp } from "./dhcp-responder.ts";
import { firewallVerdict } from "./firewall-verdict.ts";
import { dhcpOpening, serviceAt } from "./local-services.ts";
import { Neighbours } from "./neighbours.ts";
import { OwnAddresses } from "./own-addresses.ts";
import {
  BROADCAST_IP,
  decodePacket,
  describePacket,
  encodePacket,
  newPacket,
  type Packet,
  portsOf,
  withPorts,
} from "./packet.ts";
import { HopNote, type NodeName } from "./recorder.ts";
import { fenceRouteFor, type RouteChoice, routeFor, sourceAddress } from "./routing.ts";
import { type Compared, natRuleFor, translatedPort } from "./rule-match.ts";
import type { World } from "./world.ts";

/** A packet on its way through a router, with what is known of its connection. */
interface Passage {
  readonly packet: Packet;
  readonly connection: Connection;
  readonly isNew: boolean;
  readonly isReply: boolean;
}

const PORT_MAX = 65535;
const EPHEMERAL_FIRST = 1024;

export class IpStack implements Device {
  readonly spec: StackSpec;
  readonly name: NodeName;
  readonly #world: World;
  readonly #send: (port: string, frame: Uint8Array, hop: HopNote) => void;
  readonly #neighbours: Neighbours;
  readonly #own: OwnAddresses;
  readonly #connections = new ConnectionTable();

  constructor(spec: StackSpec, world: World, send: (port: string, frame: Uint8Array, hop: HopNote) => void) {
    this.spec = spec;
    this.name = { kind: spec.kind, name: spec.name };
    this.#world = world;
    this.#send = send;
    this.#neighbours = new Neighbours(world, this.name);
    this.#own = new OwnAddresses(spec, world, (one) => this.macOn(one));
  }

  receive(frame: Uint8Array, port: string, hop: HopNote): void {
    const one = this.spec.interfaces.find(({ name }) => name === port);
    const decoded = decodeEthernet(frame);
    if (one === undefined || !decoded.ok) return;
    const { destination, source, etherType, payloadOffset, tags } = decoded.value;
    if (tags.length > 0) {
      hop.step("drop", `${this.spec.name} takes no frames with a tag`, { level: "full" });
      return;
    }
    if (!this.#isForMe(destination, one)) {
      hop.step("drop", `the frame is for ${destination}, not for ${this.spec.name}`, { level: "full" });
      return;
    }
    if (etherType === ETHER_TYPES.arp) {
      this.#receiveArp(frame.subarray(payloadOffset), one, hop);
      return;
    }
    const family = etherType === ETHER_TYPES.ipv4 ? 4 : etherType === ETHER_TYPES.ipv6 ? 6 : null;
    const packet = family === null ? null : decodePacket(frame, payloadOffset, family);
    if (packet?.ok !== true) return;
    if (packet.value.body.kind === "neighbour") {
      this.#receiveNeighbour(packet.value, source, one, hop);
      return;
    }
    if (packet.value.destination === BROADCAST_IP) {
      this.#receiveBroadcast(packet.value, one, hop);
      return;
    }
    hop.step("receive", `receives ${describePacket(packet.value)} on ${one.name}`, { level: "full" });
    this.#receivePacket(packet.value, one, hop);
  }

  /** Sends a packet of its own. Its answers come back to it. */
  send(packet: Packet, hop: HopNote): void {
    const found = this.#connections.find(packet);
    const passage: Passage =
      found === null
        ? {
            packet,
            connection: this.#connections.begin(packet, { isOwn: true }),
            isNew: true,
            isReply: false,
          }
        : { packet: translate(packet, found.connection, found.isReply), ...found, isNew: false };
    if (this.#own.isLocal(passage.packet.destination) || isLoopback(passage.packet.destination)) {
      // What a router sent back to who asked, who now answers himself past the router.
      const isOwnAnswer = hop.recording.isAnswer && !isLoopback(passage.packet.destination);
      if (isOwnAnswer) this.#endUnasked(packet, hop, null);
      else hop.end("delivered", `${packet.destination} is an address of ${this.spec.name} itself`);
      return;
    }
    if (this.spec.cluster?.address === passage.packet.destination) {
      this.#askOwnCluster(this.spec.cluster, passage.packet, hop);
      return;
    }
    const route = this.#route(passage.packet, null);
    if (route === null) {
      hop.end("no-route", `${this.spec.name} has no route to ${packet.destination}`, this.spec.span);
      return;
    }
    hop.step("route", route.text, {
      span: route.span,
      facts: { out: route.out.name, nextHop: route.nextHop },
    });
    this.#leave(passage, route, null, hop);
  }

  /**
   * The shared address is one of a member's own: it never asks the others, even for what it does not take.
   */
  #askOwnCluster(cluster: ResolvedCluster, packet: Packet, hop: HopNote): void {
    const { name } = this.spec;
    const { isMine, text, span } = clusterVerdict(cluster, name, packet);
    const where = `${packet.destination} is an address of ${name} itself`;
    if (isMine) hop.end("delivered", `${where}, and ${name} takes it: ${text}`, span);
    else hop.end("dropped-by-cluster", `${where}, which leaves it: ${text}`, span);
  }

  /** The address that it sends from to a destination; null: it has none. */
  sourceFor(destination: Ip): Ip | null {
    const family = familyOfIp(destination);
    const route = this.#route(
      newPacket(destination, destination, { kind: "other", protocol: 0, data: new Uint8Array(0) }),
      null,
    );
    const direct = route === null ? null : sourceAddress(route.out, family);
    if (direct !== null) return direct;
    return (
      this.spec.interfaces.flatMap(({ addresses }) => addresses).find(({ ip }) => familyOfIp(ip) === family)
        ?.ip ?? null
    );
  }

  /** The MAC by which others know it: that of its cluster for a member in unicast mode. */
  macOn(one: StackInterface): Mac {
    const { cluster } = this.spec;
    return cluster !== null && cluster.mode === "unicast" && cluster.network === one.network
      ? cluster.mac
      : one.mac;
  }

  /** What its frames bear as source: a member in unicast mode hides the shared MAC. */
  #sourceMacOn(one: StackInterface): Mac {
    const { cluster, name } = this.spec;
    if (cluster === null || cluster.mode !== "unicast" || cluster.network !== one.network) return one.mac;
    return cluster.members.find(({ machine }) => machine === name)?.maskMac ?? cluster.mac;
  }

  #isForMe(destination: Mac, one: StackInterface): boolean {
    if (destination === this.macOn(one)) return true;
    if (!isGroupMac(destination)) return false;
    const { cluster } = this.spec;
    // Other clusters' groups are other groups.
    const isClusterGroup = this.#world.topology.resolved.clusters.some(({ mac }) => mac === destination);
    return !isClusterGroup || (cluster !== null && cluster.mac === destination);
  }

  // ---- Neighbours ----

  #receiveArp(bytes: Uint8Array, one: StackInterface, hop: HopNote): void {
    const decoded = decodeArp(bytes);
    if (!decoded.ok) return;
    const { operation, senderIp, senderMac, targetIp } = decoded.value;
    if (operation === "reverse-request" || operation === "reverse-reply") return;
    if (operation === "reply") {
      hop.end("delivered", `${this.spec.name} learns that ${senderIp} is ${senderMac}`);
      this.#neighbours.learn(one.name, senderIp, senderMac);
      return;
    }
    const answer = this.#own.answerFor(targetIp, one);
    if (answer === null) return;
    this.#neighbours.learn(one.name, senderIp, senderMac);
    hop.step("neighbour", answer.text, {
      level: "brief",
      span: answer.span,
      facts: { ip: targetIp, mac: answer.mac },
    });
    const reply = {
      operation: "reply",
      senderMac: answer.mac,
      senderIp: targetIp,
      targetMac: senderMac,
      targetIp: senderIp,
    } as const;
    const header = {
      destination: senderMac,
      source: this.#sourceMacOn(one),
      tags: [],
      etherType: ETHER_TYPES.arp,
    };
    this.#send(one.name, encodeEthernet(header, encodeArp(reply)), hop);
  }

  #receiveNeighbour(packet: Packet, source: Mac, one: StackInterface, hop: HopNote): void {
    if (packet.body.kind !== "neighbour") return;
    const { message } = packet.body;
    if (message.type === "neighbour-advertisement") {
      hop.end(
        "delivered",
        `${this.spec.name} learns that ${message.target} is ${message.linkAddress ?? source}`,
      );
      this.#neighbours.learn(one.name, message.target, message.linkAddress ?? source);
      return;
    }
    const answer = this.#own.answerFor(message.target, one);
    if (answer === null) return;
    this.#neighbours.learn(one.name, packet.source, message.linkAddress ?? source);
    hop.step("neighbour", answer.text, {
      level: "brief",
      span: answer.span,
      facts: { ip: message.target, mac: answer.mac },
    });
    const body = {
      kind: "neighbour",
      message: { type: "neighbour-advertisement", target: message.target, linkAddress: answer.mac },
    } as const;
    const reply = { ...newPacket(message.target, packet.source, body), ttl: 255 };
    const header = {
      destination: message.linkAddress ?? source,
      source: this.#sourceMacOn(one),
      tags: [],
      etherType: ETHER_TYPES.ipv6,
    };
    this.#send(one.name, encodeEthernet(header, encodePacket(reply)), hop);
  }

  // ---- DHCP ----

  #receiveBroadcast({ body }: Packet, one: StackInterface, hop: HopNote): void {
    if (body.kind !== "udp") return;
    if (body.destinationPort === DHCP_CLIENT_PORT) {
      const message = decodeDhcp(body.data);
      if (message === null || message.clientMac !== one.mac) return;
      hop.step("dhcp", `${this.spec.name} gets the answer: ${message.yourIp}`, { level: "full" });
      this.#world.dhcpAnswers.push(message);
      return;
    }
    if (body.destinationPort !== DHCP_SERVER_PORT || this.spec.kind !== "edge") return;
    const answer = answerDhcp(this.#world.topology.resolved, this.spec.name, one, body.data);
    if (answer === null) return;
    hop.step("dhcp", answer.text, { level: "brief", span: answer.span });
    const reply = {
      kind: "udp",
      sourcePort: DHCP_SERVER_PORT,
      destinationPort: DHCP_CLIENT_PORT,
      data: answer.bytes,
    } as const;
    const header = { destination: BROADCAST_MAC, source: one.mac, tags: [], etherType: ETHER_TYPES.ipv4 };
    this.#send(
      one.name,
      encodeEthernet(header, encodePacket(newPacket(answer.source, BROADCAST_IP, reply))),
      hop,
    );
  }

  // ---- Packets ----

  #receivePacket(packet: Packet, one: StackInterface, hop: HopNote): void {
    const passage = this.#track(packet, one, hop);
    if (packet.family === 4 && this.#own.has(packet.source)) {
      // Linux: a martian source, dropped by the routing decision behind dstnat. IPv6 does not look.
      const text = `${this.spec.name} drops it: it came by ${one.name} with ${packet.source}, which is ${this.spec.name}'s own address`;
      hop.end("not-for-us", text, one.span);
      return;
    }
    const { standsFor } = this.spec;
    if (standsFor !== null && isPrivate(packet.source) && !hasSubnetOf(standsFor, packet.source)) {
      const text = `${packet.source} came untranslated: it is private, ${this.spec.name} has no route to it, and so nobody there can answer`;
      hop.end("source-unreachable", text, one.span);
      return;
    }
    if (
      this.#own.isLocal(passage.packet.destination) ||
      this.#isClusterAddress(passage.packet.destination, one)
    ) {
      this.#deliver(passage, one, hop);
      return;
    }
    if (!this.spec.isForwarding) {
      hop.end(
        "not-for-us",
        `${this.spec.name} gets the frame, but ${packet.destination} is not its address, and it does not route`,
        one.span,
      );
      return;
    }
    this.#forward(passage, one, hop);
  }

  /** Connection tracking and, for the first packet, dstnat. */
  #track(packet: Packet, one: StackInterface, hop: HopNote): Passage {
    const found = this.#connections.find(packet);
    if (found !== null) {
      const translated = translate(packet, found.connection, found.isReply);
      const words = found.isReply
        ? "an answer of a connection that it knows"
        : "of a connection that it knows";
      if (this.spec.edge !== null) hop.step("conntrack", words, { level: "full" });
      if (found.isReply) this.#sayDestination(packet, translated, "translates back", null, hop);
      return { packet: translated, connection: found.connection, isNew: false, isReply: found.isReply };
    }
    const connection = this.#connections.begin(packet, { isOwn: false });
    const { edge } = this.spec;
    if (edge === null || isAnswer(packet)) return { packet, connection, isNew: true, isReply: false };
    hop.step("conntrack", "the first packet of a connection", { level: "full" });
    const rule = natRuleFor(edge.nat, "prerouting", this.#compared(packet, one.network, null));
    if (rule === null) return { packet, connection, isNew: true, isReply: false };
    const { source, destination } = portsOf(packet);
    const action = rule.action as Extract<ResolvedNatRule["action"], { kind: "dnat" }>;
    const translated = withPorts(
      { ...packet, destination: action.to },
      source,
      translatedPort(rule, destination),
    );
    connection.reply = reversed(tupleOf(translated));
    this.#sayDestination(packet, translated, "destination NAT", rule, hop);
    return { packet: translated, connection, isNew: true, isReply: false };
  }

  #forward(passage: Passage, one: StackInterface, hop: HopNote): void {
    const { packet } = passage;
    const route = this.#route(packet, one.name);
    if (route === null) {
      hop.end("no-route", `${this.spec.name} has no route to ${packet.destination}`, this.spec.span);
      return;
    }
    hop.step("route", route.text, {
      span: route.span,
      facts: { out: route.out.name, nextHop: route.nextHop },
    });
    if (packet.ttl <= 1) {
      hop.end("ttl-expired", `the TTL ends at ${this.spec.name}: is there a loop?`, this.spec.span);
      return;
    }
    if (!this.#passes(passage, one, route.out, hop)) return;
    const aged = { ...passage, packet: { ...packet, ttl: packet.ttl - 1 } };
    hop.step("ttl", `TTL ${packet.ttl} becomes ${packet.ttl - 1}`, { level: "full" });
    this.#leave(aged, route, one, hop);
  }

  /** The firewall's verdict. `out` null: the packet is for the router itself. */
  #passes(passage: Passage, one: StackInterface, out: StackInterface | null, hop: HopNote): boolean {
    const { edge } = this.spec;
    if (edge === null) return true;
    if (!passage.isNew) {
      hop.step("firewall", "passes: it belongs to a connection that was allowed", { level: "full" });
      return true;
    }
    if (this.#isUntranslatedInto(passage, one)) {
      const text = `the fence keeps out what names ${passage.packet.destination}: an inside address is nobody's outside`;
      hop.end("dropped-by-firewall", text, this.spec.span);
      return false;
    }
    const opening = out === null ? dhcpOpening(this.spec, passage.packet, one.network, this.#world) : null;
    if (opening !== null) {
      const text = `${this.spec.name} lets it in: it gives addresses and names to ${one.network}`;
      hop.step("firewall", text, { level: "brief", span: opening.span });
      return true;
    }
    const compared = this.#compared(passage.packet, one.network, out?.network ?? null);
    const verdict = firewallVerdict(edge, compared, passage.packet, passage.connection.original);
    if (verdict.isAllowed) hop.step("firewall", verdict.text, { level: "brief", span: verdict.span });
    else hop.end("dropped-by-firewall", verdict.text, verdict.span);
    return verdict.isAllowed;
  }

  /** From outside a fence, for an address inside, with which a route has led here. */
  #isUntranslatedInto({ packet, connection }: Passage, one: StackInterface): boolean {
    const fence = this.spec.edge?.fence ?? null;
    if (fence === null || one.name !== "out") return false;
    const { destination } = connection.original;
    return destination === packet.destination && fence.pairs.some(({ inside }) => inside === destination);
  }

  /** srcnat, then out. `one`: where it came in; null: it is the router's own. */
  #leave(passage: Passage, route: RouteChoice, one: StackInterface | null, hop: HopNote): void {
    let { packet } = passage;
    const { connection } = passage;
    if (passage.isNew) {
      packet = this.#translateSource(packet, connection, one, route.out, hop);
      this.#connections.confirm(connection);
    }
    this.#transmit(packet, route, hop);
  }

  #translateSource(
    packet: Packet,
    connection: Connection,
    one: StackInterface | null,
    out: StackInterface,
    hop: HopNote,
  ): Packet {
    const { edge } = this.spec;
    const rule =
      edge === null
        ? null
        : natRuleFor(edge.nat, "postrouting", this.#compared(packet, one?.network ?? null, out.network));
    const own =
      rule === null
        ? null
        : rule.action.kind === "masquerade"
          ? sourceAddress(out, packet.family)
          : rule.action.to;
    const isTranslating = edge !== null && edge.nat.length > 0;
    const translated = this.#withFreeSource({ ...packet, source: own ?? packet.source }, isTranslating);
    connection.reply = reversed(tupleOf(translated));
    if (keyOf(tupleOf(translated)) === keyOf(tupleOf(packet))) return packet;
    const before = endWords(tupleOf(packet), "source");
    const after = endWords(tupleOf(translated), "source");
    hop.step("nat", `source NAT: ${before} becomes ${after}${rule === null ? "" : originWords(rule)}`, {
      level: "brief",
      span: rule?.origin.span ?? null,
      facts: { before, after, kind: "snat" },
    });
    return translated;
  }

  /**
   * Two inside clients may use one port, or one number for their echoes: the second gets another. Linux does
   * so wherever it translates at all, also for what no rule translates.
   */
  #withFreeSource(packet: Packet, isTranslating: boolean): Packet {
    const ports = portsOf(packet);
    let free = packet;
    let port = ports.source;
    while (isTranslating && !this.#connections.isReplyFree(reversed(tupleOf(free)))) {
      port = port >= PORT_MAX ? EPHEMERAL_FIRST : port + 1;
      free = withPorts(packet, port, ports.destination);
      // What has neither ports nor a number goes as it is.
      if (free === packet) break;
    }
    return free;
  }

  #transmit(packet: Packet, { out, nextHop }: RouteChoice, hop: HopNote): void {
    const bytes = encodePacket(packet);
    if (bytes.length > out.mtu) {
      const told = packet.dontFragment ? ", and it may not be divided: the sender is told so by ICMP" : "";
      hop.end(
        "mtu-exceeded",
        `${bytes.length} bytes do not fit the MTU ${out.mtu} of ${out.name}${told}`,
        out.span,
      );
      return;
    }
    const etherType = packet.family === 4 ? ETHER_TYPES.ipv4 : ETHER_TYPES.ipv6;
    const source = this.#sourceMacOn(out);
    const asker = sourceAddress(out, packet.family) ?? packet.source;
    const one = { ...out, mac: this.macOn(out), frameMac: source };
    const send = (frame: Uint8Array, note: HopNote) => this.#send(out.name, frame, note);
    this.#neighbours.resolve(one, nextHop, asker, hop, send, (destination) => {
      this.#send(out.name, encodeEthernet({ destination, source, tags: [], etherType }, bytes), hop);
    });
  }

  #deliver(passage: Passage, one: StackInterface, hop: HopNote): void {
    const { packet } = passage;
    const { cluster, name } = this.spec;
    if (cluster !== null && packet.destination === cluster.address) {
      const verdict = clusterVerdict(cluster, name, packet);
      if (!verdict.isMine) {
        hop.step("cluster", `not ${name}'s: ${verdict.text}`, { span: verdict.span });
        hop.end("dropped-by-cluster", `${name} leaves it: ${verdict.text}`, verdict.span);
        return;
      }
      hop.step("cluster", `${name} takes it: ${verdict.text}`, { level: "brief", span: verdict.span });
    }
    if (!this.#passes(passage, one, null, hop)) return;
    if (passage.isNew) this.#connections.confirm(passage.connection);
    if (!passage.isNew && passage.isReply && passage.connection.isOwn) {
      hop.end("delivered", `the answer reaches ${name}`);
      return;
    }
    if (hop.recording.isAnswer) {
      this.#endUnasked(packet, hop, one.span);
      return;
    }
    const service = serviceAt(this.spec, packet, one.network, this.#world);
    hop.end(service.disposition, service.text, service.span);
    const answer = answerTo(packet, service.disposition === "refused");
    if (answer !== null) this.#answer(answer, hop);
  }

  /** As when a neighbour answers past the NAT that brought it the question: the sender looks wrong. */
  #endUnasked(packet: Packet, hop: HopNote, span: Span | null): void {
    const from = endWords(tupleOf(packet), "source");
    const text = `${this.spec.name} gets an answer from ${from}, whom it has asked nothing`;
    hop.end("source-unreachable", text, span);
  }

  /** The answer is a conversation of its own: the way back. */
  #answer(answer: Packet, hop: HopNote): void {
    const recording = hop.recording.answer();
    // The way back is asked for once: of several members of a cluster that answer, the first counts.
    if (recording === null || recording.hops.length > 0) return;
    const note = new HopNote(recording, this.name, null, null, this.#world.nowMs);
    note.step("send", `${this.spec.name} answers ${describePacket(answer)}`, { level: "brief" });
    this.send(answer, note);
  }

  #route(packet: Packet, ingress: string | null): RouteChoice | null {
    if (this.spec.kind === "fence") return fenceRouteFor(this.spec, packet.destination, ingress);
    return routeFor(this.spec, packet.destination);
  }

  #isClusterAddress(ip: Ip, one: StackInterface): boolean {
    const { cluster } = this.spec;
    return cluster !== null && cluster.address === ip && cluster.network === one.network;
  }

  #compared(packet: Packet, inNetwork: string | null, outNetwork: string | null): Compared {
    const { protocol } = tupleOf(packet);
    const destinationPort = packet.body.kind === "icmp" ? 0 : portsOf(packet).destination;
    const { source, destination } = packet;
    return { in: inNetwork, out: outNetwork, protocol, source, destination, destinationPort };
  }

  #sayDestination(
    before: Packet,
    after: Packet,
    what: string,
    rule: ResolvedNatRule | null,
    hop: HopNote,
  ): void {
    const side =
      before.destination === after.destination && before.source !== after.source ? "source" : "destination";
    const [from, to] = [endWords(tupleOf(before), side), endWords(tupleOf(after), side)];
    if (from === to) return;
    hop.step("nat", `${what}: ${from} becomes ${to}${rule === null ? "" : originWords(rule)}`, {
      level: "brief",
      span: rule?.origin.span ?? null,
      facts: { before: from, after: to, kind: "dnat" },
    });
  }
}

function hasSubnetOf({ subnets }: ResolvedNetwork, ip: Ip): boolean {
  return subnets.some((subnet) => subnetHas(subnet, ip));
}

function isLoopback(ip: Ip): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

function endWords(tuple: Tuple, side: "source" | "destination"): string {
  const [ip, port] =
    side === "source" ? [tuple.source, tuple.sourcePort] : [tuple.destination, tuple.destinationPort];
  return tuple.protocol === "tcp" || tuple.protocol === "udp" ? formatEndpoint(ip, port) : ip;
}

function originWords({ origin }: ResolvedNatRule): string {
  return origin.kind === "file" ? "" : ` (${origin.text})`;
}
