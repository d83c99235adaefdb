// What the parsers of expressions and rules may know of the file around them. Made by the reader, one per
// line and direction; the parsers in expression/ never see the reader itself.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { ReplyDefinition } from "../../model/rule.ts";
import type { Acl } from "../../model/sample.ts";

export interface ExpressionContext {
  /** Which message `hdr` and other short names mean. */
  readonly direction: "request" | "response";
  /** The section: a proxy's name, or "" in `global` and in an unnamed `defaults`. */
  readonly proxyName: string;
  readonly proxyKind: "frontend" | "backend" | "listen" | "defaults" | "global";
  /** Null in `global`, and where a defaults section says nothing. */
  readonly mode: "http" | "tcp" | null;
  /** Those of the proxy defined so far, and the predefined ones (7.4), which a proxy may redefine. */
  readonly acls: ReadonlyMap<string, Acl>;
  /** Names in the whole file. Complete only within a deferred check. */
  readonly names: KnownNames;
  /** A sample names "BACKEND/SERVER". */
  noteServer(name: string): void;
  /** Environment variables, for the `env` fetch; null when not set. */
  variable(name: string): string | null;
  report(diagnostic: Diagnostic): void;
  /** Bytes of a file beside the configuration (acl patterns, replies); null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  /**
   * Reads a map file into the configuration's `maps`, once per path. False when it cannot be read (the
   * caller reports it at its own word).
   */
  loadMap(path: string): boolean;
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
