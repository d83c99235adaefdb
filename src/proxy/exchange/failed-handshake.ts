// A connection that ended before its PROXY header or TLS handshake was complete: counted, and told in one log
// line of HAProxy's, which has no stream to speak of.
import type { Failure } from "../../base/failure.ts";
import { COUNTER } from "../state.ts";
import type { Session } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";

/** Call once, when such a connection has closed. */
export function endFailedHandshake(
  context: ExchangeContext,
  session: Session,
  listenerSlot: number,
  failure: Failure | null,
): void {
  context.state.count(listenerSlot, COUNTER.failedHandshakes);
  const { frontend } = session;
  const isSilentEnd = failure === null || failure.kind === "closed" || failure.kind === "reset";
  if (frontend.log === null || (isSilentEnd && frontend.definition.options.dontlognull)) return;
  const isProxyHeader = session.bind.acceptProxy && session.connection.proxied === null;
  frontend.log.writeFailure(session, sentenceOf(isProxyHeader, isSilentEnd, failure?.kind === "timeout"));
}

function sentenceOf(isProxyHeader: boolean, isSilentEnd: boolean, isTimeout: boolean): string {
  if (isProxyHeader) {
    if (isTimeout) return "Timeout while waiting for the PROXY protocol header";
    return isSilentEnd
      ? "Connection closed while waiting for PROXY protocol header"
      : "Received something which does not look like a PROXY protocol header";
  }
  if (isTimeout) return "Timeout during SSL handshake";
  return isSilentEnd ? "Connection closed during SSL handshake" : "SSL handshake failure";
}
