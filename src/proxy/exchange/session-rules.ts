// What happens to a client connection once its PROXY header and handshake are through, before anything else:
// addresses are known for good, and `tcp-request session` rules decide whether it may stay.
import { COUNTER } from "../state.ts";
import { type Session, Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";

/** False when the connection is refused; the caller closes it. */
export function admitSession(context: ExchangeContext, session: Session): boolean {
  const { engine, state } = context;
  session.handshakeMs = engine.nowMs - session.acceptMs;
  const { proxied, remote, local } = session.connection;
  session.source = proxied?.source ?? remote;
  session.destination = proxied?.destination ?? local;
  const program = session.frontend.programs.tcpRequestSession;
  if (program.isEmpty || program.run(new Stream(session, context.runtime), 0).kind === "done") return true;
  state.count(session.frontend.slot, COUNTER.dses);
  return false;
}
