// One browser that looks at a console: its WebSocket with bounded memory, its limits of time, and one end
// with one reason. What goes over it, a screen or a serial line, is a ConsoleLine.
import type { Socket } from "node:net";
import {
  encodeClose,
  encodeFrame,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from "../../protocol/websocket/frame.ts";
import { WebSocketReceiver } from "../../protocol/websocket/receiver.ts";
import type { TicketClaims } from "./tickets.ts";

/** What carries a console: bytes of the viewer go in, what comes out goes to `Viewer.send`. */
export interface ConsoleLine {
  receive(bytes: Buffer): void;
  /** The viewer has taken all that was sent. */
  handleDrain(): void;
  close(): void;
}

export type EndReason =
  | "closed by the viewer"
  | "the viewer is gone"
  | "idle"
  | "session limit"
  | "resumed"
  | "kicked"
  | "the console closed"
  | "the console cannot be reached"
  | "protocol error"
  | "shutdown";

export interface ViewerLimits {
  /** 0: none. */
  readonly idleMs: number;
  readonly sessionMs: number;
}

/** Beyond it nothing more is taken from the console until the viewer has caught up. */
export const SEND_BYTES_MAX: number = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const PING_INTERVAL_MS = 20_000;
/** Of pings without any answer. */
const PINGS_UNANSWERED_MAX = 3;
const CLOSE_WAIT_MS = 2_000;

/** After these the viewer may come back with a ticket of his page: nobody has meant him to go. */
export const RESUMABLE: ReadonlySet<EndReason> = new Set([
  "the viewer is gone",
  "the console closed",
  "the console cannot be reached",
]);

/** Codes of RFC 6455, section 7.4.1, and words that a person is shown. */
const CLOSES: Readonly<Record<EndReason, { readonly code: number; readonly words: string }>> = {
  "closed by the viewer": { code: 1000, words: "" },
  "the viewer is gone": { code: 1001, words: "" },
  idle: { code: 4000, words: "Closed, for nobody used keyboard or mouse." },
  "session limit": { code: 4001, words: "Closed, for the session was at its limit." },
  resumed: { code: 4003, words: "It goes on elsewhere." },
  kicked: { code: 4002, words: "Closed by an administrator." },
  "the console closed": { code: 1001, words: "The machine has closed its console." },
  "the console cannot be reached": { code: 1011, words: "The machine's console cannot be reached." },
  "protocol error": { code: 1002, words: "Something was said that is no message of a console." },
  shutdown: { code: 1001, words: "The console proxy is going down." },
};

export class Viewer {
  readonly id: string;
  readonly claims: TicketClaims;
  /** Of the first of its lines. */
  readonly startedMs: number;
  bytesToViewer = 0;
  bytesFromViewer = 0;
  readonly #socket: Socket;
  readonly #receiver = new WebSocketReceiver({ messageBytesMax: MESSAGE_BYTES_MAX });
  readonly #onEnd: (viewer: Viewer, reason: EndReason, detail: string) => void;
  readonly #limits: ViewerLimits;
  readonly #pings: NodeJS.Timeout;
  readonly #sessionEnd: NodeJS.Timeout | null;
  #idleEnd: NodeJS.Timeout | null = null;
  #pingsUnanswered = 0;
  #line: ConsoleLine | null = null;
  #hasEnded = false;

  constructor(
    id: string,
    claims: TicketClaims,
    socket: Socket,
    limits: ViewerLimits,
    onEnd: (viewer: Viewer, reason: EndReason, detail: string) => void,
  ) {
    this.id = id;
    this.claims = claims;
    this.startedMs = claims.resumes?.startedMs ?? Date.now();
    this.#socket = socket;
    this.#limits = limits;
    this.#onEnd = onEnd;
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("drain", () => this.#line?.handleDrain());
    socket.on("error", () => {});
    socket.on("close", () => this.end("the viewer is gone"));
    this.#pings = setInterval(() => this.#ping(), PING_INTERVAL_MS);
    const leftMs = Math.max(0, this.startedMs + limits.sessionMs - Date.now());
    this.#sessionEnd = limits.sessionMs > 0 ? setTimeout(() => this.end("session limit"), leftMs) : null;
    this.noteInput();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Bytes that wait for the viewer. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  begin(line: ConsoleLine): void {
    this.#line = line;
  }

  /** False: send nothing more until `handleDrain`. */
  send(bytes: Uint8Array): boolean {
    if (this.#hasEnded) return true;
    this.bytesToViewer += bytes.length;
    this.#socket.write(encodeFrame(OPCODE_BINARY, bytes));
    return this.#socket.writableLength < SEND_BYTES_MAX;
  }

  /** To the page itself, as text; all that is of the console is binary. */
  tell(message: Readonly<Record<string, string>>): void {
    if (this.#hasEnded || this.#socket.writableLength >= SEND_BYTES_MAX) return;
    this.#socket.write(encodeFrame(OPCODE_TEXT, Buffer.from(JSON.stringify(message))));
  }

  /** Somebody is there. Who may only look has no keyboard, so for him only the session counts. */
  noteInput(): void {
    if (this.#limits.idleMs === 0 || this.claims.isViewOnly || this.#hasEnded) return;
    if (this.#idleEnd === null) this.#idleEnd = setTimeout(() => this.end("idle"), this.#limits.idleMs);
    else this.#idleEnd.refresh();
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** `detail` is for the log; the viewer is told words that name no address. */
  end(reason: EndReason, detail = ""): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#pings);
    if (this.#sessionEnd !== null) clearTimeout(this.#sessionEnd);
    if (this.#idleEnd !== null) clearTimeout(this.#idleEnd);
    this.#line?.close();
    const { code, words } = CLOSES[reason];
    if (!this.#socket.destroyed) {
      this.#socket.end(encodeFrame(OPCODE_CLOSE, encodeClose(code, words)));
      // Who does not take the close is not waited for.
      const gone = setTimeout(() => this.#socket.destroy(), CLOSE_WAIT_MS);
      this.#socket.once("close", () => clearTimeout(gone));
      this.#socket.resume();
    }
    this.#onEnd(this, reason, detail);
  }

  #receive(bytes: Buffer): void {
    if (this.#hasEnded) return;
    this.#pingsUnanswered = 0;
    this.#receiver.receive(bytes);
    for (let event = this.#receiver.nextEvent(); event !== null; event = this.#receiver.nextEvent()) {
      if (this.#hasEnded) return;
      switch (event.kind) {
        case "message":
          this.bytesFromViewer += event.bytes.length;
          // Who says nothing is not there.
          if (event.bytes.length > 0) this.#line?.receive(event.bytes);
          break;
        case "ping":
          // Answers for who does not read them would pile up (RFC 6455, section 5.5.3 allows to skip some).
          if (this.#socket.writableLength < SEND_BYTES_MAX)
            this.#socket.write(encodeFrame(OPCODE_PONG, event.bytes));
          break;
        case "close":
          this.end("closed by the viewer");
          break;
        case "fault":
          this.end("protocol error", event.message);
          break;
      }
    }
  }

  #ping(): void {
    if (++this.#pingsUnanswered > PINGS_UNANSWERED_MAX) this.end("the viewer is gone", "no answer to pings");
    else if (this.#socket.writableLength < SEND_BYTES_MAX)
      this.#socket.write(encodeFrame(OPCODE_PING, Buffer.alloc(0)));
  }
}
