// A proxy while it is being read. A `defaults` section is one too: a new proxy starts as a copy of it,
// which is how HAProxy merges defaults, so nothing is left to resolve afterwards apart from names.
import type { Span } from "../../diagnostic/span.ts";
import type { CompressionSettings } from "../../model/compression.ts";
import type {
  BackendSettings,
  Bind,
  Capture,
  CheckDefinition,
  CheckRule,
  ErrorReply,
  FrontendSettings,
  LogTarget,
  Proxy as ProxyModel,
  ProxyOptions,
  Server,
  StatsSettings,
  Timeouts,
} from "../../model/proxy.ts";
import type { Rule } from "../../model/rule.ts";
import type { Acl, LogFormat } from "../../model/sample.ts";
import type { StickRule } from "../../model/stick-table.ts";
import type { KeepAlive } from "../../transport/contract.ts";
import { type EmailAlertDraft, newEmailAlert } from "./mailers-section.ts";
import { newServerDraft, type ServerDraft } from "./server-draft.ts";

const SYSTEM_PROBES: KeepAlive = { idleSeconds: null, intervalSeconds: null, probeCount: null };

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where a log format comes from: formats are resolved when the mode of the proxy is known. */
export type LogFormatChoice =
  | { readonly kind: "httplog" | "httpslog" | "tcplog" | "clf"; readonly span: Span }
  | { readonly kind: "custom"; readonly format: LogFormat; readonly span: Span };

export type CheckChoice = Exclude<CheckDefinition["kind"], "http" | "tcp"> | "http" | "tcp";

export interface CheckDraft {
  kind: CheckChoice;
  /** Of `option httpchk`. */
  optionRequest: CheckRule | null;
  httpRules: CheckRule[];
  tcpRules: CheckRule[];
  /** Arguments of smtpchk, mysql-check, pgsql-check. */
  hello: string;
  domain: string;
  user: string | null;
  /** `option external-check`, `external-check command` and `external-check path`. */
  externalSpan: Span | null;
  command: ExternalWord | null;
  path: ExternalWord | null;
}

export interface ExternalWord {
  readonly text: string;
  readonly span: Span;
}

/** An HTTP-only line of a proxy: ignored, with a warning, when the proxy turns out to be in TCP mode. */
export interface HttpOnlyUse {
  readonly what: string;
  readonly span: Span;
}

export interface ProxyDraft {
  kind: ProxyModel["kind"] | "defaults";
  name: string;
  span: Span;
  nameSpan: Span;
  id: number | null;
  idSpan: Span | null;
  /** Null: no `mode` line so far. */
  mode: "http" | "tcp" | null;
  isDisabled: boolean;
  description: string | null;
  places: Record<string, Span>;
  timeouts: Mutable<Timeouts>;
  logs: LogTarget[];
  /** `log global`. */
  usesGlobalLogs: boolean;
  logFormat: LogFormatChoice | null;
  errorLogFormat: LogFormat | null;
  logFormatData: LogFormat | null;
  logTag: string | null;
  options: Mutable<ProxyOptions>;
  errorReplies: ErrorReply[];
  stats: Mutable<StatsSettings> | null;
  tcpRequestConnection: Rule[];
  tcpRequestSession: Rule[];
  tcpRequestContent: Rule[];
  tcpResponseContent: Rule[];
  inspectDelayMs: number | null;
  responseInspectDelayMs: number | null;
  httpRequest: Rule[];
  /**
   * Evaluated around `httpRequest`, whatever their place in the file: `block` and `redirect`, and those of
   * 1.5.
   */
  blockRules: Rule[];
  legacyRequestRules: Rule[];
  legacyRequestAdds: Rule[];
  redirectRules: Rule[];
  legacyResponseRules: Rule[];
  legacyResponseAdds: Rule[];
  httpResponse: Rule[];
  httpAfterResponse: Rule[];
  compression: CompressionSettings | null;
  /** The `filter` lines so far, by what is behind that word. */
  filters: Map<string, Span>;
  uniqueIdFormat: LogFormat | null;
  uniqueIdHeader: string | null;
  /** Here and in `servers`: id 0 is one still to be numbered. */
  binds: Bind[];
  maxconn: number | null;
  backlog: number | null;
  useBackend: Mutable<FrontendSettings>["useBackend"][number][];
  defaultBackend: FrontendSettings["defaultBackend"];
  rateLimitSessions: number | null;
  /** `clitcpka-…` and `srvtcpka-…`, whether they are switched on or not. */
  clientProbes: KeepAlive;
  serverProbes: KeepAlive;
  requestCaptures: Capture[];
  responseCaptures: Capture[];
  cookieCapture: FrontendSettings["cookieCapture"];
  balance: BackendSettings["balance"];
  hasBalance: boolean;
  dispatch: Server | null;
  transparent: Server | null;
  hashType: BackendSettings["hashType"];
  hashBalanceFactor: number;
  cookie: BackendSettings["cookie"];
  dynamicCookieKey: string | null;
  defaultServer: ServerDraft;
  servers: Server[];
  useServer: BackendSettings["useServer"][number][];
  persistRules: BackendSettings["persistRules"][number][];
  stickRules: StickRule[];
  retries: number;
  retryOn: BackendSettings["retryOn"];
  fullconn: number | null;
  httpReuse: BackendSettings["httpReuse"];
  check: CheckDraft;
  sendNameHeader: string | null;
  rdpCookieName: string | null;
  source: BackendSettings["source"];
  /** Those defined so far. */
  acls: Map<string, Acl>;
  emailAlert: EmailAlertDraft;
  httpOnly: HttpOnlyUse[];
  /** The first line of the vocabulary of HAProxy 1.5, which only makes sense in HTTP mode. */
  firstLegacyRule: Span | null;
  /** First `use_backend` or similar seen, to warn about rules that come too late to be read in order. */
  isInvalid: boolean;
}

export function newDefaults(): ProxyDraft {
  const span = { file: "", line: 0, column: 0, endColumn: 0 };
  return {
    kind: "defaults",
    name: "",
    span,
    nameSpan: span,
    id: null,
    idSpan: null,
    mode: null,
    isDisabled: false,
    description: null,
    places: {},
    timeouts: {
      clientMs: null,
      clientFinMs: null,
      connectMs: null,
      serverMs: null,
      serverFinMs: null,
      httpRequestMs: null,
      httpKeepAliveMs: null,
      queueMs: null,
      checkMs: null,
      tunnelMs: null,
      tarpitMs: null,
    },
    logs: [],
    usesGlobalLogs: false,
    logFormat: null,
    errorLogFormat: null,
    logFormatData: null,
    logTag: null,
    options: newOptions(),
    errorReplies: [],
    stats: null,
    tcpRequestConnection: [],
    tcpRequestSession: [],
    tcpRequestContent: [],
    tcpResponseContent: [],
    inspectDelayMs: null,
    responseInspectDelayMs: null,
    httpRequest: [],
    blockRules: [],
    legacyRequestRules: [],
    legacyRequestAdds: [],
    redirectRules: [],
    legacyResponseRules: [],
    legacyResponseAdds: [],
    httpResponse: [],
    httpAfterResponse: [],
    compression: null,
    filters: new Map(),
    uniqueIdFormat: null,
    uniqueIdHeader: null,
    binds: [],
    maxconn: null,
    backlog: null,
    useBackend: [],
    defaultBackend: null,
    rateLimitSessions: null,
    clientProbes: SYSTEM_PROBES,
    serverProbes: SYSTEM_PROBES,
    requestCaptures: [],
    responseCaptures: [],
    cookieCapture: null,
    balance: { algorithm: "roundrobin" },
    hasBalance: false,
    dispatch: null,
    transparent: null,
    hashType: { method: "map-based", function: "sdbm", avalanche: false },
    hashBalanceFactor: 0,
    cookie: null,
    dynamicCookieKey: null,
    defaultServer: newServerDraft(),
    servers: [],
    useServer: [],
    persistRules: [],
    stickRules: [],
    retries: 3,
    retryOn: {
      connFailure: true,
      emptyResponse: false,
      junkResponse: false,
      responseTimeout: false,
      statuses: [],
    },
    fullconn: null,
    httpReuse: "safe",
    check: {
      kind: "tcp-connect",
      optionRequest: null,
      httpRules: [],
      tcpRules: [],
      hello: "",
      domain: "",
      user: null,
      externalSpan: null,
      command: null,
      path: null,
    },
    sendNameHeader: null,
    rdpCookieName: null,
    source: null,
    acls: new Map(),
    emailAlert: newEmailAlert(),
    httpOnly: [],
    firstLegacyRule: null,
    isInvalid: false,
  };
}

/** A new section that starts from what `defaults` says. */
export function copyDraft(defaults: ProxyDraft): ProxyDraft {
  const copy: ProxyDraft = { ...defaults };
  for (const [key, value] of Object.entries(copy)) {
    if (Array.isArray(value)) Object.assign(copy, { [key]: [...value] });
  }
  copy.places = { ...defaults.places };
  copy.timeouts = { ...defaults.timeouts };
  copy.options = { ...defaults.options, monitorFail: [...defaults.options.monitorFail] };
  copy.stats = defaults.stats === null ? null : { ...defaults.stats };
  copy.defaultServer = structuredClone(defaults.defaultServer);
  copy.check = {
    ...defaults.check,
    httpRules: [...defaults.check.httpRules],
    tcpRules: [...defaults.check.tcpRules],
  };
  copy.acls = new Map();
  copy.emailAlert = { ...defaults.emailAlert };
  copy.httpOnly = [];
  copy.filters = new Map();
  copy.firstLegacyRule = null;
  copy.id = null;
  copy.idSpan = null;
  copy.description = null;
  return copy;
}

function newOptions(): Mutable<ProxyOptions> {
  return {
    dontlognull: false,
    dontlogNormal: false,
    logasap: false,
    logSeparateErrors: false,
    abortonclose: false,
    redispatch: 0,
    httpBufferRequest: false,
    httpIgnoreProbes: false,
    disableH2Upgrade: false,
    httpUseProxyHeader: false,
    httpPretendKeepalive: false,
    clitcpka: false,
    srvtcpka: false,
    allbackups: false,
    persist: false,
    socketStats: false,
    logHealthChecks: false,
    checkcache: false,
    h1CaseAdjustClient: false,
    h1CaseAdjustServer: false,
    restrictRequestHeaderNames: null,
    connectionMode: "keep-alive",
    forwardFor: null,
    originalTo: null,
    monitorUri: null,
    monitorFail: [],
  };
}
