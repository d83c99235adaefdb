// The facts of one client connection (Session) and of one request or TCP connection on it (Stream): what
// fetches read, rules change, and logs print. HAProxy's words. No I/O: the exchange fills it in.
import type { IpAddress, SocketAddress } from "../base/address.ts";
import type { Bind, ForwardedHeader } from "../model/proxy.ts";
import type { LogLevel } from "../model/rule.ts";
import type { MessageHead, PreparedHeader } from "../protocol/http1/message-head.ts";
import type { Connection, TlsFacts } from "../transport/contract.ts";
import type { StreamCache } from "./cache/stream-cache.ts";
import type { StreamCompression } from "./compression/response-compression.ts";
import type { EncodedText } from "./log/line-buffer.ts";
import type { SampleValue } from "./rules/sample-value.ts";
import type { KeptKey } from "./rules/stick-program.ts";
import type { Backend, Frontend, Runtime, Server } from "./runtime.ts";
import type { TrackedKeys } from "./stick-table/tracking.ts";

/** A client connection. Created when it is accepted. */
export class Session {
  readonly connection: Connection;
  /** Of the newest generation at the time the present request began. */
  frontend: Frontend;
  readonly bind: Bind;
  /** As logs and rules see them: the PROXY header's, `set-src`'s, else the socket's. */
  source: SocketAddress;
  destination: SocketAddress;
  /**
   * What `source` and `destination` go back to for the next request, once `set-src` or `set-dst` of rules for
   * requests or content changed them.
   */
  connectionSource: SocketAddress | null = null;
  connectionDestination: SocketAddress | null = null;
  /** The connection's own, before a PROXY header or `tcp-request session` rules; null where neither was. */
  originalSource: SocketAddress | null = null;
  originalDestination: SocketAddress | null = null;
  /** Wall clock, milliseconds. */
  readonly acceptDateMs: number;
  /** Monotonic, milliseconds. */
  readonly acceptMs: number;
  /** From accept to the end of PROXY header and TLS handshake. */
  handshakeMs = 0;
  /** `sess.` variables; made on first use. */
  variables: Map<string, SampleValue> | null = null;
  /** `source` and `destination` as addresses, parsed when a rule first asks (rules/fetches/connection.ts). */
  sourceIp: { readonly of: SocketAddress; readonly address: IpAddress | null } | null = null;
  destinationIp: { readonly of: SocketAddress; readonly address: IpAddress | null } | null = null;
  /** The address of `source` as log lines write it. */
  sourceText: { readonly of: string; readonly encoded: EncodedText } | null = null;
  /** The `option forwardfor` header of `source`, once made (exchange/request-phases.ts). */
  forwardedFor: {
    readonly settings: ForwardedHeader;
    readonly host: string;
    readonly header: PreparedHeader;
  } | null = null;
  /** What rules for connections and sessions track. */
  tracked: TrackedKeys | null = null;
  /** It speaks HTTP/2 with us: this is the session of one of its streams (proxy/http2). */
  isHttp2 = false;
  /** Requests that began on this connection. */
  requestCount = 0;

  constructor(
    connection: Connection,
    frontend: Frontend,
    bind: Bind,
    acceptMs: number,
    acceptDateMs: number,
  ) {
    this.connection = connection;
    this.frontend = frontend;
    this.bind = bind;
    this.source = connection.proxied?.source ?? connection.remote;
    this.destination = connection.proxied?.destination ?? connection.local;
    this.acceptMs = acceptMs;
    this.acceptDateMs = acceptDateMs;
  }

  get tls(): TlsFacts | null {
    return this.connection.tls;
  }
}

/** First letter of the termination state (manual 8.5): who or what ended the stream. */
export type TerminationCause = "-" | "C" | "S" | "P" | "L" | "R" | "I" | "D" | "U" | "K" | "c" | "s";
/** Second letter: in which phase. */
export type TerminationPhase = "-" | "R" | "Q" | "C" | "H" | "D" | "L" | "T";
/** Third letter: what the client's cookie was. */
export type CookieRequestFlag = "-" | "N" | "I" | "D" | "V" | "E" | "O" | "U";
/** Fourth letter: what was done to the server's cookie. */
export type CookieResponseFlag = "-" | "N" | "P" | "I" | "R" | "U" | "D";

/** One HTTP exchange, or one TCP connection. Durations are milliseconds, -1 while unknown. */
export class Stream {
  readonly session: Session;
  /** The generation that this stream finishes in. */
  runtime: Runtime;
  frontend: Frontend;
  backend: Backend | null = null;
  server: Server | null = null;
  /** Connection to the server, while there is one. */
  serverConnection: Connection | null = null;

  /** Null before the head is complete and in tcp mode. */
  request: MessageHead | null = null;
  /**
   * Method and target as they came, for logs and `capture.req.*`; null while they are still the head's. Set
   * by the first rule that changes them, and by whoever gives the head's memory back before the stream is
   * logged.
   */
  originalMethod: string | null = null;
  originalTarget: string | null = null;
  /** Number of this request in the process (%rt); 0 until somebody asks. */
  requestNumber = 0;
  /** Null before the response head came. A reply of our own is there for http-after-response rules. */
  response: MessageHead | null = null;
  /** Raw content for tcp content rules (`content` scope): bytes received and not yet forwarded. */
  content: Uint8Array = EMPTY;
  responseContent: Uint8Array = EMPTY;
  /** True when no more content will come (inspect delay over, FIN, buffer full). */
  isContentFinal = false;
  /** They have let the connection switch from tcp to http with this request. */
  areContentRulesDone = false;
  /** Buffered request body for `req.body*`; null when not buffered. */
  body: Uint8Array | null = null;
  /** What is here of the response's body, for `res.body*`; null unless a rule has waited for it. */
  responseBody: Uint8Array | null = null;

  /** What `cache-use` has found out; null: no such rule was for it. */
  cache: StreamCache | null = null;
  /** How the response is compressed; null when it cannot be. */
  compression: StreamCompression | null = null;

  /** `txn.`, `req.`/`res.` (proc, check) variables by full name; made on first use. */
  variables: Map<string, SampleValue> | null = null;
  /** What rules for content, requests and responses track. */
  tracked: TrackedKeys | null = null;
  /** What `stick` rules keep with the server, once it answers. */
  keptKeys: KeptKey[] | null = null;
  requestCaptures: (string | null)[] | null = null;
  responseCaptures: (string | null)[] | null = null;
  capturedCookie: string | null = null;
  capturedServerCookie: string | null = null;
  uniqueId: string | null = null;
  logLevel: LogLevel | null = null;
  /** Rule that gave the final verdict. */
  lastRuleFile = "";
  lastRuleLine = 0;
  /** `set-timeout`. */
  serverTimeoutMs: number | null = null;
  tunnelTimeoutMs: number | null = null;
  /** `set-dst`, `set-dst-port`: where a server without address is. */
  destination: SocketAddress;

  /**
   * Monotonic time of the request's first byte (or accept, for the first request on a connection and tcp
   * mode).
   */
  startMs = 0;
  /** Wall clock of the same moment. */
  startDateMs = 0;
  /** %Ti: idle before the request; %TR: receiving the head; %Tw: queues; %Tc: connect; %Tr: response head. */
  idleMs = -1;
  requestMs = -1;
  queueMs = -1;
  connectMs = -1;
  responseMs = -1;
  /** %Tt/%Ta end: monotonic time at which the stream ended, or at which it is logged (logasap). */
  endMs = 0;
  /** %U and %B: bytes from and to the client, heads included. */
  bytesIn = 0;
  bytesOut = 0;
  /** -1 before a status is known. */
  status = -1;
  cause: TerminationCause = "-";
  phase: TerminationPhase = "-";
  cookieRequest: CookieRequestFlag = "-";
  cookieResponse: CookieResponseFlag = "-";
  /** Dates in the client's persistence cookie, seconds since 1970, 0 without one. Kept by persistence/. */
  cookieFirstSeconds = 0;
  cookieLastSeconds = 0;
  /** What the backend's force-persist and ignore-persist rules say; set before persistence is looked at. */
  persistence: "force" | "ignore" | null = null;
  retries = 0;
  isRedispatched = false;
  /** `disable-l7-retry`. */
  isRetryDisabled = false;
  serverQueuePosition = 0;
  backendQueuePosition = 0;
  /** The request asked for persistence and that server was honoured. */
  isPersistent = false;
  /** What logs print as the server when one of our own services answered: "<STATS>". */
  serviceName: string | null = null;
  /** The stream ended in a reply of our own. */
  isIntercepted = false;

  constructor(session: Session, runtime: Runtime) {
    this.session = session;
    this.runtime = runtime;
    this.frontend = session.frontend;
    if (session.connectionSource !== null) session.source = session.connectionSource;
    if (session.connectionDestination !== null) session.destination = session.connectionDestination;
    this.destination = session.destination;
  }
}

const EMPTY = new Uint8Array(0);
