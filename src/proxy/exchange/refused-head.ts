// How streams begin, and the shortest of them: a head that never became complete, or was no HTTP. It has no
// request, meets no rules and no server, and its answer is HAProxy's raw text.
import { COUNTER, countRate } from "../state.ts";
import { countOwn, countTracked, countTrackedBytes, stopTracking } from "../stick-table/tracking.ts";
import { Stream } from "../stream.ts";
import { countStream } from "./accounting.ts";
import type { HttpClient } from "./http-client.ts";
import { earlyErrorText } from "./replies.ts";
import { replySource } from "./request-phases.ts";
import { sendText } from "./response-relay.ts";
import type { Termination } from "./termination.ts";

/** A stream for the head that the client has begun to send. */
function beginStream(client: HttpClient): Stream {
  const { session, headStartMs, idleSinceMs } = client;
  const { engine, state, runtime } = client.context;
  const stream = new Stream(session, runtime);
  session.requestCount++;
  stream.startMs = headStartMs;
  stream.startDateMs = engine.wallClockMs - (engine.nowMs - headStartMs);
  stream.idleMs = headStartMs - idleSinceMs;
  if (session.tracked !== null) countOwn(session, "request", engine.nowMs);
  client.switchedFrom = takeOver(stream, client.switchedFrom);
  if (stream.tracked !== null) countOwn(stream, "request", engine.nowMs);
  state.count(stream.frontend.slot, COUNTER.reqTot);
  countRate(state, stream.frontend.slot, COUNTER.reqRateSecond, engine.wallClockMs);
  return stream;
}

/** A stream for the whole head that the client has sent. */
export function beginRequest(client: HttpClient): Stream {
  const stream = beginStream(client);
  const head = client.request;
  stream.request = head;
  stream.requestMs = client.context.engine.nowMs - stream.startMs;
  stream.bytesIn = head.end - head.start;
  return stream;
}

/** What content rules have made of a connection in tcp mode goes on with its first request. */
function takeOver(stream: Stream, before: Stream | null): null {
  if (before === null) return null;
  stream.variables = before.variables;
  stream.tracked = before.tracked;
  before.tracked = null;
  stream.logLevel = before.logLevel;
  stream.requestCaptures = before.requestCaptures;
  stream.lastRuleFile = before.lastRuleFile;
  stream.lastRuleLine = before.lastRuleLine;
  stream.areContentRulesDone = true;
  return null;
}

/** Answers (if the client is still there), counts and logs; `receivedBytes` of the head have come. */
export function refuseHead(
  client: HttpClient,
  termination: Termination,
  status: number,
  receivedBytes: number,
): void {
  const { context, listener, connection } = client;
  const { engine, state } = context;
  const stream = beginStream(client);
  stream.bytesIn = receivedBytes;
  stream.status = status;
  stream.cause = termination.cause;
  stream.phase = termination.phase;
  stream.endMs = engine.nowMs;
  state.count(stream.frontend.slot, COUNTER.ereq);
  state.count(listener.slot, COUNTER.ereq);
  if (!connection.isClosed)
    sendText(connection, engine, stream, earlyErrorText(status, replySource(context, stream)));
  countTracked(stream, "error", engine.nowMs);
  countTrackedBytes(stream, engine.nowMs);
  countStream(state, stream, listener.slot, Math.floor(engine.wallClockMs / 1000));
  stream.frontend.log?.write(stream);
  context.streamEnded(stream);
  stopTracking(stream, engine.nowMs);
  client.finish(true);
}
