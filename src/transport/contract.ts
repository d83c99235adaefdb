// The contract between the cores, which decide, and the engines, which move bytes: `uring`, `portable` and
// `memory` in src/io. It is completion-shaped: an operation is submitted and its outcome is a later call of a
// handler. No operation throws and no handler is called from inside the operation that causes it, so a core
// is never re-entered.
//
// Order of calls on a connection: handleOpen, then any of handleData / handleDrain / handleEnd, then
// handleClose once and last. handleClose may come first (a refused connect, a failed handshake).
import type { SocketAddress } from "../base/address.ts";
import type { Failure, Result } from "../base/failure.ts";
import type { TimerWheel } from "../base/timer-wheel.ts";

/**
 * A piece of memory with a reference count. A handler is lent a chunk for the duration of its call; `retain`
 * keeps it longer, and each `retain` needs one `release`. `allocate` gives a chunk that the caller already
 * holds once. `Connection.send` takes a reference of its own.
 */
export interface Chunk {
  readonly bytes: Uint8Array;
  retain(): void;
  release(): void;
}

export interface ConnectionHandler {
  /** Connected, and past PROXY header and TLS handshake where there are any. */
  handleOpen(connection: Connection): void;
  /** The peer sent `chunk.bytes[start, end)`; never empty. */
  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void;
  /**
   * All that was sent has been taken by the kernel: `pendingBytes` is 0 again. Not called for every send:
   * only when `pendingBytes` had been seen above 0 by a caller after `send` returned and has now fallen to 0.
   */
  handleDrain(connection: Connection): void;
  /** The peer will send no more (FIN, or TLS close_notify). The other direction stays open. */
  handleEnd(connection: Connection): void;
  /** Gone. `failure` is null after our own `close` and after an orderly end in both directions. */
  handleClose(connection: Connection, failure: Failure | null): void;
}

/** What a PROXY header says of the connection that it stands before. */
export interface ProxiedConnection {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  /** The host name that its client asked for. */
  readonly authority?: string;
  /** Latin-1, at most 128 bytes. */
  readonly uniqueId?: string;
}

export interface Connection {
  /** Unique within the engine for its lifetime; ever increasing. */
  readonly id: number;
  /** May be replaced at any time; the next event goes to the new one. */
  handler: ConnectionHandler;
  /** The peer as its socket says, and as the PROXY header says where the listener accepted one. */
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** What a PROXY header said of the original connection; null when there was none (or it said LOCAL). */
  readonly proxied: ProxiedConnection | null;
  /** Null on a clear connection, and before handleOpen. */
  readonly tls: TlsFacts | null;
  /** Bytes accepted by `send` that the kernel has not taken. Callers stop producing above their own limit. */
  readonly pendingBytes: number;
  /** True from handleClose on. All operations are then ignored. */
  readonly isClosed: boolean;
  /** What the kernel knows of the way to the peer. Null, or left out: it cannot be asked. */
  readTcpStatistics?(): TcpStatistics | null;
  /** Queues bytes behind those queued before. Keeps a reference to the chunk until they are out. */
  send(chunk: Chunk, start: number, end: number): void;
  /**
   * No handleData until `resume`, apart from what is being delivered. A paused peer is held back by TCP's
   * window.
   */
  pause(): void;
  resume(): void;
  /**
   * Tells that about this many bytes are still to come before the next head, so that large buffers pay off.
   * 0 goes back to small ones. A hint: engines may ignore it.
   */
  expectBulk(byteCount: number): void;
  /** FIN (TLS: close_notify and FIN) behind all queued bytes. Receiving goes on. */
  shutdown(): void;
  /** Sends what is queued, then closes both directions. handleClose follows. */
  close(): void;
  /** Throws away what is queued and resets (RST). handleClose follows. */
  reset(): void;
}

/** Of Linux' tcp_info. Times are microseconds. */
export interface TcpStatistics {
  readonly rttUs: number;
  readonly rttVarianceUs: number;
  readonly unacknowledged: number;
  readonly selectivelyAcknowledged: number;
  readonly lost: number;
  readonly retransmitted: number;
  readonly forwardAcknowledged: number;
  readonly reordering: number;
}

/** What is known of a finished TLS handshake. Names as OpenSSL prints them. */
export interface TlsFacts {
  /** "TLSv1.3", "TLSv1.2". */
  readonly version: string;
  /** "TLS_AES_128_GCM_SHA256". */
  readonly cipher: string;
  /** "" when the client sent none. */
  readonly serverName: string;
  /** "" when none was negotiated. */
  readonly alpn: string;
  readonly isResumed: boolean;
  /** The peer's certificate in DER; null when it sent none. */
  readonly peerCertificate: Uint8Array | null;
  /**
   * What the peer sent as its chain, DER behind DER, of servers with their own first; null when it sent none.
   */
  readonly peerChain: Uint8Array | null;
  /** The certificate that we showed, in DER; null when we showed none. */
  readonly ownCertificate: Uint8Array | null;
  /** OpenSSL's X509_V_* result of verifying the peer: 0 when good or when there was nothing to verify. */
  readonly verifyResult: number;
}

export interface Acceptor {
  /** Called for each new connection, before handleOpen. Returning null refuses it (it is reset). */
  accept(connection: Connection): ConnectionHandler | null;
}

export type ListenAddress =
  | {
      readonly kind: "tcp" /** null: all addresses */;
      readonly host: string | null;
      readonly port: number;
      readonly isV6Only?: boolean;
      /** Only what comes in by the network interface of this name. */
      readonly device?: string;
    }
  | {
      readonly kind: "unix";
      readonly path: string;
      readonly mode: number | null;
      readonly uid: number | null;
      readonly gid: number | null;
    }
  | { readonly kind: "abstract"; readonly name: string }
  | { readonly kind: "fd"; readonly fd: number };

/** TCP's probes of a connection on which nothing is said (tcp(7)). Null: what the system has. */
export interface KeepAlive {
  readonly idleSeconds: number | null;
  readonly intervalSeconds: number | null;
  /** So many without an answer end the connection. */
  readonly probeCount: number | null;
}

/**
 * What the kernel keeps of a TCP connection's bytes for the process and for the peer (socket(7), SO_RCVBUF
 * and SO_SNDBUF). Null: as much as it sees fit.
 */
export interface SocketBuffers {
  readonly receiveBytes: number | null;
  readonly sendBytes: number | null;
}

export interface ListenOptions {
  readonly address: ListenAddress;
  readonly backlog: number;
  readonly tls: TlsServerContext | null;
  /** A PROXY header (v1 or v2) must come first. */
  readonly acceptProxy: boolean;
  /** Most time for PROXY header and TLS handshake together; handleClose with kind "timeout" after it. */
  readonly handshakeTimeoutMs: number;
  /** Of accepted connections; null or absent: none. */
  readonly keepAlive?: KeepAlive | null;
  /** Of accepted connections. A hint: not all engines can follow it. */
  readonly buffers?: SocketBuffers;
  /** Several processes listen on the same address and the kernel spreads connections (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Accept nothing before `resume`; the kernel queues meanwhile. */
  readonly isPaused?: boolean;
}

export interface Listener {
  /** The address it is bound to; tells the port that the kernel chose for port 0. */
  readonly address: SocketAddress;
  /** Accepts what the kernel has already queued, then stops. Open connections go on. */
  close(): void;
  /** Stops and starts accepting; the kernel queues meanwhile. */
  pause(): void;
  resume(): void;
  /** New connections use this context from now on. */
  replaceTls(context: TlsServerContext): void;
  /** Of connections that are accepted from now on. */
  replaceKeepAlive(keepAlive: KeepAlive | null): void;
  /** Likewise. What is null now stays as it was. */
  replaceBuffers(buffers: SocketBuffers): void;
}

export interface ConnectOptions {
  readonly address:
    | {
        readonly kind: "tcp" /** An IP address: names are resolved before. */;
        readonly host: string;
        readonly port: number;
      }
    | { readonly kind: "unix"; readonly path: string };
  /** Address to connect from; null lets the kernel choose. */
  readonly source: { readonly host: string; readonly port: number } | null;
  readonly tls: {
    readonly context: TlsClientContext /** "" sends no SNI */;
    readonly serverName: string;
  } | null;
  /** Bytes to send before anything else, TLS included: the PROXY header. */
  readonly preamble: Uint8Array | null;
  /** Null or absent: none. */
  readonly keepAlive?: KeepAlive | null;
  /** A hint: not all engines can follow it. */
  readonly buffers?: SocketBuffers;
  /**
   * Most time for connect and TLS handshake together; handleClose with kind "timeout" after it. Infinity: the
   * kernel's.
   */
  readonly timeoutMs: number;
}

/** One certificate with its key and chain, as PEM text. */
export interface CertificateMaterial {
  /** Where it was read from: the name under which HAProxy's runtime API knows it. */
  readonly name: string;
  /** Leaf first, then the chain. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Parameters of ephemeral Diffie-Hellman from the same file; null or left out: none. */
  readonly dhPem?: string | null;
}

/** A certificate as a listener shows it. What is absent is as the certificate, or the listener, has it. */
export interface ServedCertificate extends CertificateMaterial {
  /** Names to show it for instead of its own, as `ServerNames.add` reads them. */
  readonly names?: readonly string[];
  /** Everything that connections which are shown this certificate have instead of the listener's. */
  readonly settings?: TlsSettings & Pick<TlsServerSpec, "clientVerify">;
}

export type TlsVersion = "TLSv1.0" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/**
 * What both ends of TLS have in common. Undefined lists mean the engine's defaults (Mozilla's intermediate
 * profile).
 */
export interface TlsSettings {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL cipher list for TLS up to 1.2; null for the default. */
  readonly ciphers: string | null;
  /** TLS 1.3 suites; null for the default. */
  readonly ciphersuites: string | null;
  /** OpenSSL group list; null for the default. */
  readonly curves: string | null;
  /** Protocols in order of preference, such as ["http/1.1"]; empty sends none. */
  readonly alpn: readonly string[];
}

/** Results of verification by OpenSSL's number: of the client's own certificate, of those above it. */
export interface IgnoredErrors {
  readonly ofClients: "all" | readonly number[];
  readonly ofAuthorities: "all" | readonly number[];
}

export interface TlsServerSpec extends TlsSettings {
  /** The first is the default for clients without SNI or with an unknown name. */
  readonly certificates: readonly ServedCertificate[];
  /** Refuse handshakes whose SNI matches no certificate. */
  readonly strictSni: boolean;
  readonly clientVerify: {
    readonly mode: "optional" | "required";
    readonly caPem: string;
    readonly crlPem: string | null;
    /** More authorities that verify, of which clients are not told. */
    readonly unnamedCaPem?: string;
    /** Clients whose certificates are wrong only in this may come in; the facts have the result. */
    readonly ignoredErrors?: IgnoredErrors;
  } | null;
  /** 80 bytes of keys shared by all workers (16 name, 32 HMAC, 32 AES); null switches tickets off. */
  readonly ticketKeys: Uint8Array | null;
  /** Where sessions are kept that are resumed without tickets. Null or left out: nowhere. */
  readonly sessionStore?: TlsSessionStore | null;
  /** Makes a certificate for names that no other is for. Null or left out: there is none. */
  readonly maker?: CertificateMaker | null;
}

export interface CertificateMaker {
  /** The same for the same authority and key. */
  readonly id: string;
  /** So many are kept; 0 keeps none. */
  readonly countMax: number;
  /** `nowMs`: wall clock. */
  make(serverName: string, nowMs: number): CertificateMaterial;
}

/** A file in memory that all workers map. */
export interface TlsSessionStore {
  readonly path: string;
  readonly byteLength: number;
  readonly lifetimeSeconds: number;
}

export interface TlsClientSpec extends TlsSettings {
  /** null: do not verify. An empty string verifies against the system's store. */
  readonly verify: {
    readonly caPem: string;
    readonly crlPem: string | null /** name to check; null uses SNI */;
    readonly host: string | null;
  } | null;
  readonly certificate: CertificateMaterial | null;
}

/** Made by an engine, opaque to everybody else. */
export interface TlsServerContext {
  readonly kind: "tls-server";
}
export interface TlsClientContext {
  readonly kind: "tls-client";
}

/** For syslog: fire and forget. */
export interface DatagramSender {
  /** Copies the bytes. False when they could not be sent (full, unreachable): the caller counts it. */
  send(bytes: Uint8Array, start: number, end: number): boolean;
  close(): void;
}

export interface Engine {
  readonly name: "uring" | "portable" | "memory";
  /**
   * Milliseconds on a monotonic clock, with fraction, as of the start of this turn of the loop: cheap to
   * read.
   */
  readonly nowMs: number;
  /** Milliseconds since 1970, consistent with `nowMs`. */
  readonly wallClockMs: number;
  /** Driven by the engine. */
  readonly timers: TimerWheel;
  /** Uniform in [0, 1). Seeded in `memory`. */
  random(): number;
  /** A chunk of at least `byteCount` bytes, up to 1 MiB. The caller holds it once. */
  allocate(byteCount: number): Chunk;
  /** Outcome in `done`, in a later turn or at once. */
  listen(options: ListenOptions, acceptor: Acceptor, done: (result: Result<Listener>) => void): void;
  connect(options: ConnectOptions, handler: ConnectionHandler): Connection;
  createTlsServerContext(spec: TlsServerSpec): Result<TlsServerContext>;
  createTlsClientContext(spec: TlsClientSpec): Result<TlsClientContext>;
  openDatagramSender(
    address:
      | { readonly kind: "udp"; readonly host: string; readonly port: number }
      | { readonly kind: "unix"; readonly path: string },
  ): Result<DatagramSender>;
  /**
   * Runs `task` after the present handler, before the engine waits again. For batching and for breaking
   * recursion.
   */
  defer(task: () => void): void;
  /** Runs `task` at the end of each turn of the loop, before the engine waits. For flushing logs. */
  onTurnEnd(task: () => void): void;
  /**
   * Serves until `stop`. `uring` does not return before and never goes back to libuv, so no promise, no
   * setTimeout and no signal handler runs meanwhile; `portable` returns at once and lives in Node's own loop.
   */
  run(): void;
  stop(): void;
}
