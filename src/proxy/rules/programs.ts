// The compiled rules of a proxy: what the exchange runs in each phase.
import type { ReplyDefinition, Rule, ServerRule, SwitchMode } from "../../model/rule.ts";
import type { CachedObject } from "../cache/shared-cache.ts";
import type { Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import type { StickProgram } from "./stick-program.ts";

/** An answer of another process that a rule waits for. */
export interface PendingAnswer {
  isHere: boolean;
  /** Set by who waits. */
  onArrival: (() => void) | null;
}

/** What a rule set decided. `done` means: go on with the next phase. */
export type Verdict =
  | { readonly kind: "done" }
  /** More content (or the body) is needed before the rule at `resumeAt` can be decided. */
  | {
      readonly kind: "wait";
      readonly resumeAt: number;
      readonly deadlineMs: number;
      /** `wait-for-body`: buffer the body (that much of it, or all), then go on at `resumeAt`. */
      readonly body?: { readonly atLeastBytes: number | null };
      /** `do-resolve`: nothing of the client's is waited for, but this. */
      readonly pending?: PendingAnswer;
    }
  | { readonly kind: "deny"; readonly reply: ReplyDefinition; readonly isTarpit: boolean }
  | { readonly kind: "return"; readonly reply: ReplyDefinition }
  | {
      readonly kind: "redirect";
      readonly status: number;
      readonly location: string;
      readonly setCookie: string | null;
    }
  | { readonly kind: "auth"; readonly realm: string }
  | { readonly kind: "reject" }
  /** The request is not well-formed: answered with 400. */
  | { readonly kind: "invalid" }
  | { readonly kind: "silent-drop" }
  | { readonly kind: "close" }
  /** In tcp mode; requests have switched already, and go on. */
  | SwitchMode
  /** `cache-use` has found a response. */
  | { readonly kind: "cached"; readonly object: CachedObject }
  | { readonly kind: "use-service"; readonly service: "prometheus-exporter" };

/**
 * One rule set, compiled. Constant verdicts are shared objects: running a set allocates nothing in the usual
 * case.
 */
export interface RuleProgram {
  readonly isEmpty: boolean;
  /**
   * `resumeAt` is 0, or what a `wait` verdict said. An inspect delay counts from `sinceMs`, or else from the
   * stream's start.
   */
  run(stream: Stream, resumeAt: number, sinceMs?: number): Verdict;
}

export interface FrontendPrograms {
  readonly tcpRequestConnection: RuleProgram;
  readonly tcpRequestSession: RuleProgram;
  readonly tcpRequestContent: RuleProgram;
  readonly httpRequest: RuleProgram;
  readonly httpResponse: RuleProgram;
  readonly httpAfterResponse: RuleProgram;
  /** The name of the backend chosen by the first use_backend rule that matches; null when none does. */
  chooseBackend(stream: Stream): string | null;
  /** `monitor fail` conditions. */
  isMonitorFailing(stream: Stream): boolean;
  /** Evaluates unique-id-format; null without one. */
  makeUniqueId: ((stream: Stream) => string) | null;
}

export interface BackendPrograms {
  readonly tcpRequestContent: RuleProgram;
  readonly tcpResponseContent: RuleProgram;
  readonly httpRequest: RuleProgram;
  readonly httpResponse: RuleProgram;
  readonly httpAfterResponse: RuleProgram;
  /** `use-server`: the first matching rule's server if it is usable. */
  chooseServer(stream: Stream): Server | null;
  /** `force-persist` / `ignore-persist`. */
  persistence(stream: Stream): "force" | "ignore" | null;
  /** Null without `stick` rules. */
  readonly stick: StickProgram | null;
  /** `stats admin` and `stats http-request` rules; null without a stats section. */
  readonly stats: { readonly httpRequest: RuleProgram; isAdmin(stream: Stream): boolean } | null;
}

export type { Rule, ServerRule };
