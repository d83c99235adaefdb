// The answer that a packet gets from whom it was for.
import { type Packet, withPorts } from "./packet.ts";

/** Null: it is no question. `isRefused`: nobody serves that port. */
export function answerTo(packet: Packet, isRefused: boolean): Packet | null {
  // Echoes and refusals bear the mark of the question; what a program sends does not (Linux:
  // tcp_reflect_tos).
  const isReflected = packet.body.kind === "icmp" || (packet.body.kind === "tcp" && isRefused);
  const dscp = isReflected ? packet.dscp : 0;
  const back: Packet = { ...packet, source: packet.destination, destination: packet.source, ttl: 64, dscp };
  const { body } = packet;
  switch (body.kind) {
    case "tcp": {
      if (!body.flags.includes("syn") || body.flags.includes("ack")) return null;
      const turned = withPorts(back, body.destinationPort, body.sourcePort);
      const flags = isRefused ? (["rst", "ack"] as const) : (["syn", "ack"] as const);
      const answer = {
        flags,
        sequence: 0,
        acknowledgement: (body.sequence + 1) >>> 0,
        data: new Uint8Array(0),
      };
      return {
        ...turned,
        body: { ...body, ...answer, sourcePort: body.destinationPort, destinationPort: body.sourcePort },
      };
    }
    case "udp":
      return isRefused ? null : withPorts(back, body.destinationPort, body.sourcePort);
    case "icmp":
      return body.type === "echo-request" ? { ...back, body: { ...body, type: "echo-reply" } } : null;
    default:
      return null;
  }
}

/** Whether it can only be an answer: Linux calls it invalid where the question was not seen. */
export function isAnswer({ body }: Packet): boolean {
  if (body.kind === "tcp") return body.flags.includes("ack");
  return body.kind === "icmp" && body.type !== "echo-request";
}
