// In a worker: tells the master of requests that have ended, for the dashboard. What it costs is bounded: of
// each tenth of a second, under load of each half, a few are told, and for all the rest it only counts. Those
// that failed have a share of their own, so that a flood of good ones cannot hide them, and so have those
// that a cookie still brings to a server that is to lose its visitors: an operator waits for the last of
// them. Credentials do not leave the worker.
import { Timer, type TimerTarget } from "../base/timer-wheel.ts";
import { isErroneous, shouldLog } from "../proxy/log/log-decision.ts";
import { durationMs } from "../proxy/log/timing.ts";
import type { Runtime } from "../proxy/runtime.ts";
import type { Stream } from "../proxy/stream.ts";
import type { Engine } from "../transport/contract.ts";
import type { EndedRequest, FromWorker } from "./messages.ts";

const WINDOW_MS = 100;
/**
 * Of each kind in one window, over all workers: the master has to take them all in. Telling of one takes the
 * worker 20 µs with its message and the master 10 µs; one that is only counted takes 15 ns (all measured on a
 * shared 2-core VM).
 */
const TOLD_MAX_OF_ALL = 50;
/**
 * Once so many end in a second, the processor's time is worth more than a list that nobody can read as fast:
 * the same number is told of a longer time, for waking the master costs as much as the message.
 */
const BUSY_FROM_PER_SECOND = 5000;
const BUSY_WINDOW_MS = 500;
/** However many workers there are, each can tell of some. */
const TOLD_MIN = 3;
const TARGET_CHARACTERS_MAX = 1024;
const HEADERS_MAX = 48;
const VALUE_CHARACTERS_MAX = 512;
const HIDDEN = "…";
const CREDENTIALS = /^(?:(?:proxy-)?authorization|.*(?:token|secret|passw|api-?key|session|credential).*)$/;

export class RequestReporter implements TimerTarget {
  readonly #engine: Engine;
  readonly #send: (message: FromWorker) => void;
  readonly #workerCount: number;
  readonly #toldMax: number;
  readonly #timer = new Timer(this);
  readonly #logless = new WeakMap<Runtime, boolean>();
  #requests: EndedRequest[] = [];
  #counts = noneOfAnyKind();
  #endedCount = 0;
  #windowMs = WINDOW_MS;

  constructor(engine: Engine, workerCount: number, send: (message: FromWorker) => void) {
    this.#engine = engine;
    this.#send = send;
    this.#workerCount = workerCount;
    this.#toldMax = Math.max(TOLD_MIN, Math.floor(TOLD_MAX_OF_ALL / workerCount));
  }

  /** Call with each stream that ends, while its request's head can be read. */
  note(stream: Stream): void {
    if (!this.#isOfInterest(stream)) return;
    if (this.#endedCount++ === 0) this.#engine.timers.arm(this.#timer, this.#engine.nowMs + this.#windowMs);
    const kind = kindOf(stream);
    if (++this.#counts[kind] <= this.#toldMax) this.#requests.push(describe(stream, kind === "failed"));
  }

  handleTimeout(): void {
    this.#send({ kind: "requests", requests: this.#requests, endedCount: this.#endedCount });
    const perSecond = (this.#endedCount * this.#workerCount * 1000) / this.#windowMs;
    this.#windowMs = perSecond >= BUSY_FROM_PER_SECOND ? BUSY_WINDOW_MS : WINDOW_MS;
    this.#requests = [];
    this.#counts = noneOfAnyKind();
    this.#endedCount = 0;
  }

  /** What is logged; where nothing at all is logged, everything. */
  #isOfInterest(stream: Stream): boolean {
    if (!shouldLog(stream)) return false;
    return stream.frontend.log !== null || this.#logsNothing(stream.runtime);
  }

  #logsNothing(runtime: Runtime): boolean {
    let answer = this.#logless.get(runtime);
    if (answer === undefined) {
      answer = runtime.frontends.every(({ log }) => log === null);
      this.#logless.set(runtime, answer);
    }
    return answer;
  }
}

type Kind = "good" | "failed" | "leaving";

function noneOfAnyKind(): Record<Kind, number> {
  return { good: 0, failed: 0, leaving: 0 };
}

function kindOf(stream: Stream): Kind {
  if (isErroneous(stream)) return "failed";
  return isPersistent(stream) && !stream.server!.isBalanced ? "leaving" : "good";
}

function isPersistent({ cookieRequest, server }: Stream): boolean {
  return cookieRequest === "V" && server !== null;
}

function describe(stream: Stream, isFailed: boolean): EndedRequest {
  const { session, frontend, backend, server, request } = stream;
  const isHttp = frontend.definition.mode === "http";
  const cookies = `${stream.cookieRequest}${stream.cookieResponse}`;
  return {
    atMs: stream.startDateMs,
    clientHost: session.source.host,
    clientPort: session.source.port,
    ownHost: session.destination.host,
    ownPort: session.destination.port,
    frontend: frontend.name,
    backend: backend?.name ?? null,
    server: stream.serviceName ?? server?.name ?? null,
    serverName: session.tls?.serverName ?? null,
    http:
      !isHttp || request === null
        ? null
        : {
            method: stream.originalMethod ?? request.method,
            target: (stream.originalTarget ?? request.target).slice(0, TARGET_CHARACTERS_MAX),
            status: stream.status,
            headers: headersOf(stream),
          },
    bytesIn: stream.bytesIn,
    bytesOut: stream.bytesOut,
    idleMs: stream.idleMs,
    requestMs: stream.requestMs,
    queueMs: stream.queueMs,
    connectMs: stream.connectMs,
    responseMs: stream.responseMs,
    totalMs: Math.max(0, durationMs(stream)),
    termination: `${stream.cause}${stream.phase}${isHttp ? cookies : ""}`,
    retries: stream.retries,
    isRedispatched: stream.isRedispatched,
    isFailed,
    isPersistent: isPersistent(stream),
  };
}

/** As they came: `request explanations` need what rules have seen, not what they made of it. */
function headersOf({ request, backend }: Stream): [string, string][] {
  const kept = backend?.settings.cookie?.name ?? null;
  return request!
    .receivedHeaders()
    .slice(0, HEADERS_MAX)
    .map(([name, value]) => {
      const text = name === "cookie" ? withoutCookieValues(value, kept) : value;
      return [name, CREDENTIALS.test(name) ? HIDDEN : text.slice(0, VALUE_CHARACTERS_MAX)];
    });
}

/** The persistence cookie names a server and nobody; all others may be somebody's session. */
function withoutCookieValues(header: string, kept: string | null): string {
  return header
    .split(";")
    .map((pair) => {
      const name = pair.split("=", 1)[0]!.trim();
      return name === kept ? pair.trim() : `${name}=${HIDDEN}`;
    })
    .join("; ");
}
