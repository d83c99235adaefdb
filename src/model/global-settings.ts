// What the `global` section says (manual 3), for the whole process tree.
import type { Span } from "../diagnostic/span.ts";
import type { ListenAddress, SocketBuffers } from "../transport/contract.ts";
import type { CompressionLimits } from "./compression.ts";
import type { LogTarget } from "./proxy.ts";
import type { LogFormat, SampleExpression } from "./sample.ts";

/** What clients may take of the whole process tree; 0: no limit. */
export interface AdmissionSettings {
  /** `maxconnrate`. */
  readonly connectionsPerSecondMax: number;
  /** `maxsessrate`. */
  readonly sessionsPerSecondMax: number;
  /** `maxsslrate`: counted before the handshake. */
  readonly tlsSessionsPerSecondMax: number;
  /** `maxsslconn`, of clients. */
  readonly tlsConnectionsMax: number;
}

export interface GlobalSettings {
  /** Connections per process tree; null: as many as file descriptors allow. */
  readonly maxconn: number | null;
  readonly admission: AdmissionSettings;
  /** `nbthread`: worker processes; null: one per core. */
  readonly workers: number | null;
  readonly daemon: boolean;
  readonly masterWorker: boolean;
  /** False with `master-worker no-exit-on-failure`: the end of a program does not end everything. */
  readonly exitsOnFailure: boolean;
  readonly user: string | null;
  readonly group: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly chroot: string | null;
  readonly pidfile: string | null;
  readonly node: string | null;
  readonly description: string | null;
  readonly logs: readonly LogTarget[];
  readonly logTag: string;
  /** `log-send-hostname`; null: none. "" means the machine's name. */
  readonly logSendHostname: string | null;
  readonly statsSockets: readonly StatsSocket[];
  readonly statsTimeoutMs: number;
  /** `hard-stop-after`. */
  readonly hardStopAfterMs: number | null;
  /** `tune.bufsize`, 16384 unless set: the largest head. */
  readonly bufferBytes: number;
  /** `tune.maxrewrite`, 1024 unless set: kept free for added headers. */
  readonly maxRewriteBytes: number;
  /** `tune.http.maxhdr`, 101 unless set. */
  readonly headerCountMax: number;
  /** `tune.h2.…`: what clients are told they may do. */
  readonly http2: {
    readonly headerTableBytes: number;
    readonly initialWindowBytes: number;
    readonly concurrentStreamsMax: number;
    readonly frameBytesMax: number;
  };
  /** `tune.idle-pool…`, `spread-checks` percent. */
  readonly spreadChecksPercent: number;
  /**
   * `max-spread-checks`: between the first check of the first server and that of the last; null: an interval.
   */
  readonly checkSpreadMsMax: number | null;
  /**
   * `fd-hard-limit` or `ulimit-n`, the smaller one: descriptors of all workers; null: as the system allows.
   */
  readonly descriptorCountMax: number | null;
  /** `set-dumpable`: workers may leave core files. */
  readonly isDumpable: boolean;
  /** `tune.rcvbuf.…` and `tune.sndbuf.…`, on the side of clients and of servers. */
  readonly buffers: { readonly client: SocketBuffers; readonly server: SocketBuffers };
  /** `h1-case-adjust`: names of headers as some peers want them written. */
  readonly headerNames: readonly string[];
  readonly tls: {
    /** What `ssl-dh-param-file` holds. */
    readonly dhParameterPem: string | null;
    /** `tune.ssl.default-dh-param`; null: no parameters are chosen. */
    readonly dhBitsMax: number | null;
    /** `tune.ssl.cachesize`: sessions without tickets that can be resumed, 20000 unless set. */
    readonly sessionCountMax: number;
    /** `tune.ssl.lifetime`, 300 s unless set. */
    readonly sessionLifetimeSeconds: number;
    /** `tune.ssl.ssl-ctx-cache-size`: certificates made on the fly that are kept, 1000 unless set. */
    readonly madeCertificatesMax: number;
    /** `issuers-chain-path`: the certificates of a directory, each file as it is. */
    readonly issuersPath: string | null;
  };
  readonly compression: CompressionLimits;
  readonly variables: readonly {
    readonly name: string;
    readonly value: SampleExpression | LogFormat;
    readonly span: Span;
  }[];
  /** What `server` lines start from, for servers that are added at run time. */
  readonly serverDefaults: {
    readonly caBase: string | null;
    readonly crtBase: string | null;
    readonly ciphers: string | null;
    readonly ciphersuites: string | null;
    /** `ssl-server-verify none`. */
    readonly isUnverified: boolean;
  };
  readonly span: Span;
}

export interface StatsSocket {
  readonly address: ListenAddress;
  readonly level: "user" | "operator" | "admin";
  readonly span: Span;
}
