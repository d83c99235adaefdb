// A WebSocket server that sends back what it gets (RFC 6455), just large enough for the demo: text of up to
// 64 KiB in one frame, close and ping. Everything else ends the connection.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;
const PAYLOAD_BYTES_MAX = 0xffff;

/** Takes the connection over; false when the request is no WebSocket handshake. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  prefix: string,
): boolean {
  const key = request.headers["sec-websocket-key"];
  if (request.headers.upgrade?.toLowerCase() !== "websocket" || key === undefined) return false;
  const accept = createHash("sha1").update(`${key}${ACCEPT_GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let received: Buffer = Buffer.alloc(0);
  const receive = (bytes: Buffer) => {
    received = echo(Buffer.concat([received, bytes]), socket, prefix);
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", receive);
  receive(head);
  return true;
}

/** Answers all whole frames; returns what is left. */
function echo(bytes: Buffer, socket: Socket, prefix: string): Buffer {
  for (;;) {
    const frame = readFrame(bytes);
    if (frame === "more") return bytes;
    if (frame === "bad") {
      socket.destroy();
      return Buffer.alloc(0);
    }
    bytes = bytes.subarray(frame.byteLength);
    if (frame.opcode === OPCODE_TEXT)
      socket.write(writeFrame(OPCODE_TEXT, Buffer.concat([Buffer.from(prefix), frame.payload])));
    else if (frame.opcode === OPCODE_PING) socket.write(writeFrame(OPCODE_PONG, frame.payload));
    else if (frame.opcode === OPCODE_CLOSE) socket.end(writeFrame(OPCODE_CLOSE, frame.payload));
    else if (frame.opcode !== OPCODE_PONG) socket.destroy();
  }
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly byteLength: number;
}

/** Section 5.2; clients always mask. */
function readFrame(bytes: Buffer): Frame | "more" | "bad" {
  if (bytes.length < 2) return "more";
  const isWholeMessage = (bytes[0]! & 0xf0) === 0x80;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const shortLength = bytes[1]! & 0x7f;
  if (!isWholeMessage || !isMasked || shortLength === 127) return "bad";
  const headLength = shortLength === 126 ? 8 : 6;
  if (bytes.length < headLength) return "more";
  const length = shortLength === 126 ? bytes.readUInt16BE(2) : shortLength;
  if (bytes.length < headLength + length) return "more";
  const mask = bytes.subarray(headLength - 4, headLength);
  const payload = Buffer.from(bytes.subarray(headLength, headLength + length));
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i & 3]!;
  return { opcode: bytes[0]! & 0x0f, payload, byteLength: headLength + length };
}

function writeFrame(opcode: number, payload: Buffer): Buffer {
  const cut = payload.subarray(0, PAYLOAD_BYTES_MAX);
  const head = cut.length < 126 ? Buffer.of(0x80 | opcode, cut.length) : Buffer.of(0x80 | opcode, 126, 0, 0);
  if (cut.length >= 126) head.writeUInt16BE(cut.length, 2);
  return Buffer.concat([head, cut]);
}
