// `tcp-response content` in tcp mode: what the server says first is held until the rules have decided on it,
// then goes on to the tunnel. It stands between link and tunnel only where there are such rules, and only
// until then.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk } from "../../transport/contract.ts";
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import type { InputPiece } from "./held-input.ts";
import type { LinkOwner, ServerLink } from "./server-link.ts";

export class ResponseInspection implements LinkOwner, TimerTarget {
  readonly #context: ExchangeContext;
  readonly #link: ServerLink;
  readonly #stream: Stream;
  readonly #tunnel: LinkOwner;
  readonly #onRejected: (isSilent: boolean) => void;
  readonly #timer = new Timer(this);
  readonly #startMs: number;
  #held: InputPiece[] = [];
  #heldBytes = 0;
  #resumeAt = 0;
  #isEnded = false;
  #isOver = false;

  constructor(
    context: ExchangeContext,
    link: ServerLink,
    stream: Stream,
    tunnel: LinkOwner,
    onRejected: (isSilent: boolean) => void,
  ) {
    this.#context = context;
    this.#link = link;
    this.#stream = stream;
    this.#tunnel = tunnel;
    this.#onRejected = onRejected;
    this.#startMs = context.engine.nowMs;
  }

  /** Takes the server's side over from the tunnel, which has started. */
  start(): void {
    this.#link.owner = this;
    this.#stream.isContentFinal = false;
    this.#decide();
  }

  /** Gives back what is held. To be called when the stream ends, whoever ended it. */
  abandon(): void {
    this.#isOver = true;
    this.#context.engine.timers.remove(this.#timer);
    for (const { chunk } of this.#held) chunk.release();
    this.#held = [];
    this.#stream.responseContent = EMPTY;
  }

  handleLinkOpen(_link: ServerLink): void {}

  handleLinkData(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#held.push({ chunk, start, end });
    this.#heldBytes += end - start;
    if (this.#heldBytes >= this.#context.runtime.configuration.global.bufferBytes) {
      this.#stream.isContentFinal = true;
      link.connection.pause();
    }
    this.#decide();
  }

  handleLinkDrain(link: ServerLink): void {
    this.#tunnel.handleLinkDrain(link);
  }

  handleLinkEnd(_link: ServerLink): void {
    this.#isEnded = true;
    this.#stream.isContentFinal = true;
    this.#decide();
  }

  handleLinkClose(link: ServerLink, failure: Failure | null): void {
    this.#stream.isContentFinal = true;
    this.#decide();
    if (!this.#isOver) this.#pass();
    this.#tunnel.handleLinkClose(link, failure);
  }

  /** The inspect delay is over. */
  handleTimeout(_nowMs: number): void {
    this.#stream.isContentFinal = true;
    this.#decide();
  }

  #decide(): void {
    if (this.#isOver) return;
    const stream = this.#stream;
    stream.responseContent = this.#content();
    const { tcpResponseContent } = stream.backend!.programs;
    const verdict = tcpResponseContent.run(stream, this.#resumeAt, this.#startMs);
    if (verdict.kind === "wait") {
      this.#resumeAt = verdict.resumeAt;
      this.#context.engine.timers.arm(this.#timer, verdict.deadlineMs);
    } else if (verdict.kind === "done") {
      stream.backend!.programs.stick?.store(stream);
      this.#pass();
    } else {
      const { state } = this.#context;
      state.count(stream.backend!.slot, COUNTER.dresp);
      if (stream.server !== null) state.count(stream.server.slot, COUNTER.dresp);
      this.#isOver = true;
      this.#onRejected(verdict.kind === "silent-drop");
    }
  }

  /** Everything goes to the tunnel from now on, and it gets what has been held. */
  #pass(): void {
    const held = this.#held;
    this.#held = [];
    this.abandon();
    if (this.#link.owner === this) this.#link.owner = this.#tunnel;
    for (const { chunk, start, end } of held) {
      this.#tunnel.handleLinkData(this.#link, chunk, start, end);
      chunk.release();
    }
    this.#link.connection.resume();
    if (this.#isEnded) this.#tunnel.handleLinkEnd(this.#link);
  }

  #content(): Uint8Array {
    const pieces = this.#held.map(({ chunk, start, end }) => chunk.bytes.subarray(start, end));
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}

const EMPTY = new Uint8Array(0);
