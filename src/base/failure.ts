// What went wrong with an operation, as a value. Not for mistakes in a configuration (those are Diagnostics)
// and not for bugs of our own (those are assertions).

/** Which party an operation failed on. `proxy` means a limit or lack of our own. */
export type FailureSide = "client" | "server" | "proxy";

/** The closed set of ways in which an operation can fail. */
export type FailureKind =
  | "refused" // connect: nobody listens (ECONNREFUSED)
  | "unreachable" // connect: no route, network or host down
  | "reset" // the peer reset an established connection
  | "timeout"
  | "closed" // the peer closed before it was allowed to
  | "protocol" // the peer broke the protocol
  | "tls" // handshake or certificate verification failed
  | "address-in-use"
  | "permission"
  | "limit" // one of our own named limits was reached
  | "unsupported"
  | "resource"; // file descriptors, memory

export interface Failure {
  readonly kind: FailureKind;
  readonly side: FailureSide;
  /** True if trying again, perhaps elsewhere, can succeed and cannot do harm. */
  readonly retryable: boolean;
  /** One clear sentence without a full stop, for a log or a terminal. */
  readonly message: string;
}

export function failure(kind: FailureKind, side: FailureSide, message: string, retryable = false): Failure {
  return { kind, side, retryable, message };
}

/** The outcome of an operation that can fail: exactly one of the two members is there. */
export type Result<T, E = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function failed<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}
