// Reads response heads off a server connection, whether they come whole (then nothing is copied) or in
// pieces.
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";
import type { Chunk, Engine } from "../../transport/contract.ts";

export interface InterimHandler {
  handleInterim(head: MessageHead): void;
}

export class ResponseHeadReader {
  /** The last head that was read; valid until the next `read` or `drop`. */
  readonly head: MessageHead = new MessageHead();
  readonly #engine: Engine;
  readonly #limits: { headBytesMax: number; headerCountMax: number } = {
    headBytesMax: 16384,
    headerCountMax: 101,
  };
  /** Pieces of a head, in a chunk of our own. */
  #partial: Chunk | null = null;
  #partialLength = 0;
  #isSpent = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** True when some bytes of a head have come and not all of it. */
  get isPartial(): boolean {
    return this.#partial !== null && !this.#isSpent;
  }

  /** Prepares for another response. Limits as of `tune.bufsize` and `tune.http.maxhdr`. */
  reset(headBytesMax: number, headerCountMax: number): void {
    this.drop();
    this.head.reset();
    this.#limits.headBytesMax = headBytesMax;
    this.#limits.headerCountMax = headerCountMax;
  }

  /** The position in `chunk` behind a complete head; 0 when more is needed, -1 when this is no response. */
  read(chunk: Chunk, start: number, end: number, requestMethod: string): number {
    if (this.#isSpent) this.drop();
    if (this.#partial === null) {
      const consumed = parseResponseHead(this.head, chunk.bytes, start, end, requestMethod, this.#limits);
      if (consumed > 0) return start + consumed;
      if (consumed < 0) return -1;
      this.#begin(chunk, start, end);
      return 0;
    }
    return this.#append(this.#partial, chunk, start, end, requestMethod);
  }

  /** As `read`, past all interim responses, which `handler` is told of. */
  readFinal(
    chunk: Chunk,
    start: number,
    end: number,
    requestMethod: string,
    handler: InterimHandler,
  ): number {
    for (let at = start; at < end; ) {
      const rest = this.read(chunk, at, end, requestMethod);
      if (rest <= 0 || this.head.status >= 200 || this.head.status === 101) return rest;
      handler.handleInterim(this.head);
      at = rest;
    }
    return 0;
  }

  drop(): void {
    this.#partial?.release();
    this.#partial = null;
    this.#partialLength = 0;
    this.#isSpent = false;
  }

  #begin(chunk: Chunk, start: number, end: number): void {
    const partial = this.#engine.allocate(Math.max(this.#limits.headBytesMax, end - start));
    partial.bytes.set(chunk.bytes.subarray(start, end));
    this.#partial = partial;
    this.#partialLength = end - start;
  }

  #append(partial: Chunk, chunk: Chunk, start: number, end: number, requestMethod: string): number {
    const before = this.#partialLength;
    const taken = Math.min(end - start, partial.bytes.length - before);
    if (taken === 0) return -1;
    partial.bytes.set(chunk.bytes.subarray(start, start + taken), before);
    this.#partialLength += taken;
    const consumed = parseResponseHead(
      this.head,
      partial.bytes,
      0,
      this.#partialLength,
      requestMethod,
      this.#limits,
    );
    if (consumed <= 0) return consumed;
    // The head's bytes stay where they are until the next read.
    this.#isSpent = true;
    return start + consumed - before;
  }
}
