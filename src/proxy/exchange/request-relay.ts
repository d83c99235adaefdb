// The way of a request to the server: its head, and the body as it comes, held back while there is no server
// yet. What follows the body belongs to the next request and is kept for it.
import { BodyDecoder } from "../../protocol/http1/body.ts";
import type { Chunk, Connection, Engine } from "../../transport/contract.ts";
import type { Stream } from "../stream.ts";
import { HeldInput, type InputPiece } from "./held-input.ts";

export class RequestRelay {
  /** Some of the body has gone to a server. */
  isBodySent = false;
  readonly #engine: Engine;
  readonly #body = new BodyDecoder();
  readonly #held: HeldInput;
  /** Of the body what has been sent, where it may have to be sent once more. */
  readonly #sent: HeldInput;
  #keepsSent = false;
  #stream!: Stream;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#held = new HeldInput(engine);
    this.#sent = new HeldInput(engine);
  }

  begin(stream: Stream): void {
    const head = stream.request!;
    this.#stream = stream;
    this.isBodySent = false;
    this.#keepsSent = false;
    this.#body.reset(head.framing, head.contentLength);
  }

  /** What is sent from now on is kept if all of the request is here and fits a buffer (`retry-on`). */
  keepSent(bufferBytes: number): void {
    this.#keepsSent = this.peekBody().isComplete && this.#stream.bytesIn + this.heldBytes <= bufferBytes;
  }

  /** All of the request is here, so that another server can have it too. */
  get mayRepeat(): boolean {
    return this.#keepsSent || (this.isComplete && !this.isBodySent);
  }

  /** The request is to be sent once more: what has been sent is held again, before what follows it. */
  rewind(): void {
    const { framing, contentLength } = this.#stream.request!;
    const following = this.#held.takeAll();
    const sent = this.#sent.takeAll();
    for (const { chunk, start, end } of [...sent, ...following]) {
      this.#held.add(chunk, start, end);
      chunk.release();
    }
    for (const { start, end } of sent) this.#stream.bytesIn -= end - start;
    this.isBodySent = false;
    this.#body.reset(framing, contentLength);
  }

  /** The whole body has been received and passed on. */
  get isComplete(): boolean {
    return this.#body.isComplete;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  get heldBytes(): number {
    return this.#held.byteCount;
  }

  hold(chunk: Chunk, start: number, end: number): void {
    this.#held.add(chunk, start, end);
  }

  /** The body's content as far as it is held, without passing it on. */
  peekBody(): { readonly content: Uint8Array; readonly isComplete: boolean } {
    return this.#held.peekBody(this.#stream.request!);
  }

  /** Encodes and sends the head as the rules left it. It can be sent again to another server. */
  sendHead(server: Connection): void {
    const head = this.#stream.request!;
    const chunk = this.#engine.allocate(head.encodedLengthMax());
    const length = head.encodeInto(chunk.bytes, 0);
    this.#stream.backend?.headerCase?.adjust(chunk.bytes, 0, length);
    server.send(chunk, 0, length);
    chunk.release();
  }

  /**
   * Passes on what of chunk.bytes[start, end) belongs to the body and holds the rest. False: the body is
   * malformed.
   */
  forward(server: Connection, chunk: Chunk, start: number, end: number): boolean {
    const taken = this.#body.feed(chunk.bytes, start, end);
    if (taken < 0) return false;
    if (taken > 0) {
      this.isBodySent = true;
      this.#stream.bytesIn += taken;
      server.send(chunk, start, start + taken);
      if (this.#keepsSent) this.#sent.add(chunk, start, start + taken);
    }
    if (start + taken < end) this.hold(chunk, start + taken, end);
    return true;
  }

  /** Passes on what was held. False: the body is malformed. */
  forwardHeld(server: Connection): boolean {
    let isWellFormed = true;
    for (const { chunk, start, end } of this.#held.takeAll()) {
      if (isWellFormed && !this.#body.isComplete) isWellFormed = this.forward(server, chunk, start, end);
      else this.hold(chunk, start, end);
      chunk.release();
    }
    return isWellFormed;
  }

  /**
   * Drops the body, which nobody wants. True when it was all here, so that the next request can be found
   * behind it.
   */
  skipBody(): boolean {
    this.#stream.bytesIn += this.#held.consumeBody(this.#body);
    return this.#body.isComplete;
  }

  /** What follows the request; the caller owns the references. */
  takeLeftovers(): InputPiece[] {
    return this.#held.takeAll();
  }

  releaseAll(): void {
    this.#held.releaseAll();
  }

  /** Nobody will want this request again. */
  forgetSent(): void {
    if (this.#keepsSent) this.#sent.releaseAll();
  }
}
