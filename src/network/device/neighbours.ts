// Who has an address: ARP (RFC 826) for IPv4, neighbour discovery (RFC 4861) for IPv6. Questions are
// conversations of their own; what waits for the answer goes on when it comes, or ends a second later.
import type { Ip } from "../../base/ip.ts";
import { BROADCAST_MAC, type Mac } from "../../base/mac.ts";
import { encodeArp } from "../../wire/arp.ts";
import { ETHER_TYPES, encodeEthernet } from "../../wire/ethernet.ts";
import { solicitedNodeGroup } from "../../wire/icmpv6.ts";
import type { StackInterface } from "../topology/topology.ts";
import { encodePacket, newPacket } from "./packet.ts";
import { HopNote, type NodeName, type Recording } from "./recorder.ts";
import type { World } from "./world.ts";

/** Linux asks three times, a second apart; to know that nobody answers, once is enough. */
const PATIENCE_MS = 1000;
const NOBODY_MAC = "00:00:00:00:00:00" as Mac;

interface Waiting {
  readonly hop: HopNote;
  readonly go: (mac: Mac) => void;
}

/** Who asks tells the MAC that others shall send to; a member of a cluster hides it from the switches. */
export interface AskingInterface extends StackInterface {
  readonly frameMac: Mac;
}

export class Neighbours {
  readonly #world: World;
  readonly #name: NodeName;
  readonly #macs = new Map<string, Mac>();
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(world: World, name: NodeName) {
    this.#world = world;
    this.#name = name;
  }

  /** Of whom something was heard on an interface. */
  learn(port: string, ip: Ip, mac: Mac): void {
    const key = `${port} ${ip}`;
    this.#macs.set(key, mac);
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const { hop, go } of waiting) {
      hop.step("neighbour", `asks who has ${ip}: the answer is ${mac}`, { facts: { ip, mac } });
      go(mac);
    }
  }

  /** Calls `go` with the MAC of `ip`, at once or when the answer comes. Without answer the hop ends. */
  resolve(
    one: AskingInterface,
    ip: Ip,
    source: Ip,
    hop: HopNote,
    send: (frame: Uint8Array, hop: HopNote) => void,
    go: (mac: Mac) => void,
  ): void {
    const key = `${one.name} ${ip}`;
    const known = this.#macs.get(key);
    if (known !== undefined) {
      hop.step("neighbour", `${ip} is ${known}, as it knows already`, {
        level: "full",
        facts: { ip, mac: known },
      });
      go(known);
      return;
    }
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.push({ hop, go });
      return;
    }
    this.#waiting.set(key, [{ hop, go }]);
    const recording = this.#world.converse();
    const question = new HopNote(recording, this.#name, null, null, this.#world.nowMs);
    question.step("neighbour", `${this.#name.name} asks on ${one.network ?? one.name}: who has ${ip}?`, {
      level: "brief",
      facts: { ip },
    });
    send(ip.includes(":") ? solicitation(one, source, ip) : request(one, source, ip), question);
    this.#world.after(PATIENCE_MS, () => this.#giveUp(key, ip, one, recording));
  }

  #giveUp(key: string, ip: Ip, one: StackInterface, recording: Recording): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    if (waiting.length === 0) return;
    const { disposition, summary, span } = recording.finish({
      disposition: "arp-unanswered",
      summary: "nobody answers",
    });
    const why = disposition === "arp-unanswered" ? "" : `: ${summary}`;
    for (const { hop } of waiting)
      hop.end("arp-unanswered", `nobody on ${one.network ?? one.name} answers for ${ip}${why}`, span);
  }
}

function request({ mac, frameMac }: AskingInterface, senderIp: Ip, targetIp: Ip): Uint8Array {
  const header = { destination: BROADCAST_MAC, source: frameMac, tags: [], etherType: ETHER_TYPES.arp };
  const packet = { operation: "request", senderMac: mac, senderIp, targetMac: NOBODY_MAC, targetIp } as const;
  return encodeEthernet(header, encodeArp(packet));
}

function solicitation({ mac, frameMac }: AskingInterface, senderIp: Ip, target: Ip): Uint8Array {
  const group = solicitedNodeGroup(target);
  const message = { type: "neighbour-solicitation", target, linkAddress: mac } as const;
  const packet = { ...newPacket(senderIp, group.ip, { kind: "neighbour", message }), ttl: 255 };
  const header = { destination: group.mac, source: frameMac, tags: [], etherType: ETHER_TYPES.ipv6 };
  return encodeEthernet(header, encodePacket(packet));
}
