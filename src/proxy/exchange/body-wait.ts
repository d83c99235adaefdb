// Waiting for the body of a request before its rules go on (`wait-for-body`, `option http-buffer-request`,
// keys for balancing that stand in the body): how much is enough, and what a client that waits for a word is
// told.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import type { RequestRelay } from "./request-relay.ts";

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** What is waited for. Null bytes: the whole body, or as much as is buffered at most. */
export interface AwaitedBody {
  readonly atLeastBytes: number | null;
}

export class BodyWait {
  readonly #context: ExchangeContext;
  #awaited: AwaitedBody | null = null;

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  /** Null: rules wait for content that may also stay away. */
  await(awaited: AwaitedBody | null): void {
    this.#awaited = awaited;
  }

  /** Shows the stream what is here of the body. "given-up": what had to come has not. */
  look(stream: Stream, relay: RequestRelay, isTimeUp: boolean): "wait" | "enough" | "given-up" {
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
export function expectsToBeAsked(head: MessageHead): boolean {
  if (head.versionMinor === 0 || head.firstValue("expect")?.toLowerCase() !== "100-continue") return false;
  head.removeHeader("expect");
  return true;
}
