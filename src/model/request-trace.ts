// What becomes of a request, as plain data: the result of `proxy/explain`, printed on the terminal and as
// JSON, and continued by the explanation of packets where a packet reaches a load balancer. Nothing in it
// refers to what is running.
import type { Span } from "../diagnostic/span.ts";
import type { TraceLevel } from "./trace.ts";

export interface RequestTrace {
  readonly phases: readonly RequestTracePhase[];
  readonly disposition: RequestDisposition;
  /** One sentence: what becomes of it and why. */
  readonly summary: string;
  /** The line that decided; null when none did. */
  readonly span: Span | null;
  readonly frontend: string | null;
  readonly backend: string | null;
  /** Where it goes on from here; null when it does not. */
  readonly server: RequestTraceServer | null;
  /** As the server gets it; null in tcp mode and when no server does. */
  readonly requestHead: readonly TracedLine[] | null;
  /** As the client gets it, whoever wrote it; null when it gets nothing, and in tcp mode. */
  readonly responseHead: readonly TracedLine[] | null;
  readonly log: RequestTraceLog | null;
}

/** A closed set: every request ends in exactly one. */
export const REQUEST_DISPOSITIONS = [
  "forwarded", // a server gets it, and the client that server's answer
  "response-replaced", // a server gets it, and the client an answer of ours
  "connected", // tcp mode: the connection goes to a server
  "accepted", // http mode, and nothing was asked: who serves depends on the request
  "answered", // a redirect, a page, statistics, a request for a password
  "denied", // by a rule
  "no-server", // nobody there who could serve it
  "bad-request", // no HTTP that is let through
  "refused", // the connection is closed by a rule
  "tls-mismatch", // TLS to a listener without it, or the other way round, or a name without certificate
  "no-listener",
] as const;
export type RequestDisposition = (typeof REQUEST_DISPOSITIONS)[number];

export const REQUEST_PHASES = [
  "listener",
  "tls",
  "connection rules",
  "request",
  "frontend rules",
  "backend choice",
  "backend rules",
  "persistence",
  "server choice",
  "connection to the server",
  "request head",
  "response",
  "response rules",
  "answer",
  "log",
] as const;
export type RequestPhaseName = (typeof REQUEST_PHASES)[number];

export interface RequestTracePhase {
  readonly name: RequestPhaseName;
  readonly steps: readonly RequestTraceStep[];
}

export interface RequestTraceStep {
  readonly kind: "rule" | "choice" | "fact" | "head";
  /** `brief` steps are always shown, `full` ones only when all is. */
  readonly level: TraceLevel;
  /** Small first letter, no full stop. */
  readonly text: string;
  /** The line that decided; null for what the protocol or a default demands. */
  readonly span: Span | null;
  /** Of rules: whether their condition held. */
  readonly outcome: "matched" | "not-matched" | "lacking" | "failed" | "noted";
  /** What the rule changed, one sentence each. */
  readonly effects: readonly string[];
  /**
   * The tests of its condition, in the order in which they were tried; those that decided nothing are not.
   */
  readonly tests: readonly TestTrace[];
  /** Lines of a message, for `head` steps. */
  readonly lines: readonly TracedLine[];
}

export interface TestTrace {
  /** Of a named acl; "" for an anonymous test. */
  readonly acl: string;
  /** "req.hdr(host),lower". */
  readonly sample: string;
  /** What was read, in the order tried; empty when there was no such thing. */
  readonly values: readonly string[];
  /** "str", "beg", "ip" … */
  readonly method: string;
  readonly ignoreCase: boolean;
  readonly patterns: readonly string[];
  /** The one of them that matched; null when none did, and for methods without patterns. */
  readonly pattern: string | null;
  readonly matched: boolean;
  /** The acl's line, or the rule's own. */
  readonly span: Span;
}

export interface TracedLine {
  readonly text: string;
  readonly change: "kept" | "added" | "changed" | "removed";
  /** Who did it, when it was changed: "http-request set-header", "option forwardfor". */
  readonly by: string | null;
  readonly span: Span | null;
}

export interface RequestTraceServer {
  readonly name: string;
  readonly backend: string;
  /** An address, a name that is resolved when the configuration is loaded, or the path of a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  readonly source: { readonly host: string; readonly port: number } | null;
  /** Null: clear. "" sends no SNI. */
  readonly tls: { readonly serverName: string } | null;
  /** The PROXY header in hexadecimal (version 2) or as text (version 1); null without one. */
  readonly proxyHeader: string | null;
  readonly isPersistent: boolean;
  readonly span: Span;
}

export interface RequestTraceLog {
  /** "--NI": termination state, and what became of cookies in http mode. */
  readonly flags: string;
  /** -1 in tcp mode. */
  readonly status: number;
  /** Null when nothing is logged. */
  readonly line: string | null;
}
