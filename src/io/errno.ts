// Linux error numbers and the Failures that they mean.
import { type Failure, type FailureKind, type FailureSide, failure } from "../base/failure.ts";

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ENOSYS = 38;
export const ETIME = 62;
export const EMSGSIZE = 90;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const ECANCELED = 125;

interface Meaning {
  readonly kind: FailureKind;
  readonly text: string;
}

const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [EPERM, { kind: "permission", text: "not permitted (EPERM)" }],
  [ENOENT, { kind: "refused", text: "no such file (ENOENT)" }],
  [ENOMEM, { kind: "resource", text: "out of memory (ENOMEM)" }],
  [EACCES, { kind: "permission", text: "permission denied (EACCES)" }],
  [ENFILE, { kind: "resource", text: "the machine is out of file descriptors (ENFILE)" }],
  [EMFILE, { kind: "resource", text: "out of file descriptors (EMFILE)" }],
  [EPIPE, { kind: "reset", text: "connection closed by the peer (EPIPE)" }],
  [EAGAIN, { kind: "resource", text: "no free local port or full backlog (EAGAIN)" }],
  [98, { kind: "address-in-use", text: "address already in use (EADDRINUSE)" }],
  [99, { kind: "resource", text: "cannot assign the local address (EADDRNOTAVAIL)" }],
  [100, { kind: "unreachable", text: "network is down (ENETDOWN)" }],
  [101, { kind: "unreachable", text: "network is unreachable (ENETUNREACH)" }],
  [ECONNABORTED, { kind: "reset", text: "connection aborted (ECONNABORTED)" }],
  [ECONNRESET, { kind: "reset", text: "connection reset by the peer (ECONNRESET)" }],
  [ENOBUFS, { kind: "resource", text: "no buffer space (ENOBUFS)" }],
  [110, { kind: "timeout", text: "timed out (ETIMEDOUT)" }],
  [111, { kind: "refused", text: "connection refused (ECONNREFUSED)" }],
  [112, { kind: "unreachable", text: "host is down (EHOSTDOWN)" }],
  [113, { kind: "unreachable", text: "no route to host (EHOSTUNREACH)" }],
]);

/**
 * `errno` positive, `what` the operation ("connect to 192.0.2.1:80"). Failures of a connect may be tried
 * again.
 */
export function errnoFailure(errno: number, side: FailureSide, what: string, retryable = false): Failure {
  const meaning = MEANINGS.get(errno);
  return failure(
    meaning?.kind ?? "resource",
    side,
    `${what}: ${meaning?.text ?? `error ${errno}`}`,
    retryable,
  );
}
