// What happens to a client connection once its PROXY header and handshake are through, before anything else:
// addresses are known for good, and `tcp-request session` rules decide whether it may stay.
import { COUNTER } from "../state.ts";
import { countOwn } from "../stick-table/tracking.ts";
import { type Session, Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";

/** False when the connection is refused; the caller closes it. */
export function admitSession(context: ExchangeContext, session: Session): boolean {
  const { engine, state } = context;
  session.handshakeMs = engine.nowMs - session.acceptMs;
  const { proxied, remote, local } = session.connection;
  // What `tcp-request connection` rules set is the connection's own; the header speaks of the session.
  if (proxied !== null) {
    session.originalSource = session.source === proxied.source ? remote : session.source;
    session.originalDestination = session.destination === proxied.destination ? local : session.destination;
    session.source = proxied.source;
    session.destination = proxied.destination;
  }
  const program = session.frontend.programs.tcpRequestSession;
  if (program.isEmpty || program.run(new Stream(session, context.runtime), 0).kind === "done") {
    countOwn(session, "session", engine.nowMs);
    return true;
  }
  state.count(session.frontend.slot, COUNTER.dses);
  return false;
}
