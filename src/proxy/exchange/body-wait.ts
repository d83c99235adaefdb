// Waiting for the body of a request before its rules go on (`wait-for-body`, `option http-buffer-request`,
// keys for balancing that stand in the body): how much is enough, and what a client that waits for a word is
// told. Or for an answer of somebody else (`do-resolve`), while the client is left waiting.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { PendingAnswer } from "../rules/programs.ts";
import type { Stream } from "../stream.ts";
import { AnswerWait } from "./answer-wait.ts";
import type { ExchangeContext } from "./context.ts";
import type { RequestRelay } from "./request-relay.ts";

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** What is waited for. Null bytes: the whole body, or as much as is buffered at most. */
export interface AwaitedBody {
  readonly atLeastBytes: number | null;
}

interface Awaited {
  readonly body: AwaitedBody | null;
  readonly pending: PendingAnswer | null;
}

export class BodyWait {
  readonly #context: ExchangeContext;
  readonly #answer = new AnswerWait();
  #isForAnswer = false;
  #awaited: AwaitedBody | null = null;

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  /**
   * `body` null: rules wait for content that may also stay away. `pending`: they wait for an answer, not for
   * the body; `goOn` is called when it is here.
   */
  await({ body, pending }: Awaited, goOn: () => void): void {
    this.#awaited = body;
    this.#isForAnswer = pending !== null;
    if (pending !== null) this.#answer.await(pending, goOn);
  }

  /** Whoever sent the request is gone, or has been answered. */
  stop(): void {
    this.#answer.stop();
  }

  get wantsMore(): boolean {
    return !this.#isForAnswer;
  }

  asksFor(head: MessageHead): boolean {
    return this.wantsMore && expectsToBeAsked(head);
  }

  /** Shows the stream what is here of the body. "given-up": what had to come has not. */
  look(stream: Stream, relay: RequestRelay, isTimeUp: boolean): "wait" | "enough" | "given-up" {
    if (this.#isForAnswer) {
      if (this.#answer.isWaiting && !isTimeUp) return "wait";
      this.#answer.stop();
      return "enough";
    }
    const { content, isComplete } = relay.peekBody();
    stream.body = content;
    const { bufferBytes } = this.#context.runtime.configuration.global;
    const atLeastBytes = this.#awaited?.atLeastBytes ?? Number.POSITIVE_INFINITY;
    const isEnough = isComplete || relay.heldBytes >= bufferBytes || content.length >= atLeastBytes;
    if (!isEnough && !isTimeUp) return "wait";
    if (!isEnough && this.#awaited !== null) {
      stream.requestMs = -1;
      return "given-up";
    }
    stream.isContentFinal = true;
    this.countTime(stream);
    return "enough";
  }

  /** A body that is waited for belongs to the request whose time is told (`%TR`). */
  countTime(stream: Stream): void {
    if (this.#awaited !== null) stream.requestMs = this.#context.engine.nowMs - stream.startMs;
  }
}

/**
 * True for a client that sends its body only when it is asked to (RFC 9110 section 10.1.1). The server is not
 * asked yet, so we have to; the header is taken out, for the server must not do it once more.
 */
function expectsToBeAsked(head: MessageHead): boolean {
  if (head.versionMinor === 0 || head.firstValue("expect")?.toLowerCase() !== "100-continue") return false;
  head.removeHeader("expect");
  return true;
}
