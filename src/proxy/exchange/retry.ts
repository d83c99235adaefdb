// `retry-on`: whether an answer, or that there was none, is one for which a request is sent once more.
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import type { RequestRelay } from "./request-relay.ts";

/** A number is the status of an answer. */
export type RetryReason = "emptyResponse" | "junkResponse" | "responseTimeout" | number;

/** Before anything is sent: a request that may have to be sent again is kept, if it is not too large. */
export function prepareRetry({ runtime }: ExchangeContext, stream: Stream, relay: RequestRelay): void {
  const { emptyResponse, junkResponse, responseTimeout, statuses } = stream.backend!.settings.retryOn;
  const isAny = emptyResponse || junkResponse || responseTimeout || statuses.length > 0;
  if (isAny && !stream.isRetryDisabled) relay.keepSent(runtime.configuration.global.bufferBytes);
}

export function isRetried({ backend, retries, isRetryDisabled }: Stream, reason: RetryReason): boolean {
  const { settings } = backend!;
  if (isRetryDisabled || retries >= settings.retries) return false;
  return typeof reason === "number" ? settings.retryOn.statuses.includes(reason) : settings.retryOn[reason];
}
