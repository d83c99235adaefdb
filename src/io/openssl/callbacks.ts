// What OpenSSL calls back: the choice of certificate and of protocol, and new client sessions. One function
// of each kind for the process. A callback that throws would abort the process, so each catches everything
// and refuses instead.
import type { IgnoredErrors } from "../../transport/contract.ts";
import type { OpenSslServerContext } from "./context.ts";
import {
  ALERT_UNRECOGNIZED_NAME,
  PROTOCOL_NUMBERS,
  SSL_CLIENT_HELLO_ERROR,
  SSL_CLIENT_HELLO_SUCCESS,
  SSL_CTRL_SET_GROUPS_LIST,
  SSL_CTRL_SET_MAX_PROTO_VERSION,
  SSL_CTRL_SET_MIN_PROTO_VERSION,
  SSL_TLSEXT_ERR_ALERT_FATAL,
  SSL_TLSEXT_ERR_NOACK,
  SSL_TLSEXT_ERR_OK,
  TLSEXT_NAMETYPE_HOST_NAME,
  TLSEXT_TYPE_SERVER_NAME,
} from "./control.ts";
import type { OpenSsl } from "./library.ts";

export interface Callbacks {
  readonly serverName: bigint;
  readonly alpn: bigint;
  readonly newSession: bigint;
  readonly clientHello: bigint;
  /** Judges a verification that has found something wrong. */
  verify(ignored: IgnoredErrors): bigint;
  /** The argument that stands in OpenSSL's calls for a context and the protocols that it offers. */
  register(context: OpenSslServerContext, protocols: readonly string[]): bigint;
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
  const registered: { readonly context: OpenSslServerContext; readonly protocols: readonly string[] }[] = [];
  const of = (id: bigint): (typeof registered)[number] => registered[Number(id) - 1]!;
  const judges: Map<string, bigint> = new Map();
  return {
    register: (context, protocols) => BigInt(registered.push({ context, protocols })),
    verify: (ignored) => {
      const key = JSON.stringify(ignored);
      const judge = judges.get(key) ?? registerJudge(openSsl, ignored);
      judges.set(key, judge);
      return judge;
    },
    clientHello: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64", "u64"] } as const,
      (ssl: bigint, _alert: bigint, id: bigint): number => {
        try {
          return prepareForName(openSsl, of(id).context, ssl);
        } catch {
          return SSL_CLIENT_HELLO_ERROR;
        }
      },
    ),
    serverName: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64", "u64"] } as const,
      (ssl: bigint, alert: bigint, id: bigint): number => {
        try {
          return chooseCertificate(openSsl, of(id).context, ssl, alert);
        } catch {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
      },
    ),
    alpn: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64", "u64", "u64", "u32", "u64"] } as const,
      (_ssl: bigint, out: bigint, outLength: bigint, offered: bigint, length: number, id: bigint): number => {
        try {
          return chooseProtocol(openSsl, of(id).protocols, { out, outLength, offered, length });
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
  const chosen = context.choose(serverName);
  if (chosen === null) {
    ffi.setInt32(alert, 0, ALERT_UNRECOGNIZED_NAME);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  calls.SSL_set_SSL_CTX(ssl, chosen.context);
  return SSL_TLSEXT_ERR_OK;
}

/** Another context brings its certificate, but leaves it to us to ask for the client's. */
function takeVerification({ calls }: OpenSsl, ssl: bigint, context: bigint): void {
  calls.SSL_set_verify(
    ssl,
    calls.SSL_CTX_get_verify_mode(context),
    calls.SSL_CTX_get_verify_callback(context),
  );
  calls.SSL_set_client_CA_list(ssl, calls.SSL_dup_CA_list(calls.SSL_CTX_get_client_CA_list(context)));
}

/**
 * Versions, groups and verification of the certificate that the client's first message asks for, and which
 * sessions may be resumed with it: OpenSSL looks for a session before it asks about the name.
 */
function prepareForName(openSsl: OpenSsl, context: OpenSslServerContext, ssl: bigint): number {
  const { calls } = openSsl;
  const chosen = context.choose(askedName(openSsl, ssl));
  if (chosen === null) return SSL_CLIENT_HELLO_SUCCESS; // It is refused when OpenSSL asks about the name.
  const settings = chosen.settings ?? context.spec;
  calls.SSL_set_SSL_CTX(ssl, chosen.context);
  takeVerification(openSsl, ssl, chosen.context);
  const set = (what: number, value: bigint, pointer: bigint) => calls.SSL_ctrl(ssl, what, value, pointer);
  set(SSL_CTRL_SET_MIN_PROTO_VERSION, PROTOCOL_NUMBERS[settings.minVersion], 0n);
  set(SSL_CTRL_SET_MAX_PROTO_VERSION, PROTOCOL_NUMBERS[settings.maxVersion], 0n);
  if (settings.curves !== null) set(SSL_CTRL_SET_GROUPS_LIST, 0n, openSsl.text(settings.curves).pointer);
  return SSL_CLIENT_HELLO_SUCCESS;
}

/** RFC 6066, section 3: the length of the list, a zero for the kind of name, its length, the name. */
function askedName({ calls, results, resultWords, ffi }: OpenSsl, ssl: bigint): string {
  const { pointer } = results;
  if (calls.SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_SERVER_NAME, pointer, pointer + 8n) !== 1) return "";
  const length = Number(resultWords[1]!);
  if (length < 5) return "";
  const extension = ffi.toBuffer(resultWords[0]!, length, true);
  const end = 5 + extension.readUInt16BE(3);
  return extension[2] === 0 && end <= length ? extension.toString("latin1", 5, end) : "";
}

/** Goes on after a result that is ignored; OpenSSL keeps it as the result of the whole. */
function registerJudge(openSsl: OpenSsl, { ofClients, ofAuthorities }: IgnoredErrors): bigint {
  const { calls, library } = openSsl;
  return library.registerCallback(
    { return: "i32", arguments: ["i32", "u64"] } as const,
    (isGood: number, verification: bigint): number => {
      if (isGood === 1) return 1;
      try {
        const isClients = calls.X509_STORE_CTX_get_error_depth(verification) === 0;
        const ignored = isClients ? ofClients : ofAuthorities;
        return ignored === "all" || ignored.includes(calls.X509_STORE_CTX_get_error(verification)) ? 1 : 0;
      } catch {
        return 0;
      }
    },
  );
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
