// The response of one stream on its way from the exchange, which sends HTTP/1.1, to frames: heads become
// header blocks, bodies lose their framing and wait here for window, trailers follow. Knows nothing of
// frames.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";
import { responseFieldsOf, trailerFieldsOf } from "../../protocol/http2/response-block.ts";
import type { Chunk } from "../../transport/contract.ts";

/** Heads are our own encoding: what they may be was decided when they were received. */
const HEAD_LIMITS = { headBytesMax: Number.MAX_SAFE_INTEGER, headerCountMax: Number.MAX_SAFE_INTEGER };

interface WaitingPiece {
  readonly chunk: Chunk;
  start: number;
  readonly end: number;
}

export class StreamOutput {
  readonly #head = new MessageHead();
  readonly #body = new BodyDecoder();
  #method = "";
  #isHeadRead = false;
  /** Behind a 2xx to CONNECT everything is data. */
  #isTunnel = false;
  /** Header blocks that wait to be sent, as fields: interim responses and the final one. */
  #heads: string[][] = [];
  #pieces: WaitingPiece[] = [];
  waitingBytes = 0;
  /** Nothing more will come: the response is complete. */
  isComplete = false;
  /** What was sent is no response that HTTP/2 could carry, or was cut. */
  isBroken = false;

  begin(method: string): void {
    this.#method = method;
    this.#isHeadRead = false;
    this.#isTunnel = false;
    this.isComplete = false;
    this.isBroken = false;
    this.#body.trailers = [];
  }

  get hasHeads(): boolean {
    return this.#heads.length > 0;
  }

  get isHeadRead(): boolean {
    return this.#isHeadRead;
  }

  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /** Fields of the next header block, oldest first; `isFinal`: of the response itself. */
  takeHead(): { readonly fields: string[]; readonly isFinal: boolean } {
    const fields = this.#heads.shift()!;
    return { fields, isFinal: this.#isHeadRead && this.#heads.length === 0 };
  }

  /** The fields behind the body; null when there are none. */
  takeTrailers(): string[] | null {
    const bytes = this.#body.trailers;
    if (bytes === null || bytes.length <= 2) return null;
    this.#body.trailers = [];
    const fields = trailerFieldsOf(Buffer.from(bytes).toString("latin1"));
    return fields.length === 0 ? null : fields;
  }

  /** What is there of trailers will be sent in a block of their own, which then ends the stream. */
  get hasTrailers(): boolean {
    return (this.#body.trailers?.length ?? 0) > 2;
  }

  /** HTTP/1.1 from the exchange. */
  add(chunk: Chunk, start: number, end: number): void {
    let pos = start;
    while (pos < end && !this.#isHeadRead && !this.isBroken) pos = this.#readHead(chunk.bytes, pos, end);
    if (pos >= end || this.isBroken) return;
    if (this.#isTunnel) {
      this.#wait(chunk, pos, end);
      return;
    }
    const parts: Uint8Array[] = [];
    if (this.#body.collect(chunk.bytes, pos, end, parts) < 0) this.isBroken = true;
    for (const part of parts) {
      const from = part.byteOffset - chunk.bytes.byteOffset;
      this.#wait(chunk, from, from + part.length);
    }
    this.isComplete = this.#body.isComplete;
  }

  /** The exchange sends no more. Unless that completes the response it is broken. */
  end(): void {
    if (this.isComplete) return;
    if (this.#isTunnel || (this.#isHeadRead && this.#body.finishAtClose())) this.isComplete = true;
    else this.isBroken = true;
  }

  /**
   * The next piece of data, of at most `byteCount` bytes; whoever takes it releases its chunk if it is used
   * up.
   */
  get firstPiece(): WaitingPiece | undefined {
    return this.#pieces[0];
  }

  take(byteCount: number): void {
    const piece = this.#pieces[0]!;
    piece.start += byteCount;
    this.waitingBytes -= byteCount;
    if (piece.start < piece.end) return;
    piece.chunk.release();
    this.#pieces.shift();
  }

  drop(): void {
    for (const { chunk } of this.#pieces) chunk.release();
    this.#pieces = [];
    this.#heads = [];
    this.waitingBytes = 0;
  }

  #readHead(bytes: Uint8Array, start: number, end: number): number {
    const head = this.#head;
    const length = parseResponseHead(head, bytes, start, end, this.#method, HEAD_LIMITS);
    // Switching protocols is no part of HTTP/2 (RFC 9113 section 8.6).
    if (length <= 0 || head.status === 101) {
      this.isBroken = true;
      return end;
    }
    this.#heads.push(responseFieldsOf(head));
    if (head.status >= 200) {
      this.#isHeadRead = true;
      this.#isTunnel = this.#method === "CONNECT" && head.status < 300;
      this.#body.reset(head.framing, head.contentLength);
      this.isComplete = this.#body.isComplete && !this.#isTunnel;
    }
    return start + length;
  }

  #wait(chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#pieces.push({ chunk, start, end });
    this.waitingBytes += end - start;
  }
}
