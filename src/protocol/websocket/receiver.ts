// What a WebSocket server makes of the bytes of its client (RFC 6455, section 5): messages put together from
// fragments, pings, the close. Bytes come in as they come; memory is bounded by the longest message. The
// first fault is the last event, with the code to close with (section 7.4.1).
import { isUtf8 } from "node:buffer";
import {
  applyMask,
  CONTROL_BYTES_MAX,
  decodeFrameHead,
  FRAME_HEAD_BYTES_MAX,
  type FrameHead,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from "./frame.ts";

export type WebSocketEvent =
  | { readonly kind: "message"; readonly isText: boolean; readonly bytes: Buffer }
  | { readonly kind: "ping"; readonly bytes: Buffer }
  | { readonly kind: "pong"; readonly bytes: Buffer }
  /** 1005 when the client gave no code. Nothing comes after it. */
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  /** The client broke the protocol or a limit: send a close with this code. Nothing comes after it. */
  | { readonly kind: "fault"; readonly code: 1002 | 1007 | 1009; readonly message: string };

type Fault = Extract<WebSocketEvent, { kind: "fault" }>;

export interface WebSocketReceiverOptions {
  /** Of one message, all its fragments together. */
  readonly messageBytesMax: number;
  /** A server's clients mask, a client's server does not (section 5.1). */
  readonly peer?: "client" | "server";
}

const FIRST_BYTES = 4096;

export class WebSocketReceiver {
  readonly #messageBytesMax: number;
  readonly #peerMasks: boolean;
  readonly #events: WebSocketEvent[] = [];
  readonly #headBytes = Buffer.alloc(FRAME_HEAD_BYTES_MAX);
  #headLength = 0;
  #head: FrameHead | null = null;
  #received = 0;
  readonly #control = Buffer.alloc(CONTROL_BYTES_MAX);
  /** Null between messages. */
  #messageOpcode: number | null = null;
  #message: Buffer = Buffer.alloc(0);
  #messageLength = 0;
  #isOver = false;

  constructor({ messageBytesMax, peer = "client" }: WebSocketReceiverOptions) {
    this.#messageBytesMax = messageBytesMax;
    this.#peerMasks = peer === "client";
  }

  /** `bytes` are not kept. */
  receive(bytes: Uint8Array): void {
    let rest = bytes;
    while (!this.#isOver && (rest.length > 0 || this.#isFrameWhole())) {
      rest = this.#head === null ? this.#receiveHead(rest) : this.#receivePayload(rest);
    }
  }

  nextEvent(): WebSocketEvent | null {
    return this.#events.shift() ?? null;
  }

  #isFrameWhole(): boolean {
    return this.#head !== null && this.#received === this.#head.length;
  }

  #receiveHead(bytes: Uint8Array): Uint8Array {
    // Byte by byte, since what follows a short head is not the head's.
    let at = 0;
    while (at < bytes.length && this.#head === null) {
      this.#headBytes[this.#headLength++] = bytes[at++]!;
      this.#head = decodeFrameHead(this.#headBytes.subarray(0, this.#headLength));
    }
    if (this.#head === null) return bytes.subarray(at);
    this.#headLength = 0;
    this.#received = 0;
    const fault = this.#faultOf(this.#head);
    if (fault !== null) this.#end(fault);
    else if (this.#head.opcode === OPCODE_TEXT || this.#head.opcode === OPCODE_BINARY)
      this.#messageOpcode = this.#head.opcode;
    return bytes.subarray(at);
  }

  #faultOf(head: FrameHead): Fault | null {
    const { opcode } = head;
    if (head.reserved !== 0) return broken("a reserved bit is set");
    if ((head.mask !== null) !== this.#peerMasks)
      return broken(this.#peerMasks ? "the frame is not masked" : "the frame is masked");
    if (!head.isShortest) return broken("the length is not in its shortest form");
    if (opcode >= OPCODE_CLOSE) {
      if (opcode > OPCODE_PONG) return broken(`there is no opcode ${opcode}`);
      if (!head.isLast) return broken("a control frame is in fragments");
      return head.length > CONTROL_BYTES_MAX ? broken("a control frame has more than 125 bytes") : null;
    }
    if (opcode > OPCODE_BINARY) return broken(`there is no opcode ${opcode}`);
    if ((opcode === OPCODE_CONTINUATION) !== (this.#messageOpcode !== null))
      return broken(
        opcode === OPCODE_CONTINUATION
          ? "there is nothing to continue"
          : "the last message is not at its end",
      );
    return this.#messageLength + head.length > this.#messageBytesMax
      ? { kind: "fault", code: 1009, message: `a message has more than ${this.#messageBytesMax} bytes` }
      : null;
  }

  #receivePayload(bytes: Uint8Array): Uint8Array {
    const head = this.#head!;
    const taken = bytes.subarray(0, head.length - this.#received);
    const isControl = head.opcode >= OPCODE_CLOSE;
    const start = isControl ? this.#received : this.#messageLength;
    if (!isControl) this.#makeRoom(start + taken.length);
    const target = isControl ? this.#control : this.#message;
    target.set(taken, start);
    if (head.mask !== null)
      applyMask(target.subarray(start, start + taken.length), head.mask, this.#received);
    this.#received += taken.length;
    if (!isControl) this.#messageLength += taken.length;
    if (this.#isFrameWhole()) {
      this.#head = null;
      if (isControl) this.#finishControl(head);
      else if (head.isLast) this.#finishMessage();
    }
    return bytes.subarray(taken.length);
  }

  /** Grows with what has come, not with what a head announces. */
  #makeRoom(length: number): void {
    if (length <= this.#message.length) return;
    const doubled = Math.max(length, this.#message.length * 2, FIRST_BYTES);
    const room = Buffer.allocUnsafe(Math.min(doubled, this.#messageBytesMax));
    this.#message.copy(room, 0, 0, this.#messageLength);
    this.#message = room;
  }

  #finishMessage(): void {
    const isText = this.#messageOpcode === OPCODE_TEXT;
    const bytes = this.#message.subarray(0, this.#messageLength);
    this.#messageOpcode = null;
    this.#message = Buffer.alloc(0);
    this.#messageLength = 0;
    if (isText && !isUtf8(bytes)) this.#end({ kind: "fault", code: 1007, message: "the text is not UTF-8" });
    else this.#events.push({ kind: "message", isText, bytes });
  }

  #finishControl({ opcode, length }: FrameHead): void {
    const bytes = Buffer.from(this.#control.subarray(0, length));
    if (opcode === OPCODE_PING) this.#events.push({ kind: "ping", bytes });
    else if (opcode === OPCODE_PONG) this.#events.push({ kind: "pong", bytes });
    else this.#end(closeOf(bytes));
  }

  #end(event: WebSocketEvent): void {
    this.#isOver = true;
    this.#message = Buffer.alloc(0);
    this.#events.push(event);
  }
}

/** Section 5.5.1. */
function closeOf(bytes: Buffer): WebSocketEvent {
  if (bytes.length === 0) return { kind: "close", code: 1005, reason: "" };
  if (bytes.length === 1) return broken("a close has half a code");
  const code = bytes.readUInt16BE(0);
  const isKnown =
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999);
  if (!isKnown) return broken(`a close has the code ${code}`);
  const reason = bytes.subarray(2);
  if (!isUtf8(reason)) return { kind: "fault", code: 1007, message: "the reason of a close is not UTF-8" };
  return { kind: "close", code, reason: reason.toString() };
}

function broken(message: string): Fault {
  return { kind: "fault", code: 1002, message };
}
