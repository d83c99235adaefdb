// What the dashboard's browser side and its server say to each other over /api/v1/: plain data, shared types.
// The prose of each route is in its OpenAPI file, which is served at /api/v1/openapi.json. Times are
// milliseconds since 1970, durations milliseconds, unless a name says otherwise. What is about a datacentre
// is in dashboard-datacenter.ts.
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { Span } from "../diagnostic/span.ts";
import type { RequestTrace } from "./request-trace.ts";

// ---- Everything that goes wrong, and who asks ----

/** The body of every answer with a status of 400 or more. */
export interface ApiError {
  readonly error: {
    /** Stable and kebab-case: "not-logged-in", "wrong-csrf-token", "unknown-server" … */
    readonly code: string;
    /** One sentence for people. */
    readonly message: string;
    /** What to do about it; null when there is nothing worth saying. */
    readonly help: string | null;
  };
}

/** Each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** GET and POST /api/v1/session. */
export interface SessionAnswer {
  /** Null: nobody is logged in, and only this route and the page itself answer. */
  readonly user: string | null;
  readonly role: Role | null;
  /** To be sent as `X-CSRF-Token` with everything that is not GET; null when nobody is logged in. */
  readonly csrfToken: string | null;
  /**
   * False on loopback without a file of users, where everybody is admin, and behind a sign-on proxy: there is
   * no way to log in or out.
   */
  readonly isLoginRequired: boolean;
  readonly program: { readonly version: string; readonly node: string; readonly isDemo: boolean };
  /** Which pages have something to show. */
  readonly features: { readonly datacenter: boolean; readonly consoles: boolean };
}

/** POST /api/v1/session: logs in. 403 for a wrong name or password, 429 after too many. */
export interface LoginQuestion {
  readonly user: string;
  readonly password: string;
}

// ---- Overview ----

/** GET /api/v1/overview, and the event `overview` once a second. */
export interface Overview {
  readonly atMs: number;
  readonly startedMs: number;
  /** Raised by each reload. */
  readonly generation: number;
  readonly workers: number;
  /** "uring" or "portable". */
  readonly engine: string;
  /** All frontends together; `queued` and the servers' counts are those of all backends. */
  readonly total: ProxyFigures;
  /** In the order of the file. */
  readonly proxies: readonly ProxyFigures[];
}

/** Of one frontend or one backend, over the last second. */
export interface ProxyFigures {
  readonly kind: "frontend" | "backend";
  readonly name: string;
  readonly mode: "http" | "tcp";
  /** HAProxy's word: OPEN, STOP, UP, DOWN. */
  readonly status: string;
  /** Requests, in tcp mode connections, that ended in the second. */
  readonly requestsPerSecond: number;
  /** Of those, by the class of their status. */
  readonly status1xx: number;
  readonly status2xx: number;
  readonly status3xx: number;
  readonly status4xx: number;
  readonly status5xx: number;
  /** Per second: 5xx, failed connections to servers, and responses that broke off. 4xx is no error here. */
  readonly errorsPerSecond: number;
  readonly sessions: number;
  /** Null: no limit. */
  readonly sessionLimit: number | null;
  readonly sessionsPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  /** Of frontends always 0. */
  readonly queued: number;
  /** Null when nothing ended in the second. */
  readonly latency: LatencyQuantiles | null;
  /** Usable servers; of frontends 0. */
  readonly serversUp: number;
  readonly serverCount: number;
}

/** From the first byte of a request to the last of its response (tcp: of the connection); ±6 %. */
export interface LatencyQuantiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * GET /api/v1/history?seconds=N&proxy=KIND/NAME: the last N seconds (default and most 3600) of everything
 * (`proxy` left out: the total) or of one. Up to 300 s in steps of 1 s, else of 10 s.
 */
export interface History {
  readonly stepMs: number;
  /** Null: the total. */
  readonly proxy: { readonly kind: "frontend" | "backend"; readonly name: string } | null;
  /** Ends of the steps, ascending. The columns are as long. */
  readonly atMs: readonly number[];
  readonly columns: HistoryColumns;
}

/** Means over the step; latencies are those of all that ended in it, null when nothing did. */
export interface HistoryColumns {
  readonly requestsPerSecond: readonly number[];
  readonly errorsPerSecond: readonly number[];
  readonly status4xx: readonly number[];
  readonly sessions: readonly number[];
  readonly bytesInPerSecond: readonly number[];
  readonly bytesOutPerSecond: readonly number[];
  readonly queued: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p90Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

// ---- Servers ----

/** GET /api/v1/servers. */
export interface ServersAnswer {
  readonly atMs: number;
  /** In the order of the file. */
  readonly servers: readonly ServerRow[];
}

/** What an operator sees first. `drain` and `maintenance` are wanted by somebody, `down` by nobody. */
export type ServerCondition = "up" | "starting" | "stopping" | "down" | "drain" | "maintenance" | "unchecked";

export interface ServerRow {
  /** "BACKEND/SERVER". */
  readonly id: string;
  readonly backend: string;
  readonly server: string;
  /** "192.168.1.1:80"; "" when its name has no address. */
  readonly address: string;
  /** Value of the persistence cookie; null without one. */
  readonly cookie: string | null;
  readonly isBackup: boolean;
  readonly condition: ServerCondition;
  /** HAProxy's words: "UP 1/3", "MAINT (via be/s1)", "no check". */
  readonly status: string;
  readonly lastChangeSeconds: number;
  readonly downtimeSeconds: number;
  readonly check: ServerCheck | null;
  readonly agent: ServerCheck | null;
  /** 0..256, as the runtime has it, as the file has it, and with slow start and agent applied. */
  readonly weight: number;
  readonly configuredWeight: number;
  readonly effectiveWeight: number;
  readonly sessions: number;
  readonly sessionsMax: number;
  readonly sessionLimit: number | null;
  readonly sessionsTotal: number;
  readonly idleConnections: number;
  readonly queued: number;
  readonly requestsPerSecond: number;
  readonly requestsTotal: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly errors: {
    readonly connection: number;
    readonly response: number;
    readonly retries: number;
    readonly redispatches: number;
    readonly status5xx: number;
  };
  /** Means over the last thousand or so. */
  readonly averages: {
    readonly queueMs: number;
    readonly connectMs: number;
    readonly responseMs: number;
    readonly totalMs: number;
  };
  /** -1: none yet. */
  readonly lastSessionSeconds: number;
  /** Null: its backend knows no cookie. */
  readonly sticky: StickySessions | null;
  /** Its line in the file. */
  readonly span: Span;
}

/** Those whom a cookie brings back to this server: what is left to wait for when it drains. */
export interface StickySessions {
  /** Different clients (address and browser) in the last `windowSeconds` that came by its cookie. */
  readonly clients: number;
  /** True: there were more than are counted, `clients` is the bound. */
  readonly isMore: boolean;
  readonly windowSeconds: number;
  /** When the last one came; null: none since the start. */
  readonly lastSeenMs: number | null;
}

export interface ServerCheck {
  /** HAProxy's word: "L7OK", "L4CON". */
  readonly status: string;
  /** In words: "Layer7 check passed". */
  readonly meaning: string;
  /** Status of the answer; null where there is none. */
  readonly code: number | null;
  readonly durationMs: number | null;
  /** What the last check said; "" when there is nothing to say. */
  readonly lastAnswer: string;
  /** 0..rise+fall-1; up from `rise` on. */
  readonly health: number;
  readonly rise: number;
  readonly fall: number;
  readonly failures: number;
  readonly isEnabled: boolean;
  readonly isPassing: boolean;
}

/** POST /api/v1/servers/{backend}/{server}/actions; role operator. */
export type ServerAction =
  | { readonly action: "ready" | "drain" | "maintenance" }
  /** 0..256. */
  | { readonly action: "weight"; readonly weight: number };

export interface ServerActionAnswer {
  /** As it is now. */
  readonly server: ServerRow;
  /** One sentence: "WEB-002 drains: 3 clients hold its cookie". */
  readonly message: string;
  /** For POST /api/v1/undo; good for 10 minutes, once, and while nobody else has changed the server. */
  readonly undo: { readonly token: string; readonly untilMs: number; readonly label: string };
}

/** POST /api/v1/undo; role operator. Answers as the action did, with a token that undoes the undoing. */
export interface UndoQuestion {
  readonly token: string;
}

// ---- Requests ----

/**
 * GET /api/v1/requests?before=ID&limit=N&…: the newest first. Filters, all of which must hold: `frontend`,
 * `backend`, `server`, `method`, `client` (a part of its address), `path` (a part of it), `status` (404,
 * 4xx), `slowerMs`, `termination` (begins so: "SC"), `failed` (true: 5xx or any termination state but "--").
 * GET /api/v1/events takes the same filters for the event `requests`.
 */
export interface RequestsAnswer {
  readonly requests: readonly RequestRecord[];
  /** For the next page; null: there is nothing older. */
  readonly before: number | null;
  readonly kept: RequestsKept;
}

export interface RequestsKept {
  readonly count: number;
  readonly countMax: number;
  /** Of the last second: under load only some are kept, failed ones first. 1: all. */
  readonly share: number;
}

/** A request that was logged, or in tcp mode a connection. */
export interface RequestRecord {
  /** Ascending in the order of arrival at the master. */
  readonly id: number;
  /** When it began. */
  readonly atMs: number;
  readonly client: string;
  readonly frontend: string;
  readonly backend: string | null;
  /** Null: none was chosen; "<STATS>" and its like: one of our own services. */
  readonly server: string | null;
  readonly isTls: boolean;
  /** Null in tcp mode, and when no request came. */
  readonly http: {
    readonly method: string;
    /** Path and query as they came, at most 1,024 characters. */
    readonly target: string;
    readonly host: string;
    readonly userAgent: string;
    /** -1: none was sent. */
    readonly status: number;
  } | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly timers: RequestTimers;
  /** HAProxy's termination state: "--NI", in tcp mode "--". */
  readonly termination: string;
  readonly retries: number;
  readonly isRedispatched: boolean;
  readonly isFailed: boolean;
  /** Who or what ended it, in words; "" when it ended well. */
  readonly ending: string;
  /** What became of the persistence cookie, in words; "" when there is nothing to say. */
  readonly persistence: string;
}

/** -1: it did not get that far. */
export interface RequestTimers {
  readonly idleMs: number;
  readonly requestMs: number;
  readonly queueMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  /** From the first byte to the end. */
  readonly totalMs: number;
}

/** GET /api/v1/requests/{id}. 404 when it is no longer kept. */
export interface RequestDetails {
  readonly request: RequestRecord;
  readonly timers: readonly {
    /** HAProxy's name: "Ti", "TR", "Tw", "Tc", "Tr", "Td". */
    readonly name: string;
    /** Null: it did not get that far. */
    readonly ms: number | null;
    readonly meaning: string;
  }[];
  /** Each letter of the termination state in words. */
  readonly termination: readonly { readonly letter: string; readonly meaning: string }[];
  /** The head as it came; values of credentials and of cookies other than the persistence cookie are "…". */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The same as `sallyport explain request` says, for the configuration that serves now. */
  readonly explanation: RequestExplanation;
}

export type RequestExplanation =
  | { readonly kind: "trace"; readonly trace: RequestTrace; readonly assumptions: readonly string[] }
  | { readonly kind: "unexplained"; readonly reason: string };

/**
 * POST /api/v1/explain/request: a request of one's own. The words are those of `sallyport explain request`.
 */
export interface ExplainRequestQuestion {
  readonly url: string;
  readonly method?: string;
  /** "Name: value". */
  readonly headers?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  /** Servers taken to be down. */
  readonly down?: readonly string[];
}

// ---- Check and configuration ----

/** GET /api/v1/check: of the haproxy.cfg that is served and of the datacentre, read anew. */
export interface CheckAnswer {
  readonly files: readonly { readonly name: string; readonly kind: "proxy" | "datacenter" }[];
  /** In the order of files and lines. */
  readonly findings: readonly CheckFinding[];
  readonly errorCount: number;
  readonly warningCount: number;
}

export interface CheckFinding extends Diagnostic {
  /** Of the finding and its place, for /check/fix. */
  readonly id: string;
  readonly kind: "proxy" | "datacenter";
  /** Lines around the place, and around the related ones; empty when it concerns a whole file. */
  readonly excerpt: readonly SourceLine[];
  readonly relatedExcerpts: readonly (readonly SourceLine[])[];
  /** Null: nothing that could be done without harm. */
  readonly fix: CheckFix | null;
}

export interface SourceLine {
  readonly line: number;
  readonly text: string;
}

export interface CheckFix {
  /** What lines of the files become. */
  readonly changes: readonly {
    readonly file: string;
    readonly line: number;
    readonly before: string | null;
    readonly after: string | null;
  }[];
}

/** POST /api/v1/check/fix; role admin. Writes the fixes of these findings into their files. */
export interface FixQuestion {
  readonly ids: readonly string[];
}

export interface FixAnswer {
  readonly fixed: readonly string[];
  /** Why the others were not. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  readonly check: CheckAnswer;
}

/** GET /api/v1/configuration: the haproxy.cfg that serves. */
export interface ConfigurationAnswer {
  readonly generation: number;
  readonly loadedMs: number;
  /** True: the files on disk are others than those that serve. */
  readonly isChanged: boolean;
  readonly files: readonly ConfigurationFile[];
}

export interface ConfigurationFile {
  readonly name: string;
  readonly lines: readonly ConfigurationLine[];
}

/**
 * `done`: as in HAProxy; `without-effect`: read, and does nothing here; `none`: empty, a comment, a section.
 */
export type LineSupport = "done" | "partly" | "without-effect" | "refused" | "legacy" | "unknown" | "none";

export interface ConfigurationLine {
  readonly text: string;
  readonly support: LineSupport;
  /** "bind", "option httpclose", "timeout client". */
  readonly keyword: string | null;
  /** What is missing, why it has no effect, how it is written today; null when there is nothing to say. */
  readonly note: string | null;
  /** What it counts now, for lines that begin something that counts: sections, binds, servers. */
  readonly counters: LineCounters | null;
}

export interface LineCounters {
  /** What GET /api/v1/history and the rows of servers call it: "frontend/NAME", "BACKEND/SERVER". */
  readonly of: string;
  readonly kind: "frontend" | "backend" | "listener" | "server";
  readonly status: string;
  readonly sessions: number;
  readonly sessionsTotal: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** POST /api/v1/reload; role admin. */
export interface ReloadAnswer {
  readonly isReloaded: boolean;
  readonly message: string;
  readonly findings: readonly CheckFinding[];
}

// ---- Audit ----

/** GET /api/v1/audit?limit=N; role admin. The newest first. */
export interface AuditAnswer {
  readonly entries: readonly AuditEntry[];
}

export interface AuditEntry {
  readonly atMs: number;
  /** "login", "server-action" … */
  readonly event: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

// ---- Events ----

/**
 * GET /api/v1/events?topics=overview,servers,requests: server-sent events, all topics unless some are named.
 * Each has an id; after a break the browser sends the last one, and what is still kept comes after it. When
 * something has been lost there is first an event `lost`: ask anew for what is shown.
 */
export interface DashboardEvents {
  readonly overview: Overview;
  /** Rows that have changed in what an operator looks at, at most once a second. */
  readonly servers: ServersAnswer;
  /** New ones, oldest first. */
  readonly requests: { readonly requests: readonly RequestRecord[]; readonly kept: RequestsKept };
  /** Another configuration serves. */
  readonly reload: { readonly generation: number };
  /** The datacentre's file has changed. */
  readonly datacenter: { readonly version: string };
  readonly lost: { readonly atMs: number };
  /** The server ends; come again in a while. */
  readonly bye: { readonly reason: string };
}

export const EVENT_TOPICS = ["overview", "servers", "requests"] as const;
export type EventTopic = (typeof EVENT_TOPICS)[number];
