// What the rule lines of a proxy do: `http-request`, `http-response`, `http-after-response`, `tcp-request`,
// `tcp-response`, `use_backend`. HAProxy 2.6 configuration manual, section 4.2.
import type { Span } from "../diagnostic/span.ts";
import type { CacheAction } from "./cache.ts";
import type { HttpProtocol } from "./proxy.ts";
import type { Condition, LogFormat, MatchMethod, SampleExpression } from "./sample.ts";
import type { CounterAction } from "./stick-table.ts";

export interface Rule<A extends Action = Action> {
  readonly action: A;
  readonly condition: Condition | null;
  readonly span: Span;
}

/** A reply that the proxy itself gives. Bytes of files are read with the configuration. */
export interface ReplyDefinition {
  readonly status: number;
  /** null: the reply of the proxy's errorfiles for this status, else the built-in one. */
  readonly content:
    | { readonly kind: "none" }
    | { readonly kind: "text"; readonly bytes: Uint8Array; readonly contentType: string | null }
    | { readonly kind: "format"; readonly format: LogFormat; readonly contentType: string | null }
    | { readonly kind: "raw"; readonly bytes: Uint8Array /* a whole HTTP message, as errorfile */ }
    | null;
  readonly headers: readonly { readonly name: string; readonly value: LogFormat }[];
}

export type RedirectDefinition = {
  readonly kind: "redirect";
  readonly to: "location" | "prefix" | "scheme";
  readonly value: LogFormat;
  readonly code: 301 | 302 | 303 | 307 | 308;
  readonly dropQuery: boolean;
  readonly appendSlash: boolean;
  readonly setCookie: string | null;
  readonly clearCookie: string | null;
  readonly ignoreEmpty: boolean;
};

export type LogLevel =
  | "emerg"
  | "alert"
  | "crit"
  | "err"
  | "warning"
  | "notice"
  | "info"
  | "debug"
  | "silent";

/** Actions that edit a message; in requests and responses alike. */
export type EditAction =
  | { readonly kind: "add-header"; readonly name: string; readonly value: LogFormat }
  | { readonly kind: "set-header"; readonly name: string; readonly value: LogFormat }
  | { readonly kind: "del-header"; readonly name: string; readonly method: MatchMethod }
  | {
      readonly kind: "replace-header";
      readonly name: string;
      readonly pattern: string;
      readonly ignoreCase: boolean;
      readonly value: LogFormat;
    }
  | {
      readonly kind: "replace-value";
      readonly name: string;
      readonly pattern: string;
      readonly ignoreCase: boolean;
      readonly value: LogFormat;
    };

export type RequestLineAction =
  | { readonly kind: "set-method"; readonly value: LogFormat }
  | { readonly kind: "set-path"; readonly value: LogFormat }
  | { readonly kind: "set-pathq"; readonly value: LogFormat }
  | { readonly kind: "set-query"; readonly value: LogFormat }
  | { readonly kind: "set-uri"; readonly value: LogFormat }
  | { readonly kind: "replace-path"; readonly pattern: string; readonly value: LogFormat }
  | { readonly kind: "replace-pathq"; readonly pattern: string; readonly value: LogFormat }
  | {
      readonly kind: "replace-uri";
      readonly pattern: string;
      readonly ignoreCase: boolean;
      readonly value: LogFormat;
    }
  | { readonly kind: "normalize-uri"; readonly normalizer: UriNormalizer };

export const URI_NORMALIZERS = [
  "fragment-encode",
  "fragment-strip",
  "path-merge-slashes",
  "path-strip-dot",
  "path-strip-dotdot",
  "percent-decode-unreserved",
  "percent-to-uppercase",
  "query-sort-by-name",
] as const;

export interface UriNormalizer {
  readonly name: (typeof URI_NORMALIZERS)[number];
  /** `percent-…` only: a malformed encoding is answered with 400. */
  readonly isStrict: boolean;
  /** `path-strip-dotdot` only: "/../" at the beginning goes too. */
  readonly isFull: boolean;
}

/**
 * The 1.5 vocabulary that has no present-day rule: works on whole "Name: value" lines or on the request or
 * status line.
 */
export type LegacyAction =
  | {
      readonly kind: "replace-line";
      readonly pattern: string;
      readonly ignoreCase: boolean;
      readonly value: string;
    }
  | { readonly kind: "delete-line"; readonly pattern: string; readonly ignoreCase: boolean };

export type FinalAction =
  | { readonly kind: "allow" }
  | { readonly kind: "accept" }
  | { readonly kind: "deny"; readonly reply: ReplyDefinition }
  | { readonly kind: "tarpit"; readonly reply: ReplyDefinition }
  | { readonly kind: "return"; readonly reply: ReplyDefinition }
  | { readonly kind: "auth"; readonly realm: LogFormat | null }
  | { readonly kind: "reject" }
  | { readonly kind: "silent-drop" }
  /** The server's connection alone. */
  | { readonly kind: "close" }
  | { readonly kind: "use-service"; readonly service: "prometheus-exporter" }
  /** What comes on this connection is HTTP from here on. */
  | SwitchMode
  | RedirectDefinition;

export interface SwitchMode {
  readonly kind: "switch-mode";
  /** Spoken whatever the client begins with; null: as its first bytes say. */
  readonly protocol: HttpProtocol | null;
}

/** When a variable is set at all: what it is now, compared with what it would become. */
export type VariableCondition = (typeof VARIABLE_CONDITIONS)[number];
export const VARIABLE_CONDITIONS = [
  "ifexists",
  "ifnotexists",
  "ifempty",
  "ifnotempty",
  "ifset",
  "ifnotset",
  "ifgt",
  "iflt",
] as const;

export type StateAction =
  | {
      readonly kind: "set-var";
      readonly variable: string;
      /** All of them must hold. */
      readonly conditions: readonly VariableCondition[];
      readonly value: SampleExpression | LogFormat;
      readonly isFormat: boolean;
    }
  | { readonly kind: "unset-var"; readonly variable: string }
  /** Of all processes: `path` names the list of an acl or a map; `value`: of `set-map`, else null. */
  | {
      readonly kind: "add-acl" | "del-acl" | "set-map" | "del-map";
      readonly path: string;
      readonly key: LogFormat;
      readonly value: LogFormat | null;
    }
  | { readonly kind: "set-log-level"; readonly level: LogLevel }
  | { readonly kind: "set-src"; readonly value: SampleExpression }
  | { readonly kind: "set-src-port"; readonly value: SampleExpression }
  | { readonly kind: "set-dst"; readonly value: SampleExpression }
  | { readonly kind: "set-dst-port"; readonly value: SampleExpression }
  | {
      readonly kind: "set-timeout";
      readonly timeout: "server" | "tunnel";
      readonly value: SampleExpression | number;
    }
  /** `slot`: index into the frontend's captures of that direction. */
  | { readonly kind: "capture"; readonly sample: SampleExpression; readonly slot: number }
  | { readonly kind: "set-status"; readonly status: number; readonly reason: string | null }
  | { readonly kind: "strict-mode"; readonly isOn: boolean }
  | { readonly kind: "disable-l7-retry" }
  /** Without effect here. */
  | { readonly kind: "set-nice" | "wait-for-handshake" }
  | { readonly kind: "wait-for-body"; readonly timeoutMs: number; readonly atLeastBytes: number | null };

/** The address of a host, as nameservers know it, in a variable. */
export interface ResolveAction {
  readonly kind: "do-resolve";
  readonly variable: string;
  /** Name of the section. */
  readonly resolvers: string;
  /** Which addresses are preferred. */
  readonly family: 4 | 6;
  readonly value: SampleExpression;
}

export type Action =
  | EditAction
  | RequestLineAction
  | LegacyAction
  | FinalAction
  | StateAction
  | CounterAction
  | CacheAction
  | ResolveAction;
export type ActionKind = Action["kind"];

export interface BackendRule {
  /** A backend's name, or a format evaluated for each request. */
  readonly backend: string | LogFormat;
  readonly condition: Condition | null;
  readonly span: Span;
}

export interface ServerRule {
  readonly server: string | LogFormat;
  readonly condition: Condition | null;
  readonly span: Span;
}

/** `force-persist` and `ignore-persist`. */
export interface PersistRule {
  readonly kind: "force" | "ignore";
  readonly condition: Condition;
  readonly span: Span;
}
