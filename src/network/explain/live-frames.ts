// Which captured frames belong to a question: its first packet and the first answer, by a source port or echo
// identifier that no other question has. Everything else that happens on a cable is left out: ARP, the rest
// of a connection, errors told by ICMP.
import { decodeEthernet, ETHER_TYPES } from "../../wire/ethernet.ts";
import { decodePacket, describePacket, type Packet } from "../device/packet.ts";
import type { LiveCapture } from "./compare-trace.ts";

/** Null for what is no IP packet. */
export function packetIn(frame: Uint8Array): Packet | null {
  const ethernet = decodeEthernet(frame);
  if (!ethernet.ok) return null;
  const { etherType, payloadOffset } = ethernet.value;
  const family = etherType === ETHER_TYPES.ipv4 ? 4 : etherType === ETHER_TYPES.ipv6 ? 6 : null;
  const packet = family === null ? null : decodePacket(frame, payloadOffset, family);
  return packet?.ok === true ? packet.value : null;
}

/**
 * The source port or identifier of the question that a frame belongs to, which must be above the ports that
 * are asked; null: the frame is neither a first packet nor a first answer.
 */
export function questionKeyOf(frame: Uint8Array): number | null {
  const body = packetIn(frame)?.body;
  switch (body?.kind) {
    case "icmp":
      return body.type.startsWith("echo-") ? body.identifier : null;
    case "udp":
      return Math.max(body.sourcePort, body.destinationPort);
    case "tcp": {
      // A reset without ACK is no answer: it says that an answer was not expected.
      const isRefusal = body.flags.includes("rst") && body.flags.includes("ack");
      if (!body.flags.includes("syn") && !isRefusal) return null;
      return Math.max(body.sourcePort, body.destinationPort);
    }
    default:
      return null;
  }
}

/** Whether it is of the way back. */
export function isAnswerTo(key: number, frame: Uint8Array): boolean {
  const body = packetIn(frame)?.body;
  if (body?.kind === "icmp") return body.type === "echo-reply";
  return (body?.kind === "tcp" || body?.kind === "udp") && body.destinationPort === key;
}

/** TCP tries again: the same packet at the same place counts once. */
export function withoutRepeats(captures: readonly LiveCapture[]): LiveCapture[] {
  const seen = new Set<string>();
  return captures.filter(({ node, port, direction, frame }) => {
    const packet = packetIn(frame);
    if (packet === null) return false;
    const words = `${node} ${port} ${direction} ${describePacket(packet)} ${packet.ttl}`;
    return !seen.has(words) && seen.add(words);
  });
}
