// One TLS connection, sans I/O: bytes of the socket are set as OpenSSL's input by the caller
// (`OpenSsl.setInput`), and what OpenSSL wants sent is taken from its output. Frees its SSL exactly once; a
// failed one says why, and leaves OpenSSL's error queue empty so that no other connection is blamed.
import type { TlsFacts } from "../../transport/contract.ts";
import type { ClientSessions } from "./client-sessions.ts";
import { SSL_ERROR_WANT_READ, SSL_ERROR_ZERO_RETURN } from "./control.ts";
import type { OpenSsl } from "./library.ts";

/** Results of `read` that are no byte counts. */
export const READ_WANTS_INPUT = 0;
export const READ_ENDED = -1;
export const READ_FAILED = -2;

export interface SessionRole {
  readonly isServer: boolean;
  /** The peer's certificate is verified, where it has one. */
  readonly verifies: boolean;
  /** The name that a client sends; unused on a server. */
  readonly serverName: string;
  /** The listener makes certificates on the fly. */
  readonly hasMadeCertificates: boolean;
  readonly sessions: ClientSessions | null;
  readonly sessionKey: string;
}

export type HandshakeStep = "done" | "wants-input" | "failed";

export class TlsSession {
  /** Why the handshake or a read failed. */
  error = "";
  readonly #openSsl: OpenSsl;
  readonly #role: SessionRole;
  #ssl: bigint;

  constructor(openSsl: OpenSsl, ssl: bigint, role: SessionRole) {
    if (ssl === 0n) throw new Error(`OpenSSL cannot make a connection: ${openSsl.takeError()}`);
    this.#openSsl = openSsl;
    this.#ssl = ssl;
    this.#role = role;
    openSsl.sessionCount++;
    openSsl.attachBios(ssl);
    if (role.isServer) openSsl.calls.SSL_set_accept_state(ssl);
    else openSsl.calls.SSL_set_connect_state(ssl);
  }

  handshake(): HandshakeStep {
    this.#openSsl.receiver = this;
    const result = this.#openSsl.calls.SSL_do_handshake(this.#ssl);
    if (result === 1) return "done";
    if (this.#openSsl.calls.SSL_get_error(this.#ssl, result) === SSL_ERROR_WANT_READ) return "wants-input";
    this.#fail();
    return "failed";
  }

  /** Decrypts up to `capacity` bytes to `pointer`: their number, or one of the READ_* results. */
  read(pointer: bigint, capacity: number): number {
    this.#openSsl.receiver = this;
    const result = this.#openSsl.calls.SSL_read(this.#ssl, pointer, capacity);
    if (result > 0) return result;
    const error = this.#openSsl.calls.SSL_get_error(this.#ssl, result);
    if (error === SSL_ERROR_WANT_READ) return READ_WANTS_INPUT;
    if (error === SSL_ERROR_ZERO_RETURN) return READ_ENDED;
    this.#fail();
    return READ_FAILED;
  }

  /** Decrypted bytes of the last record that `read` had no room for. */
  get pendingLength(): number {
    return this.#openSsl.calls.SSL_pending(this.#ssl);
  }

  /** Encrypts into OpenSSL's output. False when the connection has failed. */
  write(pointer: bigint, length: number): boolean {
    if (this.#openSsl.calls.SSL_write(this.#ssl, pointer, length) === length) return true;
    this.#fail();
    return false;
  }

  /** Puts close_notify into the output. */
  endWriting(): void {
    if (this.#openSsl.calls.SSL_shutdown(this.#ssl) < 0) this.#openSsl.calls.ERR_clear_error();
  }

  /** What the finished handshake agreed on. The peer's certificate is read only where one was asked for. */
  facts(wantsCertificate: boolean): TlsFacts {
    const openSsl = this.#openSsl;
    const { calls } = openSsl;
    const ssl = this.#ssl;
    const { isServer, serverName } = this.#role;
    return {
      version: openSsl.constantString(calls.SSL_get_version(ssl)),
      cipher: openSsl.constantString(calls.SSL_CIPHER_get_name(calls.SSL_get_current_cipher(ssl))),
      serverName: isServer ? openSsl.string(calls.SSL_get_servername(ssl, 0)) : serverName,
      alpn: this.#protocol(),
      isResumed: calls.SSL_session_reused(ssl) === 1,
      peerCertificate: wantsCertificate ? this.#encode(calls.SSL_get0_peer_certificate(ssl)) : null,
      peerChain: wantsCertificate ? this.#peerChain() : null,
      ownCertificate: this.#ownCertificate(),
      verifyResult: this.#role.verifies ? Number(calls.SSL_get_verify_result(ssl)) : 0,
    };
  }

  /** For the callback: a session to resume. True when its reference was taken over. */
  rememberSession(session: bigint): boolean {
    const { sessions, sessionKey } = this.#role;
    sessions?.remember(sessionKey, session);
    return sessions !== null;
  }

  free(): void {
    if (this.#ssl === 0n) return;
    this.#openSsl.calls.SSL_free(this.#ssl);
    this.#openSsl.sessionCount--;
    if (this.#openSsl.receiver === this) this.#openSsl.receiver = null;
    this.#ssl = 0n;
  }

  #fail(): void {
    const openSsl = this.#openSsl;
    const reason = openSsl.takeError();
    const verifyResult = this.#role.verifies ? openSsl.calls.SSL_get_verify_result(this.#ssl) : 0n;
    const detail =
      verifyResult === 0n
        ? ""
        : `: ${openSsl.string(openSsl.calls.X509_verify_cert_error_string(verifyResult))}`;
    this.error = `${reason}${detail}`;
    if (this.#role.sessionKey !== "") this.#role.sessions?.forget(this.#role.sessionKey);
  }

  #protocol(): string {
    const { calls, results, resultWords, ffi } = this.#openSsl;
    calls.SSL_get0_alpn_selected(this.#ssl, results.pointer, results.pointer + 8n);
    const length = Number(resultWords[1]! & 0xffff_ffffn);
    return length === 0 ? "" : ffi.toBuffer(resultWords[0]!, length, true).toString("latin1");
  }

  #peerChain(): Uint8Array | null {
    const { calls } = this.#openSsl;
    const chain = calls.SSL_get_peer_cert_chain(this.#ssl);
    if (chain === 0n) return null;
    const certificates: Uint8Array[] = [];
    for (let i = 0; i < calls.OPENSSL_sk_num(chain); i++) {
      const certificate = this.#encode(calls.OPENSSL_sk_value(chain, i));
      if (certificate !== null) certificates.push(certificate);
    }
    return certificates.length === 0 ? null : Buffer.concat(certificates);
  }

  #ownCertificate(): Uint8Array | null {
    const { calls, ownCertificates } = this.#openSsl;
    const certificate = calls.SSL_get_certificate(this.#ssl);
    // Those that come and go are not told apart by where they lie.
    if (this.#role.hasMadeCertificates) return this.#encode(certificate);
    const known = ownCertificates.get(certificate);
    if (known !== undefined) return known;
    const encoded = this.#encode(certificate);
    if (encoded !== null) ownCertificates.set(certificate, encoded);
    return encoded;
  }

  /** In DER; null for none, and for one that no record would hold. */
  #encode(certificate: bigint): Uint8Array | null {
    if (certificate === 0n) return null;
    const { calls, results, resultWords, gather, ffi } = this.#openSsl;
    const length = calls.i2d_X509(certificate, 0n);
    if (length <= 0 || length > gather.buffer.byteLength) return null;
    resultWords[0] = gather.pointer;
    calls.i2d_X509(certificate, results.pointer);
    return new Uint8Array(ffi.toBuffer(gather.pointer, length, true));
  }
}
