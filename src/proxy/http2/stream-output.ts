// The body of one stream's response on its way from the exchange, which frames it as HTTP/1.1 does: it loses
// that framing and waits here for window; trailers follow. Knows nothing of frames.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import { FRAMING_CHUNKED, type Framing } from "../../protocol/http1/message-head.ts";
import type { Chunk } from "../../transport/contract.ts";

export interface WaitingPiece {
  readonly chunk: Chunk;
  start: number;
  readonly end: number;
}

export class StreamOutput {
  readonly #body = new BodyDecoder();
  #isChunked = false;
  /** The final head has gone out. */
  isHeadSent = false;
  /** Behind a 2xx to CONNECT everything is data. */
  isTunnel = false;
  readonly #pieces: WaitingPiece[] = [];
  #firstPiece = 0;
  readonly #ranges: number[] = [];
  waitingBytes = 0;
  /** Nothing more will come: the response is complete. */
  isComplete = false;
  /** What was sent is no response that HTTP/2 could carry, or was cut. */
  isBroken = false;

  begin(): void {
    this.isHeadSent = false;
    this.isTunnel = false;
    this.isComplete = false;
    this.isBroken = false;
    this.#body.trailers = null;
  }

  /** The final head is on its way. */
  beginBody(framing: Framing, contentLength: number, isTunnel: boolean): void {
    this.isHeadSent = true;
    this.isTunnel = isTunnel;
    this.#isChunked = framing === FRAMING_CHUNKED;
    if (this.#isChunked) this.#body.trailers = [];
    this.#body.reset(framing, contentLength);
    this.isComplete = this.#body.isComplete && !isTunnel;
  }

  /** The lines behind the body, with the empty one; null when there are none. */
  takeTrailers(): Uint8Array | null {
    if (!this.hasTrailers) return null;
    const bytes = Uint8Array.from(this.#body.trailers!);
    this.#body.trailers = null;
    return bytes;
  }

  /** What is there of trailers will be sent in a block of their own, which then ends the stream. */
  get hasTrailers(): boolean {
    return this.#body.trailers !== null && this.#body.trailers.length > 2;
  }

  /** The beginning of a body that is not framed, if none of it has to wait: how much of it is content. */
  pass(start: number, end: number, bytes: Uint8Array): number {
    const taken = this.#body.feed(bytes, start, end);
    this.isComplete = this.#body.isComplete;
    return taken;
  }

  get isFramed(): boolean {
    return this.#isChunked || this.isTunnel;
  }

  /** Of the body, as HTTP/1.1 has it. */
  add(chunk: Chunk, start: number, end: number): void {
    if (this.isTunnel) {
      this.#wait(chunk, start, end);
      return;
    }
    const ranges = this.#ranges;
    ranges.length = 0;
    if (this.#body.locate(chunk.bytes, start, end, ranges) < 0) this.isBroken = true;
    for (let i = 0; i < ranges.length; i += 2) this.#wait(chunk, ranges[i]!, ranges[i + 1]!);
    this.isComplete = this.#body.isComplete;
  }

  /** The exchange sends no more. Unless that completes the response it is broken. */
  end(): void {
    if (this.isComplete) return;
    if (this.isTunnel || (this.isHeadSent && this.#body.finishAtClose())) this.isComplete = true;
    else this.isBroken = true;
  }

  get firstPiece(): WaitingPiece | undefined {
    return this.#pieces[this.#firstPiece];
  }

  /** So many bytes of the first piece have gone. */
  take(byteCount: number): void {
    const piece = this.#pieces[this.#firstPiece]!;
    piece.start += byteCount;
    this.waitingBytes -= byteCount;
    if (piece.start < piece.end) return;
    piece.chunk.release();
    if (++this.#firstPiece < this.#pieces.length) return;
    this.#pieces.length = 0;
    this.#firstPiece = 0;
  }

  drop(): void {
    for (let i = this.#firstPiece; i < this.#pieces.length; i++) this.#pieces[i]!.chunk.release();
    this.#pieces.length = 0;
    this.#firstPiece = 0;
    this.waitingBytes = 0;
  }

  #wait(chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#pieces.push({ chunk, start, end });
    this.waitingBytes += end - start;
  }
}
