// When a stream began and how long it took, in HAProxy's terms (manual 8.4). On a connection that is kept
// alive a stream begins with its first byte (the idle time before it is counted apart); the first one
// begins at accept.
import type { Stream } from "../stream.ts";

/** True for the first request on a connection and for tcp connections: it begins at accept. */
export function beginsAtAccept(stream: Stream): boolean {
  return stream.startMs === stream.session.acceptMs;
}

/** %Th, milliseconds; only the first request waits for the handshake. */
export function handshakeMs(stream: Stream): number {
  return beginsAtAccept(stream) ? Math.trunc(stream.session.handshakeMs) : 0;
}

function idleMs(stream: Stream): number {
  return stream.idleMs > 0 ? stream.idleMs : 0;
}

/** %t: accept, or the end of the request before. */
export function acceptDateMs(stream: Stream): number {
  return beginsAtAccept(stream) ? stream.startDateMs : stream.startDateMs - idleMs(stream);
}

/** %tr: the first byte of the request; accept while none came. */
export function requestDateMs(stream: Stream): number {
  if (!beginsAtAccept(stream)) return stream.startDateMs;
  return stream.idleMs < 0
    ? stream.startDateMs
    : stream.startDateMs + stream.idleMs + stream.session.handshakeMs;
}

/** %Tt: from accept, or the end of the request before, to the end. */
export function totalMs(stream: Stream): number {
  const ms = stream.endMs - stream.startMs;
  return Math.max(0, Math.trunc(beginsAtAccept(stream) ? ms : ms + idleMs(stream)));
}

/** From the first byte to the end, not rounded. */
export function durationMs(stream: Stream): number {
  const ms = stream.endMs - stream.startMs;
  if (!beginsAtAccept(stream) || stream.idleMs < 0) return ms;
  return ms - stream.idleMs - stream.session.handshakeMs;
}

/** %Ta: the same as logs print it. */
export function activeMs(stream: Stream): number {
  return Math.max(0, Math.trunc(durationMs(stream)));
}

/** %Tu: %Tt without the idle time. */
export function userMs(stream: Stream): number {
  return Math.max(0, totalMs(stream) - Math.trunc(idleMs(stream)));
}

/** %Tq: handshake, idle time and the request's head; -1 while the head is not complete. */
export function requestTotalMs(stream: Stream): number {
  if (stream.requestMs < 0) return -1;
  return handshakeMs(stream) + Math.trunc(idleMs(stream)) + Math.trunc(stream.requestMs);
}

/** %Td: what is left of %Tt behind the response's head (tcp: behind the connection to the server). */
export function dataMs(stream: Stream): number {
  const isHttp = (stream.backend?.definition ?? stream.frontend.definition).mode === "http";
  if (isHttp ? stream.responseMs < 0 : stream.connectMs < 0) return -1;
  const known = (ms: number) => (ms > 0 ? Math.trunc(ms) : 0);
  const before =
    known(stream.requestMs) +
    known(stream.queueMs) +
    known(stream.connectMs) +
    (isHttp ? known(stream.responseMs) : 0);
  return Math.max(0, activeMs(stream) - before);
}
