// How long an HTTP/2 connection may go on without getting anything done. Between requests, and before the
// first, that is as long as for one of HTTP/1; while an exchange is in progress, its own timeouts are what
// counts.
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Http2Client } from "./http2-client.ts";

/** How long a connection that we end may go on sending, so that our last frames are not lost to a reset. */
const LINGER_MS = 1000;

export class ConnectionTimer implements TimerTarget {
  readonly #client: Http2Client;
  readonly #timer = new Timer(this);
  /** What had been sent when it was last looked at. */
  #sentBytesBefore = -1;

  constructor(client: Http2Client) {
    this.#client = client;
  }

  /**
   * To be called when the first stream comes and when the last one goes only, so that no other frame makes
   * the time longer.
   */
  arm(): void {
    const { context, session, streams, frames, isOver } = this.#client;
    if (isOver) return;
    const { timers, nowMs } = context.engine;
    const { httpRequestMs, httpKeepAliveMs, clientMs } = session.frontend.definition.timeouts;
    const isFirst = session.requestCount === 0;
    const isBusy = streams.openCount > 0;
    const idleMs = (isFirst ? httpRequestMs : (httpKeepAliveMs ?? httpRequestMs)) ?? clientMs;
    const timeoutMs = isBusy ? clientMs : idleMs;
    this.#sentBytesBefore = isBusy ? -1 : frames.sentBytes;
    if (timeoutMs === null) timers.disarm(this.#timer);
    else timers.arm(this.#timer, nowMs + timeoutMs);
  }

  /** The connection is over but for what is on its way. */
  linger(): void {
    const { timers, nowMs } = this.#client.context.engine;
    timers.arm(this.#timer, nowMs + LINGER_MS);
  }

  remove(): void {
    this.#client.context.engine.timers.remove(this.#timer);
  }

  /** Nothing was asked for in time, or nothing taken of what is left of responses that are over. */
  handleTimeout(_nowMs: number): void {
    const client = this.#client;
    const { sentBytes } = client.frames;
    if (client.isOver) client.connection.close();
    else if (client.stream === null && sentBytes === this.#sentBytesBefore) client.endIdle();
    else this.arm();
    this.#sentBytesBefore = sentBytes;
  }
}
