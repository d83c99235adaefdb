// The one seam that turns a Failure, and the phase in which it struck, into what the client gets and what the
// log says: HTTP status and HAProxy's termination state (configuration manual, section 8.5).
import type { Failure } from "../../base/failure.ts";
import type { TerminationCause, TerminationPhase } from "../stream.ts";

export interface Termination {
  readonly cause: TerminationCause;
  readonly phase: TerminationPhase;
  /** Status of our own reply; 0 when there is nobody to answer or the response has begun. */
  readonly status: number;
}

const end = (cause: TerminationCause, phase: TerminationPhase, status: number): Termination => ({
  cause,
  phase,
  status,
});

type TerminationName =
  | "badRequest"
  | "requestTimeout"
  | "clientClosedInRequest"
  | "denied"
  | "tarpit"
  | "local"
  | "localInResponse"
  | "noServer"
  | "queueTimeout"
  | "connectRefused"
  | "connectTimeout"
  | "serverBusy"
  | "proxyLimit"
  | "clientGoneInBody"
  | "clientGoneInQueue"
  | "clientGoneInConnect"
  | "clientGoneBeforeResponse"
  | "clientAborted"
  | "clientGoneInData"
  | "clientTimeoutInData"
  | "serverClosedBeforeResponse"
  | "serverClosedOnReuse"
  | "badResponse"
  | "responseDenied"
  | "responseRejected"
  | "serverTimeout"
  | "responseBodyTimeout"
  | "serverClosedInData"
  | "serverTimeoutInData"
  | "killed";

export const TERMINATION: Readonly<Record<TerminationName, Termination>> = {
  badRequest: end("P", "R", 400),
  requestTimeout: end("c", "R", 408),
  clientClosedInRequest: end("C", "R", 400),
  denied: end("P", "R", 403),
  tarpit: end("P", "T", 500),
  local: end("L", "R", 200),
  localInResponse: end("L", "H", 200),
  noServer: end("S", "C", 503),
  queueTimeout: end("s", "Q", 503),
  connectRefused: end("S", "C", 503),
  connectTimeout: end("s", "C", 503),
  serverBusy: end("S", "Q", 503),
  proxyLimit: end("R", "C", 503),
  clientGoneInBody: end("C", "R", 0),
  clientGoneInQueue: end("C", "Q", 0),
  clientGoneInConnect: end("C", "C", 0),
  clientGoneBeforeResponse: end("C", "H", 0),
  // `option abortonclose`: it may still read what it does not wait for.
  clientAborted: end("C", "H", 400),
  clientGoneInData: end("C", "D", 0),
  clientTimeoutInData: end("c", "D", 408),
  serverClosedBeforeResponse: end("S", "H", 502),
  serverClosedOnReuse: end("S", "H", 0),
  badResponse: end("P", "H", 502),
  responseDenied: end("P", "H", 502),
  // `tcp-response content reject`: there is no answer.
  responseRejected: end("P", "D", 0),
  serverTimeout: end("s", "H", 504),
  // The phase that HAProxy logs where a rule waits.
  responseBodyTimeout: end("s", "R", 504),
  serverClosedInData: end("S", "D", 0),
  serverTimeoutInData: end("s", "D", 0),
  killed: end("K", "D", 0),
};

/** Why connecting to a server came to nothing. */
export function terminationOfConnect(failure: Failure): Termination {
  if (failure.kind === "timeout") return TERMINATION.connectTimeout;
  return failure.side === "proxy" ? TERMINATION.proxyLimit : TERMINATION.connectRefused;
}
