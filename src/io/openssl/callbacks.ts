// What OpenSSL calls back: the choice of certificate and of protocol, and new client sessions. One function
// of each kind for the process. A callback that throws would abort the process, so each catches everything
// and refuses instead.
import type { OpenSslServerContext } from "./context.ts";
import {
  ALERT_UNRECOGNIZED_NAME,
  SSL_TLSEXT_ERR_ALERT_FATAL,
  SSL_TLSEXT_ERR_NOACK,
  SSL_TLSEXT_ERR_OK,
  TLSEXT_NAMETYPE_HOST_NAME,
} from "./control.ts";
import type { OpenSsl } from "./library.ts";

export interface Callbacks {
  readonly serverName: bigint;
  readonly alpn: bigint;
  readonly newSession: bigint;
  /** The argument that stands for a context in OpenSSL's calls. */
  register(context: OpenSslServerContext): bigint;
}

let opened: Callbacks | null = null;

export function openCallbacks(openSsl: OpenSsl): Callbacks {
  opened ??= registerCallbacks(openSsl);
  return opened;
}

// Pointers are declared as u64: that is what they are in the binary interface, and a bigint to the type
// checker.
function registerCallbacks(openSsl: OpenSsl): Callbacks {
  const { library } = openSsl;
  const contexts: OpenSslServerContext[] = [];
  const contextOf = (id: bigint): OpenSslServerContext => contexts[Number(id) - 1]!;
  return {
    register: (context) => BigInt(contexts.push(context)),
    serverName: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64", "u64"] } as const,
      (ssl: bigint, alert: bigint, id: bigint): number => {
        try {
          return chooseCertificate(openSsl, contextOf(id), ssl, alert);
        } catch {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
      },
    ),
    alpn: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64", "u64", "u64", "u32", "u64"] } as const,
      (_ssl: bigint, out: bigint, outLength: bigint, offered: bigint, length: number, id: bigint): number => {
        try {
          return chooseProtocol(openSsl, contextOf(id).spec.alpn, { out, outLength, offered, length });
        } catch {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
      },
    ),
    newSession: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64"] } as const,
      (_ssl: bigint, session: bigint): number => {
        try {
          return openSsl.receiver?.rememberSession(session) === true ? 1 : 0;
        } catch {
          return 0;
        }
      },
    ),
  };
}

function chooseCertificate(
  openSsl: OpenSsl,
  context: OpenSslServerContext,
  ssl: bigint,
  alert: bigint,
): number {
  const { calls, ffi } = openSsl;
  const serverName = openSsl.string(calls.SSL_get_servername(ssl, TLSEXT_NAMETYPE_HOST_NAME));
  const chosen = context.contextFor(serverName);
  if (chosen === 0n) {
    ffi.setInt32(alert, 0, ALERT_UNRECOGNIZED_NAME);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  calls.SSL_set_SSL_CTX(ssl, chosen);
  return SSL_TLSEXT_ERR_OK;
}

/** The server's first protocol that the client offers. The answer points into the client's own list. */
function chooseProtocol(
  openSsl: OpenSsl,
  wanted: readonly string[],
  call: {
    readonly out: bigint;
    readonly outLength: bigint;
    readonly offered: bigint;
    readonly length: number;
  },
): number {
  const list = openSsl.ffi.toBuffer(call.offered, call.length, true);
  for (const protocol of wanted) {
    for (let at = 0; at < list.length; at += 1 + list[at]!) {
      if (list.toString("latin1", at + 1, at + 1 + list[at]!) !== protocol) continue;
      openSsl.ffi.setUint64(call.out, 0, call.offered + BigInt(at + 1));
      openSsl.ffi.setUint8(call.outLength, 0, list[at]!);
      return SSL_TLSEXT_ERR_OK;
    }
  }
  // Going on without a protocol is what HAProxy does.
  return SSL_TLSEXT_ERR_NOACK;
}
