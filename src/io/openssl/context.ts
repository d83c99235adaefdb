// TLS contexts: what a spec of the contract means in OpenSSL's words. A context for each certificate, all set
// up alike; the server name callback chooses among them. Contexts are cached by content and live as long as
// the process, so a reload with the same certificates costs nothing and frees nothing under a running
// handshake.
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import { type Failure, failed, failure, type Result, success } from "../../base/failure.ts";
import { ServerNames } from "../../protocol/tls/server-names.ts";
import type {
  CertificateMaker,
  CertificateMaterial,
  ServedCertificate,
  TlsClientContext,
  TlsClientSpec,
  TlsServerContext,
  TlsServerSpec,
  TlsSettings,
} from "../../transport/contract.ts";
import { MadeCertificates } from "../made-certificates.ts";
import { sessionIdContext } from "../session-id-context.ts";
import { type Callbacks, openCallbacks } from "./callbacks.ts";
import { ClientSessions } from "./client-sessions.ts";
import * as control from "./control.ts";
import type { OpenSsl } from "./library.ts";
import { readCertificates, readParameters, readPrivateKey, readRevocationLists } from "./pem.ts";
import { certificateNames } from "./server-names.ts";
import { keepSessions } from "./server-sessions.ts";
import { TlsSession } from "./session.ts";

// Mozilla's intermediate profile, version 5.7. https://wiki.mozilla.org/Security/Server_Side_TLS
const INTERMEDIATE_CIPHERS =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" +
  "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
/**
 * The profile has no cipher for TLS below 1.2, and OpenSSL 3 allows those versions at its lowest level only.
 */
const OLD_CIPHERS = `${INTERMEDIATE_CIPHERS}:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA:@SECLEVEL=0`;
const CIPHERSUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
const TICKET_KEY_BYTES = 80;

export interface ChosenCertificate {
  readonly context: bigint;
  /** What is not as the listener has it; null: nothing. */
  readonly settings: ServedCertificate["settings"] | null;
}

export class OpenSslServerContext implements TlsServerContext {
  readonly kind = "tls-server";
  readonly spec: TlsServerSpec;
  readonly #openSsl: OpenSsl;
  readonly #contexts: readonly bigint[];
  readonly #names: ServerNames;
  readonly #verifies: boolean;
  /** Some certificate has settings of its own. */
  readonly isVaried: boolean;
  #made: MadeCertificates<bigint> | null = null;

  constructor(openSsl: OpenSsl, spec: TlsServerSpec, contexts: readonly bigint[], names: ServerNames) {
    this.#openSsl = openSsl;
    this.spec = spec;
    this.#contexts = contexts;
    this.#names = names;
    this.isVaried = spec.certificates.some(({ settings }) => settings !== undefined);
    this.#verifies =
      spec.clientVerify !== null || spec.certificates.some(({ settings }) => settings?.clientVerify != null);
  }

  /** The certificate for a server name ("" for none); null when strict SNI refuses it. */
  choose(serverName: string): ChosenCertificate | null {
    const index = this.#names.find(serverName);
    const made =
      index < 0 && serverName !== "" ? this.#made?.find(serverName.toLowerCase(), Date.now()) : null;
    if (made != null) return { context: made, settings: null };
    if (index < 0 && this.spec.strictSni) return null;
    const chosen = Math.max(index, 0);
    return { context: this.#contexts[chosen]!, settings: this.spec.certificates[chosen]!.settings ?? null };
  }

  /** Those that are not shown any more are freed when the last connection that was shown them is. */
  makeCertificatesBy(made: MadeCertificates<bigint>): void {
    this.#made = made;
  }

  createSession(): TlsSession {
    const ssl = this.#openSsl.calls.SSL_new(this.#contexts[0]!);
    return new TlsSession(this.#openSsl, ssl, {
      isServer: true,
      hasMadeCertificates: this.#made !== null,
      verifies: this.#verifies,
      serverName: "",
      sessions: null,
      sessionKey: "",
    });
  }
}

export class OpenSslClientContext implements TlsClientContext {
  readonly kind = "tls-client";
  readonly spec: TlsClientSpec;
  readonly #openSsl: OpenSsl;
  readonly #context: bigint;
  readonly #sessions: ClientSessions;

  constructor(openSsl: OpenSsl, spec: TlsClientSpec, context: bigint) {
    this.#openSsl = openSsl;
    this.spec = spec;
    this.#context = context;
    this.#sessions = new ClientSessions(openSsl);
  }

  /** `peer` tells servers apart whose sessions must not be mixed up, by address. */
  createSession(serverName: string, peer: string): TlsSession {
    const openSsl = this.#openSsl;
    const { calls } = openSsl;
    const ssl = calls.SSL_new(this.#context);
    // RFC 6066, section 3: SNI carries names, not addresses.
    const sentName = isIP(serverName) === 0 ? serverName : "";
    if (sentName !== "") {
      calls.SSL_ctrl(
        ssl,
        control.SSL_CTRL_SET_TLSEXT_HOSTNAME,
        BigInt(control.TLSEXT_NAMETYPE_HOST_NAME),
        openSsl.text(sentName).pointer,
      );
    }
    if (this.spec.verify !== null) this.#checkHost(ssl, this.spec.verify.host ?? serverName);
    const sessionKey = `${sentName} ${peer}`;
    this.#sessions.offer(ssl, sessionKey);
    return new TlsSession(openSsl, ssl, {
      isServer: false,
      hasMadeCertificates: false,
      verifies: this.spec.verify !== null,
      serverName: sentName,
      sessions: this.#sessions,
      sessionKey,
    });
  }

  #checkHost(ssl: bigint, host: string): void {
    if (host === "") return;
    const { calls } = this.#openSsl;
    const parameters = calls.SSL_get0_param(ssl);
    const { pointer, length } = this.#openSsl.text(host);
    if (isIP(host) === 0) calls.X509_VERIFY_PARAM_set1_host(parameters, pointer, BigInt(length));
    else calls.X509_VERIFY_PARAM_set1_ip_asc(parameters, pointer);
  }
}

const serverContexts = new Map<string, OpenSslServerContext>();
const clientContexts = new Map<string, OpenSslClientContext>();

function fingerprint(spec: TlsServerSpec | TlsClientSpec): string {
  const text = JSON.stringify(spec, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
  return createHash("sha256").update(text).digest("hex");
}

/** Fails with one sentence that names the certificate or setting at fault. */
export function createServerContext(openSsl: OpenSsl, spec: TlsServerSpec): Result<OpenSslServerContext> {
  const key = fingerprint(spec);
  const cached = serverContexts.get(key);
  if (cached !== undefined) return success(cached);
  if (spec.certificates.length === 0)
    return failed(tlsFailure("a TLS listener needs at least one certificate"));
  const callbacks = openCallbacks(openSsl);
  const names = new ServerNames();
  const contexts: bigint[] = [];
  const undo = (cause: Failure): Result<OpenSslServerContext> => {
    for (const context of contexts) openSsl.calls.SSL_CTX_free(context);
    return failed(cause);
  };
  for (const [index, certificate] of spec.certificates.entries()) {
    const context = openSsl.calls.SSL_CTX_new(openSsl.calls.TLS_server_method());
    contexts.push(context);
    const cause = configureServer(openSsl, context, spec, certificate);
    if (cause !== null) return undo(cause);
    names.add(certificate.names ?? certificateNames(certificate.certificatePem), index);
  }
  const created = new OpenSslServerContext(openSsl, spec, contexts, names);
  attachCallbacks(openSsl, callbacks, created, contexts);
  if (spec.maker != null) makeCertificates(openSsl, callbacks, created, spec.maker);
  serverContexts.set(key, created);
  return success(created);
}

/** Fails with one sentence that names what is at fault. */
export function createClientContext(openSsl: OpenSsl, spec: TlsClientSpec): Result<OpenSslClientContext> {
  const key = fingerprint(spec);
  const cached = clientContexts.get(key);
  if (cached !== undefined) return success(cached);
  const context = openSsl.calls.SSL_CTX_new(openSsl.calls.TLS_client_method());
  const cause = configureClient(openSsl, context, spec);
  if (cause !== null) {
    openSsl.calls.SSL_CTX_free(context);
    return failed(cause);
  }
  const created = new OpenSslClientContext(openSsl, spec, context);
  clientContexts.set(key, created);
  return success(created);
}

function makeCertificates(
  openSsl: OpenSsl,
  callbacks: Callbacks,
  created: OpenSslServerContext,
  maker: CertificateMaker,
): void {
  const { spec } = created;
  const { calls } = openSsl;
  const { dhPem = null } = spec.certificates[0]!;
  const protocolsId = callbacks.register(created, spec.alpn);
  const open = (material: CertificateMaterial): bigint | null => {
    const context = calls.SSL_CTX_new(calls.TLS_server_method());
    if (configureServer(openSsl, context, spec, { ...material, dhPem }) === null) {
      if (spec.alpn.length > 0) calls.SSL_CTX_set_alpn_select_cb(context, callbacks.alpn, protocolsId);
      return context;
    }
    calls.SSL_CTX_free(context);
    return null;
  };
  created.makeCertificatesBy(new MadeCertificates(maker, open, (context) => calls.SSL_CTX_free(context)));
}

function tlsFailure(message: string): Failure {
  return failure("tls", "proxy", message);
}

function attachCallbacks(
  openSsl: OpenSsl,
  callbacks: Callbacks,
  created: OpenSslServerContext,
  contexts: readonly bigint[],
): void {
  const { calls } = openSsl;
  const { spec } = created;
  const id = callbacks.register(created, spec.alpn);
  // Version and groups are agreed on before OpenSSL asks about the server name, so where they depend on it
  // the first message is looked at. Listeners without such certificates do not pay for it.
  for (const [index, context] of contexts.entries()) {
    calls.SSL_CTX_callback_ctrl(context, control.SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, callbacks.serverName);
    calls.SSL_CTX_ctrl(context, control.SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0n, id);
    if (created.isVaried) calls.SSL_CTX_set_client_hello_cb(context, callbacks.clientHello, id);
    const { settings } = spec.certificates[index]!;
    const protocols = settings?.alpn ?? spec.alpn;
    if (protocols.length === 0) continue;
    const ownId = settings === undefined ? id : callbacks.register(created, protocols);
    calls.SSL_CTX_set_alpn_select_cb(context, callbacks.alpn, ownId);
  }
}

function configureServer(
  openSsl: OpenSsl,
  context: bigint,
  spec: TlsServerSpec,
  certificate: ServedCertificate,
): Failure | null {
  const { calls } = openSsl;
  calls.SSL_CTX_set_options(
    context,
    control.SSL_OP_NO_COMPRESSION | control.SSL_OP_NO_RENEGOTIATION | control.SSL_OP_IGNORE_UNEXPECTED_EOF,
  );
  // As HAProxy does unless it is told prefer-client-ciphers.
  calls.SSL_CTX_set_options(context, control.SSL_OP_CIPHER_SERVER_PREFERENCE);
  calls.SSL_CTX_ctrl(context, control.SSL_CTRL_SET_SESS_CACHE_MODE, control.SSL_SESS_CACHE_OFF, 0n);
  const settings = certificate.settings ?? spec;
  const id = openSsl.text(sessionIdContext(settings));
  calls.SSL_CTX_set_session_id_context(context, id.pointer, id.length);
  return (
    applySettings(openSsl, context, settings) ??
    applyTickets(openSsl, context, spec) ??
    applyCertificate(openSsl, context, certificate) ??
    applyDhParameters(openSsl, context, certificate) ??
    (settings.clientVerify === null ? null : applyClientVerify(openSsl, context, settings.clientVerify))
  );
}

function configureClient(openSsl: OpenSsl, context: bigint, spec: TlsClientSpec): Failure | null {
  const { calls } = openSsl;
  calls.SSL_CTX_set_options(
    context,
    control.SSL_OP_NO_COMPRESSION | control.SSL_OP_NO_RENEGOTIATION | control.SSL_OP_IGNORE_UNEXPECTED_EOF,
  );
  calls.SSL_CTX_ctrl(
    context,
    control.SSL_CTRL_SET_SESS_CACHE_MODE,
    control.SSL_SESS_CACHE_CLIENT_NO_INTERNAL,
    0n,
  );
  calls.SSL_CTX_sess_set_new_cb(context, openCallbacks(openSsl).newSession);
  return (
    applySettings(openSsl, context, spec) ??
    applyClientProtocols(openSsl, context, spec.alpn) ??
    (spec.certificate === null ? null : applyCertificate(openSsl, context, spec.certificate)) ??
    (spec.verify === null ? null : applyServerVerify(openSsl, context, spec.verify))
  );
}

function applySettings(openSsl: OpenSsl, context: bigint, settings: TlsSettings): Failure | null {
  const { calls } = openSsl;
  const mode =
    control.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
    control.SSL_MODE_AUTO_RETRY |
    control.SSL_MODE_RELEASE_BUFFERS;
  calls.SSL_CTX_ctrl(context, control.SSL_CTRL_MODE, mode, 0n);
  const { minVersion, maxVersion } = settings;
  calls.SSL_CTX_ctrl(
    context,
    control.SSL_CTRL_SET_MIN_PROTO_VERSION,
    control.PROTOCOL_NUMBERS[minVersion],
    0n,
  );
  calls.SSL_CTX_ctrl(
    context,
    control.SSL_CTRL_SET_MAX_PROTO_VERSION,
    control.PROTOCOL_NUMBERS[maxVersion],
    0n,
  );
  const isOld = minVersion === "TLSv1.0" || minVersion === "TLSv1.1";
  const ciphers = settings.ciphers ?? (isOld ? OLD_CIPHERS : INTERMEDIATE_CIPHERS);
  const refuse = (what: string): Failure =>
    tlsFailure(`OpenSSL refuses the ${what} (${openSsl.takeError()})`);
  if (calls.SSL_CTX_set_cipher_list(context, openSsl.text(ciphers).pointer) !== 1)
    return refuse(`ciphers "${ciphers}"`);
  const suites = settings.ciphersuites ?? CIPHERSUITES;
  if (calls.SSL_CTX_set_ciphersuites(context, openSsl.text(suites).pointer) !== 1)
    return refuse(`ciphersuites "${suites}"`);
  // OpenSSL's own list: X25519MLKEM768 for peers that offer it, which costs each end about 70 µs more than
  // X25519 and keeps what is recorded today safe from a quantum computer; X25519 and P-256 for the others,
  // who pay nothing.
  if (settings.curves === null) return null;
  const isGood =
    calls.SSL_CTX_ctrl(
      context,
      control.SSL_CTRL_SET_GROUPS_LIST,
      0n,
      openSsl.text(settings.curves).pointer,
    ) === 1n;
  return isGood ? null : refuse(`curves "${settings.curves}"`);
}

function applyTickets(openSsl: OpenSsl, context: bigint, spec: TlsServerSpec): Failure | null {
  const { calls } = openSsl;
  const { ticketKeys: keys, sessionStore = null } = spec;
  if (keys === null) {
    calls.SSL_CTX_set_options(context, control.SSL_OP_NO_TICKET);
    // In TLS 1.3 a session without ticket goes by a ticket that is nothing but its id.
    calls.SSL_CTX_set_num_tickets(context, sessionStore === null ? 0n : 1n);
    if (sessionStore !== null) keepSessions(openSsl, context, sessionStore);
    return null;
  }
  // Each ticket is encoded and encrypted anew; a client that resumes is given another one, so the second is
  // for nothing.
  calls.SSL_CTX_set_num_tickets(context, 1n);
  if (keys.length !== TICKET_KEY_BYTES)
    return tlsFailure(`ticket keys have ${TICKET_KEY_BYTES} bytes, not ${keys.length}`);
  openSsl.gatherBytes.set(keys);
  calls.SSL_CTX_ctrl(
    context,
    control.SSL_CTRL_SET_TLSEXT_TICKET_KEYS,
    BigInt(TICKET_KEY_BYTES),
    openSsl.gather.pointer,
  );
  openSsl.gatherBytes.fill(0, 0, TICKET_KEY_BYTES);
  return null;
}

function applyCertificate(openSsl: OpenSsl, context: bigint, material: CertificateMaterial): Failure | null {
  const { calls } = openSsl;
  const chain = readCertificates(openSsl, material.certificatePem, material.name);
  if (!chain.ok) return chain.error;
  const [leaf, ...intermediates] = chain.value;
  const isLeafGood = calls.SSL_CTX_use_certificate(context, leaf!) === 1;
  calls.X509_free(leaf!);
  // The context takes over the chain's certificates.
  for (const certificate of intermediates)
    calls.SSL_CTX_ctrl(context, control.SSL_CTRL_CHAIN_CERT, 0n, certificate);
  if (!isLeafGood)
    return tlsFailure(`OpenSSL refuses the certificate ${material.name} (${openSsl.takeError()})`);
  const key = readPrivateKey(openSsl, material.keyPem, material.name);
  if (!key.ok) return key.error;
  const isKeyGood =
    calls.SSL_CTX_use_PrivateKey(context, key.value) === 1 && calls.SSL_CTX_check_private_key(context) === 1;
  calls.EVP_PKEY_free(key.value);
  if (isKeyGood) return null;
  return tlsFailure(
    `the private key of ${material.name} does not belong to its certificate (${openSsl.takeError()})`,
  );
}

function applyDhParameters(
  openSsl: OpenSsl,
  context: bigint,
  { dhPem = null, name }: ServedCertificate,
): Failure | null {
  if (dhPem === null) return null;
  const parameters = readParameters(openSsl, dhPem);
  if (parameters === 0n)
    return tlsFailure(`the DH parameters for ${name} cannot be read (${openSsl.takeError()})`);
  // The context takes them over. Those that are too weak for its level it refuses, and nobody could use them.
  if (openSsl.calls.SSL_CTX_set0_tmp_dh_pkey(context, parameters) !== 1) {
    openSsl.calls.EVP_PKEY_free(parameters);
    openSsl.calls.ERR_clear_error();
  }
  return null;
}

function applyAuthorities(
  openSsl: OpenSsl,
  context: bigint,
  trust: { readonly caPem: string; readonly crlPem: string | null },
  use: (certificate: bigint) => void,
): Failure | null {
  const { calls } = openSsl;
  const authorities = readCertificates(openSsl, trust.caPem, "the list of certificate authorities");
  if (!authorities.ok) return authorities.error;
  const store = calls.SSL_CTX_get_cert_store(context);
  for (const certificate of authorities.value) {
    calls.X509_STORE_add_cert(store, certificate);
    use(certificate);
    calls.X509_free(certificate);
  }
  if (trust.crlPem === null) return null;
  const lists = readRevocationLists(openSsl, trust.crlPem, "the revocation list");
  if (!lists.ok) return lists.error;
  for (const list of lists.value) {
    calls.X509_STORE_add_crl(store, list);
    calls.X509_CRL_free(list);
  }
  calls.X509_STORE_set_flags(store, control.X509_V_FLAG_CRL_CHECK | control.X509_V_FLAG_CRL_CHECK_ALL);
  return null;
}

function applyClientVerify(
  openSsl: OpenSsl,
  context: bigint,
  verify: NonNullable<TlsServerSpec["clientVerify"]>,
): Failure | null {
  const { calls } = openSsl;
  const flags =
    verify.mode === "required"
      ? control.SSL_VERIFY_PEER | control.SSL_VERIFY_FAIL_IF_NO_PEER_CERT
      : control.SSL_VERIFY_PEER;
  const { ignoredErrors, unnamedCaPem } = verify;
  const judge = ignoredErrors === undefined ? 0n : openCallbacks(openSsl).verify(ignoredErrors);
  calls.SSL_CTX_set_verify(context, flags, judge);
  return (
    applyAuthorities(openSsl, context, verify, (certificate) =>
      calls.SSL_CTX_add_client_CA(context, certificate),
    ) ??
    (unnamedCaPem === undefined
      ? null
      : applyAuthorities(openSsl, context, { caPem: unnamedCaPem, crlPem: null }, () => {}))
  );
}

function applyServerVerify(
  openSsl: OpenSsl,
  context: bigint,
  verify: NonNullable<TlsClientSpec["verify"]>,
): Failure | null {
  openSsl.calls.SSL_CTX_set_verify(context, control.SSL_VERIFY_PEER, 0n);
  const caPem = verify.caPem === "" ? getCACertificates("system").join("\n") : verify.caPem;
  return applyAuthorities(openSsl, context, { caPem, crlPem: verify.crlPem }, () => {});
}

function applyClientProtocols(
  openSsl: OpenSsl,
  context: bigint,
  protocols: readonly string[],
): Failure | null {
  if (protocols.length === 0) return null;
  const bytes = encodeProtocols(protocols);
  openSsl.gatherBytes.set(bytes);
  // Zero means success here, unlike everywhere else.
  if (openSsl.calls.SSL_CTX_set_alpn_protos(context, openSsl.gather.pointer, bytes.length) === 0) return null;
  return tlsFailure(`OpenSSL refuses the protocols ${protocols.join(",")} (${openSsl.takeError()})`);
}

/** RFC 7301, section 3.1: each protocol behind its length. */
export function encodeProtocols(protocols: readonly string[]): Uint8Array {
  return Buffer.concat(
    protocols.map((protocol) => Buffer.concat([Buffer.of(protocol.length), Buffer.from(protocol, "latin1")])),
  );
}
