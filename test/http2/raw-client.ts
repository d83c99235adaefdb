// An HTTP/2 client that sends whatever frames a test likes, and collects what comes back.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  PREFACE,
  readUint32,
  writeFrameHead,
} from "../../src/protocol/http2/frames.ts";
import { decodeBlock, encodeBlock, pairsOf } from "../../src/protocol/http2/hpack.fixture.ts";
import { HpackDecoder } from "../../src/protocol/http2/hpack-decoder.ts";
import { HpackEncoder } from "../../src/protocol/http2/hpack-encoder.ts";

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
  /** Of header blocks, as lines. */
  readonly fields: string[];
}

export const GET: readonly string[] = [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"];
export const POST: readonly string[] = [
  ":method",
  "POST",
  ":scheme",
  "http",
  ":authority",
  "a",
  ":path",
  "/",
];

export class RawClient implements AsyncDisposable {
  readonly frames: ReceivedFrame[] = [];
  isClosed = false;
  readonly #socket: Socket;
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder(4096);
  #rest: Buffer = Buffer.alloc(0);
  #changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  /** With the preface and settings sent, unless the test begins otherwise. */
  static async open(
    port: number,
    start: Uint8Array = Buffer.concat([PREFACE, frame(FRAME.settings)]),
  ): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const client = new RawClient(socket);
    client.send(start);
    return client;
  }

  send(...parts: Uint8Array[]): void {
    if (!this.isClosed && this.#socket.writable) this.#socket.write(Buffer.concat(parts));
  }

  block(fields: readonly string[]): Uint8Array {
    return encodeBlock(this.#encoder, fields);
  }

  request(streamId: number, fields: readonly string[], flags: number = FLAG.endStream): void {
    this.send(frame(FRAME.headers, flags | FLAG.endHeaders, streamId, this.block(fields)));
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  /** The first frame for which that holds. Undefined once the connection is closed without one. */
  async find(matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame | undefined> {
    for (;;) {
      const found = this.frames.find(matches);
      if (found !== undefined || this.isClosed) return found;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** How the connection ends: the error of GOAWAY, "closed" without one. */
  async end(): Promise<number | "closed"> {
    const goaway = await this.find(({ type }) => type === FRAME.goaway);
    return goaway === undefined ? "closed" : goaway.payload.readUInt32BE(4);
  }

  /** How a stream ends: the error of RST_STREAM, or its status when it ended in order. */
  async outcome(streamId: number): Promise<number | string | undefined> {
    const last = await this.find(
      (each) =>
        (each.streamId === streamId && (each.type === FRAME.rstStream || isEndOfStream(each))) ||
        each.type === FRAME.goaway,
    );
    if (last === undefined) return undefined;
    if (last.type === FRAME.goaway) return `goaway ${last.payload.readUInt32BE(4)}`;
    if (last.type === FRAME.rstStream) return last.payload.readUInt32BE(0);
    const head = this.frames.find((each) => each.type === FRAME.headers && each.streamId === streamId);
    return head?.fields[0];
  }

  body(streamId: number): string {
    const data = this.frames.filter((each) => each.type === FRAME.data && each.streamId === streamId);
    return Buffer.concat(data.map(({ payload }) => payload)).toString("latin1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  #receive(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= FRAME_HEAD_BYTES) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < FRAME_HEAD_BYTES + length) break;
      const payload = this.#rest.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length);
      const type = this.#rest[3]!;
      const fields = type === FRAME.headers ? this.#fieldsOf(payload) : [];
      this.frames.push({ type, flags: this.#rest[4]!, streamId: readUint32(this.#rest, 5), payload, fields });
      this.#rest = this.#rest.subarray(FRAME_HEAD_BYTES + length);
    }
    this.#changed();
  }

  #fieldsOf(block: Buffer): string[] {
    const fields = decodeBlock(this.#decoder, block);
    if (fields === null) return ["malformed"];
    return pairsOf(fields).map(([name, value]) => `${name}: ${value}`);
  }
}

export function frame(
  type: number,
  flags = 0,
  streamId = 0,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  bytes.set(payload, writeFrameHead(payload.length, type, flags, streamId, bytes, 0));
  return bytes;
}

export function uint32(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

function isEndOfStream({ type, flags }: ReceivedFrame): boolean {
  return (type === FRAME.headers || type === FRAME.data) && (flags & FLAG.endStream) !== 0;
}
