// Node's errors as Failures. The kernel's errno decides where there is one, OpenSSL's reason for TLS.
import { type Failure, type FailureKind, type FailureSide, failure } from "../../base/failure.ts";

const KIND_BY_CODE: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: "refused",
  // A unix socket whose file is not there.
  ENOENT: "refused",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EHOSTDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EAFNOSUPPORT: "unreachable",
  EINVAL: "unreachable",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
  EADDRINUSE: "address-in-use",
  EACCES: "permission",
  EPERM: "permission",
  EMFILE: "resource",
  ENFILE: "resource",
  ENOBUFS: "resource",
  ENOMEM: "resource",
  EAGAIN: "resource",
  ENOTSUP: "unsupported",
  EOPNOTSUPP: "unsupported",
};

/**
 * Errors that Node reports while TLS is being agreed on count as "tls" unless the kernel's errno says more.
 */
export function failureOfError(error: unknown, side: FailureSide, isConnecting: boolean): Failure {
  const { code, message } = error as { code?: string; message?: string };
  const kind = KIND_BY_CODE[code ?? ""] ?? (isTlsError(code, message) ? "tls" : "reset");
  return failure(kind, side, firstLine(message ?? code ?? "unknown error"), isConnecting && kind !== "tls");
}

/** Why a socket could not listen. */
export function listenFailure(error: unknown): Failure {
  const { code, message } = error as { code?: string; message?: string };
  // For a listener these two are about an address of this machine.
  const kind = code === "ENOENT" ? "unreachable" : (KIND_BY_CODE[code ?? ""] ?? "resource");
  return failure(kind, "proxy", firstLine(message ?? "cannot listen"));
}

function isTlsError(code: string | undefined, message: string | undefined): boolean {
  if (code === undefined) return message?.includes("SSL") ?? false;
  return /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|INVALID_|HOSTNAME_|EPROTO)/.test(
    code,
  );
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]!.trim();
}
