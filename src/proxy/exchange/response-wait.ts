// Waiting for the body of a response before its rules go on (`http-response wait-for-body`): what the server
// sends meanwhile is held. It stands between link and exchange only where a rule asks for it, and only until
// then.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk } from "../../transport/contract.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import { HeldInput } from "./held-input.ts";
import { errorReply } from "./replies.ts";
import { replySource } from "./request-phases.ts";
import { type AwaitingResponse, type ResponseOutcome, runResponsePhases } from "./response-phases.ts";
import type { LinkOwner, ServerLink } from "./server-link.ts";
import { TERMINATION } from "./termination.ts";

/** Whom the link belongs to, before and after. */
export interface ResponseOwner extends LinkOwner {
  concludeResponse(outcome: ResponseOutcome, chunk: Chunk, start: number, end: number): void;
}

export class ResponseWait implements LinkOwner, TimerTarget {
  readonly #context: ExchangeContext;
  readonly #owner: ResponseOwner;
  readonly #link: ServerLink;
  readonly #stream: Stream;
  readonly #awaiting: AwaitingResponse;
  readonly #timer = new Timer(this);
  readonly #held: HeldInput;
  /** Holds the bytes of the head. */
  #headChunk: Chunk | null = null;

  /** The owner hears of the end once, unless it abandons this. */
  constructor(
    context: ExchangeContext,
    owner: ResponseOwner,
    link: ServerLink,
    stream: Stream,
    awaiting: AwaitingResponse,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#link = link;
    this.#stream = stream;
    this.#awaiting = awaiting;
    this.#held = new HeldInput(context.engine);
  }

  /** `chunk.bytes[start, end)` came with the head, which may be in the same chunk. */
  start(chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#headChunk = chunk;
    this.#link.owner = this;
    this.#context.engine.timers.arm(this.#timer, this.#awaiting.deadlineMs);
    this.handleLinkData(this.#link, chunk, start, end);
  }

  /** Gives everything back; whoever drops the link calls it. */
  abandon(): void {
    if (this.#headChunk === null) return;
    this.#stop().release();
    this.#held.releaseAll();
  }

  /** The head's chunk goes over to the caller. */
  #stop(): Chunk {
    const chunk = this.#headChunk!;
    this.#headChunk = null;
    this.#context.engine.timers.remove(this.#timer);
    if (this.#link.owner === this) this.#link.owner = this.#owner;
    return chunk;
  }

  handleLinkOpen(_link: ServerLink): void {}

  handleLinkData(_link: ServerLink, chunk: Chunk, start: number, end: number): void {
    if (start < end) this.#held.add(chunk, start, end);
    const { content, isComplete } = this.#held.peekBody(this.#stream.response!);
    const { bufferBytes } = this.#context.runtime.configuration.global;
    const atLeastBytes = this.#awaiting.body.atLeastBytes ?? bufferBytes;
    if (isComplete || this.#held.byteCount >= bufferBytes || content.length >= atLeastBytes) this.#finish();
  }

  handleLinkDrain(link: ServerLink): void {
    this.#owner.handleLinkDrain(link);
  }

  /** There is no more to come: what that means for the response is not decided here. */
  handleLinkEnd(link: ServerLink): void {
    this.#finish();
    link.owner?.handleLinkEnd(link);
  }

  handleLinkClose(link: ServerLink, failure: Failure | null): void {
    this.#finish();
    this.#owner.handleLinkClose(link, failure);
  }

  handleTimeout(_nowMs: number): void {
    const termination = TERMINATION.responseBodyTimeout;
    const reply = errorReply(termination.status, replySource(this.#context, this.#stream));
    const headChunk = this.#stop();
    this.#held.releaseAll();
    this.#owner.concludeResponse({ reply, termination }, headChunk, 0, 0);
    headChunk.release();
  }

  /** What is here goes to the owner, the rest of it in pieces like what comes later. */
  #finish(): void {
    const stream = this.#stream;
    stream.responseBody = this.#held.peekBody(stream.response!).content;
    const headChunk = this.#stop();
    const pieces = this.#held.takeAll();
    const [first = { chunk: headChunk, start: 0, end: 0 }, ...rest] = pieces;
    const outcome = runResponsePhases(this.#context, stream, this.#awaiting);
    this.#owner.concludeResponse(outcome, first.chunk, first.start, first.end);
    for (const { chunk, start, end } of rest) this.#link.owner?.handleLinkData(this.#link, chunk, start, end);
    for (const { chunk } of pieces) chunk.release();
    headChunk.release();
  }
}
