// What the parsers of expressions and rules may know of the file around them. Made by the reader, one per
// line and direction; the parsers in expression/ never see the reader itself.

import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { CacheDefinition } from "../../model/cache.ts";
import type { PatternDefinition, PatternUse } from "../../model/pattern-list.ts";
import type { ReplyDefinition } from "../../model/rule.ts";
import type { Acl } from "../../model/sample.ts";
import type { StickTableDefinition } from "../../model/stick-table.ts";
import type { PatternFileProblem } from "./pattern-lists.ts";

export interface ExpressionContext {
  /** Which message `hdr` and other short names mean. */
  readonly direction: "request" | "response";
  /** The section: a proxy's name, or "" in `global` and in an unnamed `defaults`. */
  readonly proxyName: string;
  readonly proxyKind: "frontend" | "backend" | "listen" | "defaults" | "global";
  /** Null in `global`, and where a defaults section says nothing. */
  readonly mode: "http" | "tcp" | null;
  /** Those of the proxy defined so far. They come before the predefined ones (7.4). */
  readonly acls: ReadonlyMap<string, Acl>;
  /** Names in the whole file. Complete only within a deferred check. */
  readonly names: KnownNames;
  /** Likewise. */
  readonly stickTables: readonly StickTableDefinition[];
  /** Likewise. */
  readonly caches: readonly CacheDefinition[];
  /** A sample names "BACKEND/SERVER". */
  noteServer(name: string): void;
  /** Environment variables, for the `env` fetch; null when not set. */
  variable(name: string): string | null;
  report(diagnostic: Diagnostic): void;
  /** Bytes of a file beside the configuration (acl patterns, replies); null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  /**
   * Index of the list of patterns, or of keys and values, that a file has; it is read once. The caller
   * reports at its own word why it cannot be used.
   */
  usePatternFile(path: string, hasValues: boolean, use: PatternUse): number | PatternFileProblem;
  /** What is in such a list. */
  patternsOf(list: number): readonly PatternDefinition[];
  /** Index of a list for the patterns of one acl line; null in texts that Sallyport itself brings. */
  addPatterns(
    criterion: string,
    patterns: readonly string[],
    use: PatternUse,
    id: number | null,
  ): number | null;
  /** True if an acl or a map uses the file. Complete only within a deferred check. */
  hasPatternFile(path: string): boolean;
  /** A predefined acl with lists of its own: one for each proxy that uses it. */
  adoptAcl(name: string, adopt: () => Acl): Acl;
  /**
   * Runs `check` when all sections have been read: for names that may be defined further down. It may
   * report.
   */
  deferCheck(check: () => void): void;
  /**
   * The reply that an `http-errors` section gives for a status; null when section or status are not there.
   */
  httpErrorReply(section: string, status: number): ReplyDefinition | null;
  /** True if an `http-errors` section of that name exists anywhere. */
  hasHttpErrors(section: string): boolean;
  readonly captures: CaptureSlots;
}

export interface KnownNames {
  /** Proxies with a frontend side (`frontend` and `listen`). */
  readonly frontends: ReadonlySet<string>;
  /** Proxies with a backend side (`backend` and `listen`). */
  readonly backends: ReadonlySet<string>;
  readonly userlists: ReadonlySet<string>;
  /** Sections of nameservers. */
  readonly resolvers: ReadonlySet<string>;
  /** "BACKEND/SERVER". */
  readonly servers: ReadonlySet<string>;
}

/**
 * `http-request capture … len N` takes a new slot of the frontend; `… id N` names one of `declare capture`.
 */
export interface CaptureSlots {
  /** Slots taken so far, in both directions. */
  readonly requestCount: number;
  readonly responseCount: number;
  /** Returns the slot's number, from 0. */
  addRequestSlot(length: number): number;
  addResponseSlot(length: number): number;
}
