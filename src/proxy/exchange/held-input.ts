// What came from a client and cannot go on yet: the body before the server is there, or the next requests of a
// pipeline. Holds a reference to each chunk.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Chunk } from "../../transport/contract.ts";

/** `chunk.bytes[start, end)`; whoever has it owns one reference. */
export interface InputPiece {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

export class HeldInput {
  #pieces: InputPiece[] = [];

  get length(): number {
    return this.#pieces.length;
  }

  get byteCount(): number {
    return this.#pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add(chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#pieces.push({ chunk, start, end });
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
