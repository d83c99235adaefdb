// What came from a client and cannot go on yet: the body before the server is there, or the next requests
// of a pipeline. Holds a reference to each chunk; many small pieces are gathered into chunks of its own, so
// that a client that sends byte by byte does not make us hold a large chunk for each of them.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Chunk, Engine } from "../../transport/contract.ts";

/** `chunk.bytes[start, end)`; whoever has it owns one reference. */
export interface InputPiece {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

/** A piece up to this size is copied once this many are held. */
const SMALL_BYTES_MAX = 1024;
const PIECE_COUNT_MIN = 4;
const GATHER_BYTES = 16 * 1024;

interface HeldPiece extends InputPiece {
  end: number;
  /** The chunk is ours alone, so more can be put behind `end`. */
  readonly isGathered: boolean;
}

export class HeldInput {
  readonly #engine: Pick<Engine, "allocate">;
  #pieces: HeldPiece[] = [];

  constructor(engine: Pick<Engine, "allocate">) {
    this.#engine = engine;
  }

  get length(): number {
    return this.#pieces.length;
  }

  get byteCount(): number {
    return this.#pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add(chunk: Chunk, start: number, end: number): void {
    if (end - start <= SMALL_BYTES_MAX && this.#pieces.length >= PIECE_COUNT_MIN) {
      this.#gather(chunk.bytes.subarray(start, end));
      return;
    }
    chunk.retain();
    this.#pieces.push({ chunk, start, end, isGathered: false });
  }

  #gather(bytes: Uint8Array): void {
    let last = this.#pieces.at(-1)!;
    if (!last.isGathered || last.end + bytes.length > last.chunk.bytes.length) {
      last = { chunk: this.#engine.allocate(GATHER_BYTES), start: 0, end: 0, isGathered: true };
      this.#pieces.push(last);
    }
    last.chunk.bytes.set(bytes, last.end);
    last.end += bytes.length;
  }

  /** Hands all pieces over, with their references. */
  takeAll(): InputPiece[] {
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#pieces = [];
    return pieces;
  }

  releaseAll(): void {
    for (const { chunk } of this.takeAll()) chunk.release();
  }

  /** The content of the body that `head` announces, as far as it is here, without consuming it. */
  peekBody(head: MessageHead): { readonly content: Uint8Array; readonly isComplete: boolean } {
    const decoder = new BodyDecoder();
    decoder.reset(head.framing, head.contentLength);
    const parts: Uint8Array[] = [];
    for (const { chunk, start, end } of this.#pieces) {
      if (!decoder.isComplete && decoder.collect(chunk.bytes, start, end, parts) < 0) break;
    }
    return { content: Buffer.concat(parts), isComplete: decoder.isComplete };
  }

  /** Takes a body off the front; what belongs to the next request stays. Returns its bytes on the wire. */
  consumeBody(decoder: BodyDecoder): number {
    let consumed = 0;
    for (const { chunk, start, end } of this.takeAll()) {
      const taken = decoder.isComplete ? 0 : Math.max(0, decoder.feed(chunk.bytes, start, end));
      consumed += taken;
      if (start + taken < end) this.add(chunk, start + taken, end);
      chunk.release();
    }
    return consumed;
  }
}
