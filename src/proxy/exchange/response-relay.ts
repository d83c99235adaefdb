// The way of a response to the client: head and body, copied when small, passed on as they are when large,
// without chunk framing for clients of HTTP/1.0, compressed for those who take it.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import { copyBytes } from "../../protocol/http1/bytes.ts";
import { FRAMING_LENGTH, FRAMING_UNTIL_CLOSE, type MessageHead } from "../../protocol/http1/message-head.ts";
import type { Chunk, Connection, Engine } from "../../transport/contract.ts";
import type { CacheFill } from "../cache/stream-cache.ts";
import type { CompressedBody } from "../compression/compressed-body.ts";
import type { Stream } from "../stream.ts";
import { asStream, type StreamConnection } from "./stream-connection.ts";

/** A body up to this size that came with its head is copied behind the head, which saves a send. */
const COPY_BODY_BYTES_MAX = 8 * 1024;
/** Replies of our own go out in such parts, since chunks of memory are not larger than 1 MiB. */
const REPLY_PART_BYTES = 512 * 1024;
/** What to expect of a body whose length nobody knows. */
const BULK_BYTES = 512 * 1024;

export class ResponseRelay {
  /** The head of the present response has gone to the client. */
  isHeadSent = false;
  readonly #engine: Engine;
  readonly #client: Connection;
  /** The client, if it takes heads as they are. */
  readonly #streamed: StreamConnection | null;
  readonly #body = new BodyDecoder();
  #stream!: Stream;
  #isDechunking = false;
  #compressed: CompressedBody | null = null;
  /** Keeps the body for others; null: nobody does. */
  #fill: CacheFill | null = null;
  #hasLength = false;
  #isUntilClose = false;

  constructor(engine: Engine, client: Connection) {
    this.#engine = engine;
    this.#client = client;
    this.#streamed = asStream(client);
  }

  /** True when all of the body has been passed on. */
  get isComplete(): boolean {
    return this.#body.isComplete;
  }

  /** The client sees by the framing whether it has the whole body. */
  get isDelimited(): boolean {
    return !this.#isDechunking && !this.#isUntilClose;
  }

  /** Bytes of the body that have come, without framing. */
  get payloadBytes(): number {
    return this.#body.payloadBytes;
  }

  /** About how many bytes are still to come. */
  get expectedBytes(): number {
    return this.#hasLength ? this.#body.remaining : BULK_BYTES;
  }

  /** Interim responses, and the heads of tunnels. */
  sendHead(stream: Stream, head: MessageHead): void {
    this.#stream = stream;
    this.#send(head, EMPTY, 0, 0);
  }

  /** A reply of our own. */
  sendReply(stream: Stream, head: MessageHead, body: Uint8Array): void {
    this.#stream = stream;
    const first = Math.min(body.length, REPLY_PART_BYTES);
    this.#send(head, body, 0, first);
    for (let at = first; at < body.length; at += REPLY_PART_BYTES)
      this.#sendBytes(body.subarray(at, at + REPLY_PART_BYTES));
  }

  /**
   * The head, and the beginning of the body: chunk.bytes[start, end). Returns the position behind what
   * belongs to this response, or -1 when the body is malformed; then nothing was sent if the head had not
   * gone out before.
   */
  begin(
    stream: Stream,
    head: MessageHead,
    isDechunking: boolean,
    compressed: CompressedBody | null,
    chunk: Chunk,
    start: number,
    end: number,
  ): number {
    this.#stream = stream;
    this.#isDechunking = isDechunking;
    this.#compressed = compressed;
    this.#fill = stream.cache?.fill ?? null;
    this.isHeadSent = false;
    this.#hasLength = head.framing === FRAMING_LENGTH;
    this.#isUntilClose = head.framing === FRAMING_UNTIL_CLOSE;
    this.#body.reset(head.framing, head.contentLength);
    this.#body.trailers = compressed === null ? null : [];
    if (compressed !== null && start < end) return this.#beginCompressed(compressed, head, chunk, start, end);
    if (start === end || isDechunking || this.#fill !== null || end - start > COPY_BODY_BYTES_MAX) {
      this.#send(head, EMPTY, 0, 0);
      return start === end ? start : this.forward(chunk, start, end);
    }
    const taken = this.#body.feed(chunk.bytes, start, end);
    if (taken < 0) return -1;
    this.#send(head, chunk.bytes, start, start + taken);
    return start + taken;
  }

  /** More of the body. Returns as `begin`. */
  forward(chunk: Chunk, start: number, end: number): number {
    if (this.#compressed !== null) return this.#forwardCompressed(this.#compressed, chunk, start, end);
    if (this.#isDechunking) return this.#forwardContent(chunk, start, end);
    const taken =
      this.#fill === null
        ? this.#body.feed(chunk.bytes, start, end)
        : this.#collect(this.#fill, chunk, start, end);
    if (taken < 0) return -1;
    if (taken > 0) {
      this.#stream.bytesOut += taken;
      this.#client.send(chunk, start, start + taken);
    }
    return start + taken;
  }

  /** The server has closed in order: true if that completes the body. */
  finishAtClose(): boolean {
    const isWhole = this.#body.finishAtClose();
    if (isWhole) this.#fill?.finish(Math.floor(this.#engine.wallClockMs / 1000));
    return isWhole;
  }

  /** What goes on as it is, and is kept too. */
  #collect(fill: CacheFill, chunk: Chunk, start: number, end: number): number {
    const parts: Uint8Array[] = [];
    const taken = this.#body.collect(chunk.bytes, start, end, parts);
    if (taken >= 0) this.#keep(fill, parts);
    return taken;
  }

  #keep(fill: CacheFill, parts: readonly Uint8Array[]): void {
    fill.take(parts);
    if (this.#body.isComplete) fill.finish(Math.floor(this.#engine.wallClockMs / 1000));
  }

  #beginCompressed(
    compressed: CompressedBody,
    head: MessageHead,
    chunk: Chunk,
    start: number,
    end: number,
  ): number {
    const parts: Uint8Array[] = [];
    const taken = this.#body.collect(chunk.bytes, start, end, parts);
    if (taken < 0) return -1;
    if (this.#fill !== null) this.#keep(this.#fill, parts);
    const out = compressed.push(parts, this.#body.isComplete, this.#body.trailers);
    this.#send(head, out, 0, out.length);
    return start + taken;
  }

  #forwardCompressed(compressed: CompressedBody, chunk: Chunk, start: number, end: number): number {
    const parts: Uint8Array[] = [];
    const taken = this.#body.collect(chunk.bytes, start, end, parts);
    if (taken < 0) return -1;
    if (this.#fill !== null) this.#keep(this.#fill, parts);
    const bytes = compressed.push(parts, this.#body.isComplete, this.#body.trailers);
    if (bytes.length === 0) return start + taken;
    this.#sendBytes(bytes);
    return start + taken;
  }

  #sendBytes(bytes: Uint8Array): void {
    const out = this.#engine.allocate(bytes.length);
    out.bytes.set(bytes);
    this.#stream.bytesOut += bytes.length;
    this.#client.send(out, 0, bytes.length);
    out.release();
  }

  #forwardContent(chunk: Chunk, start: number, end: number): number {
    const parts: Uint8Array[] = [];
    const taken = this.#body.collect(chunk.bytes, start, end, parts);
    if (this.#fill !== null && taken >= 0) this.#keep(this.#fill, parts);
    for (const part of parts) {
      const from = part.byteOffset - chunk.bytes.byteOffset;
      this.#stream.bytesOut += part.length;
      this.#client.send(chunk, from, from + part.length);
    }
    return taken < 0 ? -1 : start + taken;
  }

  #send(head: MessageHead, body: Uint8Array, start: number, end: number): void {
    if (this.#streamed !== null) {
      this.isHeadSent = true;
      this.#stream.bytesOut += this.#streamed.sendHead(head, body, start, end);
      return;
    }
    const out = this.#engine.allocate(head.encodedLengthMax() + end - start);
    let length = head.encodeInto(out.bytes, 0);
    this.#stream.frontend.headerCase?.adjust(out.bytes, 0, length);
    if (start < end) length = copyBytes(body, start, end, out.bytes, length);
    this.#stream.bytesOut += length;
    this.isHeadSent = true;
    this.#client.send(out, 0, length);
    out.release();
  }
}

/** Sends a whole message that was never a head, Latin-1, and counts it. */
export function sendText(client: Connection, engine: Engine, stream: Stream, text: string): void {
  if (text === "") return;
  const out = engine.allocate(text.length);
  out.bytes.set(Buffer.from(text, "latin1"));
  stream.bytesOut += text.length;
  client.send(out, 0, text.length);
  out.release();
}

const EMPTY = new Uint8Array(0);
