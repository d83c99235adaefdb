// Connections that a router has seen, with what it translates them to (Linux conntrack): the first packet
// decides, all others follow, and answers are translated back.
import type { Ip } from "../../base/ip.ts";
import { type Packet, portsOf, withPorts } from "./packet.ts";

/** One direction of a connection. Ports are 0 for what has none. */
export interface Tuple {
  readonly protocol: string;
  readonly source: Ip;
  readonly sourcePort: number;
  readonly destination: Ip;
  readonly destinationPort: number;
}

export interface Connection {
  readonly original: Tuple;
  /** What answers look like when they come in. Set once the first packet is through. */
  reply: Tuple;
  isConfirmed: boolean;
  /** Its first packet was sent by who tracks it, and did not only pass. */
  readonly isOwn: boolean;
}

export class ConnectionTable {
  readonly #byTuple = new Map<string, { readonly connection: Connection; readonly isReply: boolean }>();

  find(packet: Packet): { readonly connection: Connection; readonly isReply: boolean } | null {
    return this.#byTuple.get(keyOf(tupleOf(packet))) ?? null;
  }

  /** Of a packet that nobody has seen yet. It counts when it is confirmed: behind all rules. */
  begin(packet: Packet, { isOwn }: { readonly isOwn: boolean }): Connection {
    const original = tupleOf(packet);
    return { original, reply: reversed(original), isConfirmed: false, isOwn };
  }

  isReplyFree(tuple: Tuple): boolean {
    return !this.#byTuple.has(keyOf(tuple));
  }

  confirm(connection: Connection): void {
    connection.isConfirmed = true;
    this.#byTuple.set(keyOf(connection.original), { connection, isReply: false });
    this.#byTuple.set(keyOf(connection.reply), { connection, isReply: true });
  }
}

export function tupleOf(packet: Packet): Tuple {
  const { source, destination } = portsOf(packet);
  const { body } = packet;
  return {
    protocol: body.kind === "other" ? `ip ${body.protocol}` : body.kind,
    source: packet.source,
    sourcePort: source,
    destination: packet.destination,
    destinationPort: destination,
  };
}

/** The packet as it has to leave: that of the other direction, turned round. */
export function translate(packet: Packet, { original, reply }: Connection, isReply: boolean): Packet {
  const other = reversed(isReply ? original : reply);
  return withPorts(
    { ...packet, source: other.source, destination: other.destination },
    other.sourcePort,
    other.destinationPort,
  );
}

export function reversed(tuple: Tuple): Tuple {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple;
  return {
    protocol,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
}

/** The same for the same packets of one direction. */
export function keyOf({ protocol, source, sourcePort, destination, destinationPort }: Tuple): string {
  return `${protocol} ${source} ${sourcePort} ${destination} ${destinationPort}`;
}
