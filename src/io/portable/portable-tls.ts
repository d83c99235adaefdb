// TLS contexts for the portable engine: what a spec means in the words of node:tls, and the handshake on top
// of a connected socket. Known difference from OpenSSL used directly: when no ALPN protocol is shared Node
// refuses the handshake (RFC 7301 section 3.2), where HAProxy goes on without one. And Node chooses the
// certificate late: of its own settings only ciphers and authorities count, not versions, groups, protocols
// or whether a client's certificate is asked for.
import { constants, createHash, X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  TLSSocket,
} from "node:tls";
import { type Failure, failed, failure, type Result, success } from "../../base/failure.ts";
import { ServerNames } from "../../protocol/tls/server-names.ts";
import type {
  CertificateMaterial,
  IgnoredErrors,
  TlsClientContext,
  TlsClientSpec,
  TlsFacts,
  TlsServerContext,
  TlsServerSpec,
  TlsSettings,
  TlsVersion,
} from "../../transport/contract.ts";
import { MadeCertificates } from "../made-certificates.ts";
import { sessionIdContext } from "../session-id-context.ts";
import { failureOfError } from "./socket-failure.ts";

/** Sessions a client context remembers; the oldest goes first. */
const CLIENT_SESSIONS_MAX = 1024;

/** Mozilla's intermediate profile. */
const DEFAULT_CIPHERS: string = [
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
  "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305",
].join(":");
const DEFAULT_CIPHERSUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

const NODE_VERSION: Readonly<Record<TlsVersion, SecureVersion>> = {
  "TLSv1.0": "TLSv1",
  "TLSv1.1": "TLSv1.1",
  "TLSv1.2": "TLSv1.2",
  "TLSv1.3": "TLSv1.3",
};

export class PortableTlsServerContext implements TlsServerContext {
  readonly kind = "tls-server";
  readonly spec: TlsServerSpec;
  /** For clients without SNI. Has no certificate under strict SNI, so that such a handshake fails. */
  readonly fallback: SecureContext;
  readonly #contexts: readonly SecureContext[];
  readonly #names = new ServerNames();
  readonly #made: MadeCertificates<SecureContext> | null;

  /** Throws what node:tls throws at bad material. */
  constructor(spec: TlsServerSpec) {
    this.spec = spec;
    this.#contexts = spec.certificates.map(
      ({ certificatePem, keyPem, dhPem, names, settings = {} }, index) => {
        this.#names.add(names ?? namesOf(certificatePem), index);
        const options = { ...serverOptions({ ...spec, ...settings }), cert: certificatePem, key: keyPem };
        return withDhParameters(options, dhPem ?? null);
      },
    );
    const open = ({ certificatePem, keyPem }: CertificateMaterial) =>
      createSecureContext({ ...serverOptions(spec), cert: certificatePem, key: keyPem });
    this.#made = spec.maker == null ? null : new MadeCertificates(spec.maker, open, () => {});
    const first = this.#contexts[0];
    this.fallback = spec.strictSni || first === undefined ? createSecureContext(serverOptions(spec)) : first;
  }

  /** The context for a name: exact, then one wildcard label, then the default. Null: refuse. */
  contextFor(serverName: string): SecureContext | null {
    const index = this.#names.find(serverName);
    const made =
      index < 0 && serverName !== "" ? this.#made?.find(serverName.toLowerCase(), Date.now()) : null;
    if (made != null) return made;
    return this.#contexts[index] ?? (this.spec.strictSni ? null : this.fallback);
  }
}

export class PortableTlsClientContext implements TlsClientContext {
  readonly kind = "tls-client";
  readonly spec: TlsClientSpec;
  readonly secureContext: SecureContext;
  readonly #sessions: Map<string, Buffer> = new Map();

  /** Throws what node:tls throws at bad material. */
  constructor(spec: TlsClientSpec) {
    this.spec = spec;
    const { verify, certificate } = spec;
    this.secureContext = createSecureContext({
      ...commonOptions(spec),
      ...(verify === null ? {} : { ca: verify.caPem === "" ? getCACertificates("system") : verify.caPem }),
      ...(verify?.crlPem ? { crl: verify.crlPem } : {}),
      ...(certificate === null ? {} : { cert: certificate.certificatePem, key: certificate.keyPem }),
    });
  }

  sessionFor(key: string): Buffer | undefined {
    return this.#sessions.get(key);
  }

  rememberSession(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= CLIENT_SESSIONS_MAX) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }
}

export function createPortableTlsServerContext(spec: TlsServerSpec): Result<TlsServerContext> {
  return attempt(() => new PortableTlsServerContext(spec));
}

export function createPortableTlsClientContext(spec: TlsClientSpec): Result<TlsClientContext> {
  return attempt(() => new PortableTlsClientContext(spec));
}

/** What a handshake ends in: a stream with facts, or a failure. Called once. */
export interface HandshakeOutcome {
  succeed(stream: TLSSocket, facts: TlsFacts): void;
  fail(cause: Failure): void;
}

export function handshakeAsServer(
  socket: Socket,
  context: PortableTlsServerContext,
  outcome: HandshakeOutcome,
): void {
  const { spec } = context;
  const stream = new TLSSocket(socket, {
    isServer: true,
    secureContext: context.fallback,
    requestCert: spec.clientVerify !== null,
    // Who comes without one is refused below, too; OpenSSL's own refusal would know no exceptions.
    rejectUnauthorized:
      spec.clientVerify?.mode === "required" && spec.clientVerify.ignoredErrors === undefined,
    ...(spec.alpn.length > 0 ? { ALPNProtocols: [...spec.alpn] } : {}),
    SNICallback: (serverName, done) => {
      const chosen = context.contextFor(serverName);
      if (chosen === null) done(new Error(`no certificate for ${serverName}`));
      else done(null, chosen);
    },
  });
  const fail = onceFailed(stream, "client", outcome);
  stream.once("secure", () => {
    const verdict = spec.clientVerify === null ? GOOD : judgeClient(stream, spec.clientVerify);
    if (verdict.refusal !== null) return fail(failure("tls", "client", verdict.refusal));
    const facts = factsOf(stream, String(stream.servername || ""), true);
    outcome.succeed(stream, { ...facts, verifyResult: verdict.result });
  });
}

export function handshakeAsClient(
  socket: Socket,
  context: PortableTlsClientContext,
  options: { readonly serverName: string; readonly peerKey: string },
  outcome: HandshakeOutcome,
): void {
  const { spec } = context;
  // RFC 6066 section 3: SNI carries names, not addresses.
  const serverName = isIP(options.serverName) === 0 ? options.serverName : "";
  const nameToCheck = spec.verify?.host ?? options.serverName;
  const sessionKey = `${serverName} ${options.peerKey}`;
  const session = context.sessionFor(sessionKey);
  const stream = connectTls({
    socket,
    secureContext: context.secureContext,
    servername: serverName,
    rejectUnauthorized: spec.verify !== null,
    checkServerIdentity: (_host, certificate) =>
      nameToCheck === "" ? undefined : checkServerIdentity(nameToCheck, certificate),
    ...(spec.alpn.length > 0 ? { ALPNProtocols: [...spec.alpn] } : {}),
    ...(session === undefined ? {} : { session }),
  });
  stream.on("session", (received) => context.rememberSession(sessionKey, received));
  onceFailed(stream, "server", outcome);
  stream.once("secureConnect", () => outcome.succeed(stream, factsOf(stream, serverName, false)));
}

function onceFailed(
  stream: TLSSocket,
  side: "client" | "server",
  outcome: HandshakeOutcome,
): (cause: Failure) => void {
  let isSettled = false;
  const settle = (): boolean => !isSettled && (isSettled = true);
  const fail = (cause: Failure): void => {
    if (settle()) outcome.fail(cause);
  };
  const failWith = (error: Error): void => {
    // Node calls a peer that hangs up in the handshake ECONNRESET, whether or not there was an RST.
    const isHangUp = "code" in error && error.code === "ECONNRESET" && !("syscall" in error);
    if (isHangUp) fail(failure("closed", side, error.message, true));
    else if ("syscall" in error) fail(failureOfError(error, side, true));
    else fail(failure("tls", side, error.message.split("\n", 1)[0]!));
  };
  // Node keeps server-side handshake errors away from "error" until the handshake is done.
  stream.on("_tlsError", failWith);
  stream.on("error", failWith);
  stream.once("end", () => fail(failure("closed", side, "the peer closed during the TLS handshake", true)));
  stream.once("close", () =>
    fail(failure("closed", side, "the connection closed during the TLS handshake", true)),
  );
  stream.prependOnceListener(side === "client" ? "secure" : "secureConnect", () => queueMicrotask(settle));
  return fail;
}

interface Verdict {
  readonly refusal: string | null;
  /** OpenSSL's number. */
  readonly result: number;
}
const GOOD: Verdict = { refusal: null, result: 0 };

/** Of the errors that Node tells by name, those that somebody may want to ignore (x509_vfy.h). */
const VERIFY_RESULTS: Readonly<Record<string, number>> = {
  UNABLE_TO_GET_ISSUER_CERT: 2,
  UNABLE_TO_GET_CRL: 3,
  CERT_NOT_YET_VALID: 9,
  CERT_HAS_EXPIRED: 10,
  CRL_NOT_YET_VALID: 11,
  CRL_HAS_EXPIRED: 12,
  DEPTH_ZERO_SELF_SIGNED_CERT: 18,
  SELF_SIGNED_CERT_IN_CHAIN: 19,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 20,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 21,
  CERT_REVOKED: 23,
  INVALID_CA: 24,
  INVALID_PURPOSE: 26,
  CERT_UNTRUSTED: 27,
  CERT_REJECTED: 28,
};

/** Node leaves this judgement to its own tls.Server. */
function judgeClient(stream: TLSSocket, verify: NonNullable<TlsServerSpec["clientVerify"]>): Verdict {
  if (stream.getPeerX509Certificate() === undefined)
    return verify.mode === "required" ? { refusal: "the client has no certificate", result: 0 } : GOOD;
  const { _handle: handle } = stream as unknown as {
    _handle: { verifyError(): (Error & { code?: string }) | null } | null;
  };
  const error = handle?.verifyError() ?? null;
  if (error === null) return GOOD;
  const result = VERIFY_RESULTS[error.code ?? ""] ?? 0;
  const isIgnored = result > 0 && mayIgnore(verify.ignoredErrors, result);
  return { refusal: isIgnored ? null : `client certificate refused: ${error.message}`, result };
}

/** Node does not tell whose error it is, so it has to be ignored for the client and for its authorities. */
function mayIgnore(ignored: IgnoredErrors | undefined, result: number): boolean {
  if (ignored === undefined) return false;
  const lists = [ignored.ofClients, ignored.ofAuthorities];
  return lists.every((list) => list === "all" || list.includes(result));
}

/** As OpenSSL tells it, a client's chain is without its own certificate, a server's with it. */
function chainOf(stream: TLSSocket, isServer: boolean): Uint8Array | null {
  const chain: Uint8Array[] = [];
  let certificate = stream.getPeerX509Certificate();
  if (isServer) certificate = certificate?.issuerCertificate;
  for (; certificate !== undefined; certificate = certificate.issuerCertificate) chain.push(certificate.raw);
  return chain.length === 0 ? null : Buffer.concat(chain);
}

function factsOf(stream: TLSSocket, serverName: string, isServer: boolean): TlsFacts {
  return {
    version: stream.getProtocol() ?? "",
    cipher: stream.getCipher().name,
    serverName,
    alpn: stream.alpnProtocol || "",
    isResumed: stream.isSessionReused(),
    peerCertificate: stream.getPeerX509Certificate()?.raw ?? null,
    peerChain: chainOf(stream, isServer),
    ownCertificate: stream.getX509Certificate()?.raw ?? null,
    // A bad certificate never gets as far as facts here.
    verifyResult: 0,
  };
}

function commonOptions(settings: TlsSettings): SecureContextOptions {
  return {
    minVersion: NODE_VERSION[settings.minVersion],
    maxVersion: NODE_VERSION[settings.maxVersion],
    ciphers: `${settings.ciphersuites ?? DEFAULT_CIPHERSUITES}:${settings.ciphers ?? DEFAULT_CIPHERS}`,
    ecdhCurve: settings.curves ?? "auto",
  };
}

/** Parameters that are too weak for the level are refused, and nobody could use them. */
function withDhParameters(options: SecureContextOptions, dhPem: string | null): SecureContext {
  if (dhPem === null) return createSecureContext(options);
  try {
    return createSecureContext({ ...options, dhparam: dhPem });
  } catch {
    return createSecureContext(options);
  }
}

function serverOptions(spec: TlsServerSpec): SecureContextOptions {
  const { clientVerify } = spec;
  return {
    ...commonOptions(spec),
    honorCipherOrder: true,
    sessionIdContext: sessionIdContext(spec),
    ...(spec.ticketKeys === null
      ? { secureOptions: constants.SSL_OP_NO_TICKET }
      : { ticketKeys: nodeTicketKeys(spec.ticketKeys) }),
    ...(clientVerify === null ? {} : { ca: [clientVerify.caPem, clientVerify.unnamedCaPem ?? []].flat() }),
    ...(clientVerify?.crlPem ? { crl: clientVerify.crlPem } : {}),
  };
}

/** Node wants 48 bytes (16 name, 16 HMAC, 16 AES); all workers derive the same ones from the 80. */
function nodeTicketKeys(keys: Uint8Array): Buffer {
  return createHash("sha512").update(keys).digest().subarray(0, 48);
}

/** Lower-case names that a leaf answers to: its DNS alternative names and, as in HAProxy, its common name. */
function namesOf(certificatePem: string): string[] {
  const certificate = new X509Certificate(certificatePem);
  const alternative = [...(certificate.subjectAltName ?? "").matchAll(/DNS:([^,\s]+)/g)].map(
    (match) => match[1]!,
  );
  const common = [...certificate.subject.matchAll(/^CN=(.+)$/gm)].map((match) => match[1]!);
  return [...alternative, ...common].map((name) => name.toLowerCase());
}

function attempt<T>(make: () => T): Result<T> {
  try {
    return success(make());
  } catch (error) {
    return failed(failure("tls", "proxy", error instanceof Error ? error.message : String(error)));
  }
}
