// What an haproxy.cfg means, as plain data: no behaviour, no defaults left to resolve. `defaults` sections
// are already merged into the proxies; `listen` is one Proxy with both sides. Everything can be cloned and
// sent as JSON, apart from Uint8Array values (the server's codec knows those). Times are milliseconds; null
// means "not set".
import type { Span } from "../diagnostic/span.ts";
import type { IgnoredErrors, KeepAlive, ListenAddress, TlsVersion } from "../transport/contract.ts";
import type { CacheDefinition } from "./cache.ts";
import type { CompressionSettings } from "./compression.ts";
import type { GlobalSettings } from "./global-settings.ts";
import type { LogForwarder, RingDefinition } from "./log-forward.ts";
import type { EmailAlerts } from "./mailers.ts";
import type { PatternListDefinition } from "./pattern-list.ts";
import type { Program } from "./program.ts";
import type { ResolversSection, ServerResolution } from "./resolvers.ts";
import type { BackendRule, LogLevel, PersistRule, ReplyDefinition, Rule, ServerRule } from "./rule.ts";
import type { LogFormat, SampleExpression } from "./sample.ts";
import type { PeersSection, StickRule, StickTableDefinition } from "./stick-table.ts";

export interface ProxyConfiguration {
  readonly global: GlobalSettings;
  /** In the order of the files. */
  readonly proxies: readonly Proxy[];
  readonly userlists: readonly Userlist[];
  readonly programs: readonly Program[];
  /** What acls and maps compare with. */
  readonly patternLists: readonly PatternListDefinition[];
  readonly stickTables: readonly StickTableDefinition[];
  readonly caches: readonly CacheDefinition[];
  readonly peers: readonly PeersSection[];
  readonly resolvers: readonly ResolversSection[];
  readonly rings: readonly RingDefinition[];
  readonly logForwarders: readonly LogForwarder[];
  /**
   * "BACKEND/SERVER" of those that rules and samples name, ACLs that nothing uses included: they cannot be
   * taken away at run time.
   */
  readonly namedServers: readonly string[];
}

export type ProxyKind = "frontend" | "backend" | "listen";

export interface Proxy {
  readonly kind: ProxyKind;
  readonly name: string;
  /**
   * `id`, or numbered in the order of the files from 1 (2 with a stats socket, which takes 1), as HAProxy
   * does.
   */
  readonly id: number;
  readonly mode: "http" | "tcp";
  readonly isDisabled: boolean;
  readonly description: string | null;
  readonly span: Span;
  /**
   * Where settings that carry no place of their own were last said, here or in the defaults: "balance",
   * "option forwardfor".
   */
  readonly places: Readonly<Record<string, Span>>;
  /** Null for a backend. */
  readonly frontend: FrontendSettings | null;
  /** Null for a frontend. */
  readonly backend: BackendSettings | null;
  readonly timeouts: Timeouts;
  readonly logs: readonly LogTarget[];
  /**
   * Null: no traffic log. `option httplog` and `tcplog` are formats; the default is HAProxy's connection
   * line.
   */
  readonly logFormat: LogFormat | null;
  readonly errorLogFormat: LogFormat | null;
  /** `log-format-sd`: what targets in RFC 5424's format get as structured data. */
  readonly logFormatData: LogFormat | null;
  readonly logTag: string | null;
  /** Null: nobody is told by mail. */
  readonly emailAlerts: EmailAlerts | null;
  readonly options: ProxyOptions;
  /** Replies by status: errorfile, errorloc, http-error. */
  readonly errorReplies: readonly ErrorReply[];
  readonly stats: StatsSettings | null;
  readonly tcpRequestConnection: readonly Rule[];
  readonly tcpRequestSession: readonly Rule[];
  readonly tcpRequestContent: readonly Rule[];
  readonly tcpResponseContent: readonly Rule[];
  readonly inspectDelayMs: number | null;
  readonly responseInspectDelayMs: number | null;
  readonly httpRequest: readonly Rule[];
  readonly httpResponse: readonly Rule[];
  readonly httpAfterResponse: readonly Rule[];
  /** Null: no `compression` line. */
  readonly compression: CompressionSettings | null;
  /** `unique-id-format` and `unique-id-header`. */
  readonly uniqueId: { readonly format: LogFormat; readonly header: string | null } | null;
}

export interface ErrorReply {
  readonly status: number;
  readonly reply: ReplyDefinition | { readonly location: string; readonly code: 302 | 303 };
  readonly span: Span;
}

export interface Timeouts {
  readonly clientMs: number | null;
  readonly clientFinMs: number | null;
  readonly connectMs: number | null;
  readonly serverMs: number | null;
  readonly serverFinMs: number | null;
  readonly httpRequestMs: number | null;
  readonly httpKeepAliveMs: number | null;
  readonly queueMs: number | null;
  readonly checkMs: number | null;
  readonly tunnelMs: number | null;
  readonly tarpitMs: number | null;
}

/** Options that stand alone. Absent ones are false. */
export interface ProxyOptions {
  readonly dontlognull: boolean;
  readonly dontlogNormal: boolean;
  readonly logasap: boolean;
  readonly logSeparateErrors: boolean;
  readonly abortonclose: boolean;
  readonly redispatch: number /* 0: off; n: after every n-th retry; -1: at the last one */;
  readonly httpBufferRequest: boolean;
  readonly httpIgnoreProbes: boolean;
  readonly disableH2Upgrade: boolean;
  readonly httpUseProxyHeader: boolean;
  readonly httpPretendKeepalive: boolean;
  readonly clitcpka: boolean;
  readonly srvtcpka: boolean;
  readonly allbackups: boolean;
  readonly persist: boolean;
  readonly socketStats: boolean;
  readonly logHealthChecks: boolean;
  readonly checkcache: boolean;
  readonly h1CaseAdjustClient: boolean;
  readonly h1CaseAdjustServer: boolean;
  readonly restrictRequestHeaderNames: "preserve" | "delete" | "reject" | null;
  /**
   * How connections end: keep-alive unless `http-server-close` or `httpclose` (2.6: close both sides'
   * keep-alive).
   */
  readonly connectionMode: "keep-alive" | "server-close" | "close";
  readonly forwardFor: ForwardedHeader | null;
  readonly originalTo: ForwardedHeader | null;
  /** `monitor-uri`, and `monitor fail` conditions. */
  readonly monitorUri: string | null;
  readonly monitorFail: readonly Rule[];
}

/** `option forwardfor` and `option originalto`. */
export interface ForwardedHeader {
  readonly header: string;
  /** Networks whose clients get no header. */
  readonly except: readonly string[];
  readonly ifNone: boolean;
}

export interface FrontendSettings {
  readonly binds: readonly Bind[];
  readonly maxconn: number | null;
  readonly backlog: number | null;
  readonly useBackend: readonly BackendRule[];
  /** Null: the proxy's own backend side (listen), or none: 503. */
  readonly defaultBackend: { readonly name: string; readonly span: Span } | null;
  readonly rateLimitSessions: number | null;
  /** `option clitcpka` and `clitcpka-…`; null: off. */
  readonly keepAlive: KeepAlive | null;
  /** `capture request header NAME len N`, and those of `declare capture`. In order of their slots. */
  readonly requestCaptures: readonly Capture[];
  readonly responseCaptures: readonly Capture[];
  readonly cookieCapture: {
    readonly name: string;
    readonly isPrefix: boolean;
    readonly length: number;
  } | null;
  readonly grace: null;
}

export interface Capture {
  /** Null for `declare capture`, filled by rules. */
  readonly header: string | null;
  readonly length: number;
}

export type HttpProtocol = "h1" | "h2";

export interface Bind {
  readonly address: ListenAddress;
  /** As written: "*:443". */
  readonly text: string;
  readonly name: string | null;
  readonly id: number;
  readonly acceptProxy: boolean;
  /** `proto`: spoken whatever the client begins with; null: as ALPN or the client's first bytes say. */
  readonly protocol: HttpProtocol | null;
  readonly backlog: number | null;
  readonly maxconn: number | null;
  readonly tls: BindTls | null;
  readonly span: Span;
}

export interface TlsCommon {
  readonly minVersion: TlsVersion | null;
  readonly maxVersion: TlsVersion | null;
  readonly ciphers: string | null;
  readonly ciphersuites: string | null;
  readonly curves: string | null;
  readonly alpn: readonly string[];
  readonly caFile: string | null;
  readonly crlFile: string | null;
}

export interface BindTls extends TlsCommon {
  /** What `crt` and `crt-list` name, in their order, resolved against crt-base. The server reads it. */
  readonly certificates: readonly CertificateSource[];
  readonly strictSni: boolean;
  readonly verify: "none" | "optional" | "required";
  readonly tickets: boolean;
  /** `ca-verify-file`: authorities that verify too, but are not named to clients. */
  readonly caVerifyFile: string | null;
  readonly ignoredErrors: IgnoredErrors;
  /** `generate-certificates`: the authority with its key (`ca-sign-file`), and the password for it. */
  readonly signer: { readonly path: string; readonly password: string | null } | null;
}

export interface CertificateSource {
  readonly path: string;
  readonly span: Span;
  /** `crt-list`: a file of lines of which each names a certificate (`model/crt-list.ts`). */
  readonly isList?: true;
  /** Where the paths in such a list begin, if that is not as in `global`. */
  readonly bases?: { readonly crtBase: string | null; readonly caBase: string | null };
}

export interface ServerTls extends TlsCommon {
  readonly verify: "none" | "required";
  readonly verifyHost: string | null;
  /** `sni EXPR`. */
  readonly sni: SampleExpression | null;
  /** `crt FILE`: a client certificate. */
  readonly certificate: string | null;
}

/** `balance …`. */
export type BalanceDefinition =
  | { readonly algorithm: "roundrobin" | "static-rr" | "leastconn" | "first" | "source" }
  | { readonly algorithm: "random"; readonly draws: number }
  | {
      readonly algorithm: "uri";
      readonly length: number | null;
      readonly depth: number | null;
      readonly whole: boolean;
      readonly pathOnly: boolean;
    }
  | { readonly algorithm: "url_param"; readonly name: string; readonly checkPost: number | null }
  | { readonly algorithm: "hdr"; readonly name: string; readonly useDomainOnly: boolean }
  | { readonly algorithm: "rdp-cookie"; readonly name: string }
  | { readonly algorithm: "hash"; readonly sample: SampleExpression };

/** `hash-type METHOD FUNCTION MODIFIER`. */
export interface HashType {
  readonly method: "map-based" | "consistent";
  readonly function: "sdbm" | "djb2" | "wt6" | "crc32" | "none";
  readonly avalanche: boolean;
}

/** `cookie NAME …`. */
export interface CookieSettings {
  readonly name: string;
  readonly mode: "rewrite" | "insert" | "prefix" | "passive" /* only a name: look it up, touch nothing */;
  readonly indirect: boolean;
  readonly nocache: boolean;
  readonly postonly: boolean;
  readonly preserve: boolean;
  readonly httponly: boolean;
  readonly secure: boolean;
  readonly domains: readonly string[];
  readonly maxidleSeconds: number | null;
  readonly maxlifeSeconds: number | null;
  readonly dynamic: boolean;
  readonly attributes: readonly string[];
  readonly span: Span;
}

/** `retry-on`: what a request is sent once more for. */
export interface RetryReasons {
  readonly connFailure: boolean;
  readonly emptyResponse: boolean;
  readonly junkResponse: boolean;
  readonly responseTimeout: boolean;
  readonly statuses: readonly number[];
}

export interface BackendSettings {
  readonly balance: BalanceDefinition;
  readonly hashType: HashType;
  readonly hashBalanceFactor: number;
  readonly cookie: CookieSettings | null;
  readonly dynamicCookieKey: string | null;
  readonly servers: readonly Server[];
  /** `dispatch` or `option transparent`: takes instead of balancing what persistence does not. */
  readonly dispatch: Server | null;
  readonly useServer: readonly ServerRule[];
  readonly persistRules: readonly PersistRule[];
  /** `persist rdp-cookie`: which one; null: none. */
  readonly rdpCookieName: string | null;
  readonly stickRules: readonly StickRule[];
  readonly retries: number;
  readonly retryOn: RetryReasons;
  /** `option srvtcpka` and `srvtcpka-…`; null: off. */
  readonly keepAlive: KeepAlive | null;
  readonly fullconn: number | null;
  readonly httpReuse: "never" | "safe" | "aggressive" | "always";
  readonly check: CheckDefinition;
  /** `http-send-name-header`. */
  readonly sendNameHeader: string | null;
  readonly source: { readonly host: string; readonly port: number } | null;
}

/** How servers of a backend are checked when `check` is on a server line. */
export type CheckDefinition =
  | { readonly kind: "tcp-connect" }
  /** With the request of `option httpchk` among the rules. */
  | { readonly kind: "http"; readonly rules: readonly CheckRule[] }
  | { readonly kind: "tcp"; readonly rules: readonly CheckRule[] }
  | { readonly kind: "ssl-hello" }
  | { readonly kind: "smtp"; readonly hello: string; readonly domain: string }
  | { readonly kind: "mysql"; readonly user: string | null }
  | { readonly kind: "pgsql"; readonly user: string }
  | { readonly kind: "redis" }
  | { readonly kind: "ldap" }
  /** `option external-check`: a program, looked for in `path` as a shell does. */
  | { readonly kind: "external"; readonly command: string; readonly path: string };

export interface CheckConnection {
  readonly port: number | null;
  readonly address: string | null;
  readonly tls: boolean | null;
  readonly sni: string | null;
  readonly alpn: readonly string[];
  readonly sendProxy: boolean;
}

/** One line of `http-check` or `tcp-check`, in order. */
export type CheckRule =
  | ({ readonly kind: "connect"; readonly comment: string | null; readonly span: Span } & CheckConnection)
  | {
      readonly kind: "http-send";
      readonly method: string;
      readonly uri: LogFormat | string;
      readonly version: string;
      readonly headers: readonly { readonly name: string; readonly value: LogFormat | string }[];
      readonly body: LogFormat | string | null;
      readonly span: Span;
    }
  | {
      readonly kind: "http-expect";
      readonly negated: boolean;
      readonly match: HttpExpectation;
      readonly okStatus: string | null;
      readonly errorStatus: string | null;
      /** What logs and statistics tell instead of the reply's status. */
      readonly statusCode: SampleExpression | null;
      readonly onError: LogFormat | null;
      readonly onSuccess: LogFormat | null;
      readonly minRecv: number | null;
      readonly comment: string | null;
      readonly span: Span;
    }
  | {
      readonly kind: "tcp-send";
      readonly bytes: Uint8Array | LogFormat;
      readonly comment: string | null;
      readonly span: Span;
    }
  | {
      readonly kind: "tcp-expect";
      readonly negated: boolean;
      readonly match: TcpExpectation;
      readonly minRecv: number | null;
      readonly comment: string | null;
      readonly span: Span;
    }
  | { readonly kind: "disable-on-404" }
  | { readonly kind: "send-state" }
  | {
      readonly kind: "set-var";
      readonly variable: string;
      readonly value: SampleExpression | LogFormat;
      readonly span: Span;
    }
  | { readonly kind: "unset-var"; readonly variable: string; readonly span: Span };

export type HttpExpectation =
  /** Ranges, both ends included. */
  | { readonly by: "status"; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly by: "rstatus" | "string" | "rstring"; readonly pattern: string }
  | { readonly by: "string-lf"; readonly format: LogFormat }
  | {
      readonly by: "hdr" | "fhdr";
      readonly name: string | LogFormat;
      readonly nameMethod: "str" | "beg" | "end" | "sub" | "reg";
      readonly value: string | LogFormat | null;
      readonly valueMethod: "str" | "beg" | "end" | "sub" | "reg";
    };

export type TcpExpectation =
  | { readonly by: "string" | "rstring" | "binary" | "rbinary"; readonly pattern: string }
  | { readonly by: "string-lf" | "binary-lf"; readonly format: LogFormat };

export interface Server {
  readonly name: string;
  /** `id`, or numbered from 1. */
  readonly id: number;
  readonly address:
    | {
        readonly kind: "tcp" /** IP address, or a name still to resolve */;
        readonly host: string;
        /** Null: the client's destination port plus `portOffset`. */ readonly port: number | null;
        readonly portOffset: number;
      }
    | { readonly kind: "unix"; readonly path: string };
  /** As written. */
  readonly addressText: string;
  /** 0..256. */
  readonly weight: number;
  readonly cookie: string | null;
  readonly isBackup: boolean;
  /** `non-stick`: what `stick` rules remember is never this one. */
  readonly isNonStick: boolean;
  readonly isDisabled: boolean;
  /** Added at run time (`add server`): in maintenance and unchecked until told otherwise. */
  readonly isDynamic: boolean;
  readonly maxconn: number | null;
  readonly minconn: number | null;
  readonly maxqueue: number | null;
  readonly slowstartMs: number | null;
  readonly check: ServerCheck | null;
  readonly agent: AgentCheck | null;
  /** `observe layer4|layer7`, with error-limit and on-error. */
  readonly observe: {
    readonly layer: 4 | 7;
    readonly errorLimit: number;
    readonly onError: "fastinter" | "fail-check" | "sudden-death" | "mark-down";
  } | null;
  readonly onMarkedDown: "shutdown-sessions" | null;
  readonly onMarkedUp: "shutdown-backup-sessions" | null;
  /** Also of a server without a check, whose health `show servers state` tells by it. */
  readonly rise: number;
  readonly tls: ServerTls | null;
  /** `send-proxy`, `send-proxy-v2`, …. */
  readonly sendProxy: null | { readonly version: 1 | 2; readonly tlvs: readonly string[] };
  readonly checkSendProxy: boolean;
  /** `track BACKEND/SERVER`, resolved by the reader. */
  readonly track: { readonly backend: string; readonly server: string } | null;
  readonly source: { readonly host: string; readonly port: number } | null;
  readonly poolMaxConnections: number | null;
  readonly poolPurgeDelayMs: number;
  /** `init-addr`: "last", "libc", "none" or an IP address, in the order in which they are tried. */
  readonly initialAddress: readonly string[];
  /** Null: without `resolvers`. */
  readonly resolution: ServerResolution | null;
  readonly span: Span;
}

export interface ServerCheck {
  readonly interMs: number;
  readonly fastInterMs: number | null;
  readonly downInterMs: number | null;
  readonly rise: number;
  readonly fall: number;
  readonly port: number | null;
  readonly address: string | null;
  /** Null: as the server's traffic. */
  readonly tls: boolean | null;
  readonly sni: string | null;
  readonly alpn: readonly string[];
  readonly viaSocks4: false;
}

export interface AgentCheck {
  readonly port: number;
  readonly address: string | null;
  readonly interMs: number;
  readonly send: string;
}

export type LogFormatName = "rfc3164" | "rfc5424" | "local" | "priority" | "short" | "timed" | "iso" | "raw";

export interface LogTarget {
  readonly target:
    | { readonly kind: "udp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string }
    | { readonly kind: "stdout" }
    | { readonly kind: "stderr" }
    | { readonly kind: "ring"; readonly name: string }
    | { readonly kind: "fd"; readonly fd: number };
  /** Null: that of the ring, else "local"; what is forwarded keeps its own. */
  readonly format: LogFormatName | null;
  /** 0..23. */
  readonly facility: number;
  readonly maxLevel: LogLevel;
  readonly minLevel: LogLevel;
  /** Longest line in bytes. */
  readonly length: number;
  readonly sample: { readonly ranges: readonly (readonly [number, number])[]; readonly size: number } | null;
  readonly span: Span;
}

export interface StatsSettings {
  /** The default is "/haproxy?stats". */
  readonly uri: string;
  readonly refreshSeconds: number | null;
  readonly realm: string | null;
  readonly auth: readonly { readonly user: string; readonly password: string }[];
  readonly hideVersion: boolean;
  readonly showLegends: boolean;
  readonly showNode: string | null;
  readonly showDescription: string | null;
  readonly scopes: readonly string[];
  readonly adminRules: readonly Rule[];
  readonly httpRequest: readonly Rule[];
  readonly span: Span;
}

export interface Userlist {
  readonly name: string;
  readonly users: readonly {
    readonly name: string /** crypt(3) hash, or plain when `isPlain`. */;
    readonly password: string;
    readonly isPlain: boolean;
    readonly groups: readonly string[];
  }[];
  readonly span: Span;
}
