// What a health check does, as a list of steps: connect, send, expect, and actions in between. Each kind of
// check makes such a list once; `Check` runs it. Bytes received since the last send are judged as a whole, as
// Latin-1 text.
import type { CheckConnection } from "../../model/proxy.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Server } from "../runtime.ts";
import type { CheckStatusName } from "./check-result.ts";

/** What one run of a check knows. */
export interface CheckContext {
  readonly server: Server;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
  /** `check.` variables by full name. */
  readonly variables: Map<string, SampleValue>;
  /** What was received since the last send, Latin-1. */
  reply: string;
}

export type CheckStep =
  | {
      readonly kind: "connect" /** null: as the server line says */;
      readonly connection: CheckConnection | null;
      readonly isImplicit: boolean;
      readonly comment: string | null;
    }
  | {
      readonly kind: "send";
      readonly make: (context: CheckContext) => string;
      readonly comment: string | null;
    }
  | {
      readonly kind: "expect";
      readonly expectation: Expectation;
      readonly comment: string | null;
      /** Who hangs up instead of answering has said enough before. */
      readonly isFarewell?: true;
    }
  | { readonly kind: "action"; readonly run: (context: CheckContext) => void };

/** Received bytes are a Latin-1 string; `isFinal` when no more will come. */
export interface CheckInput {
  readonly text: string;
  readonly isFinal: boolean;
  readonly context: CheckContext;
}

export type ExpectOutcome =
  | { readonly kind: "wait" }
  | {
      readonly kind: "match";
      readonly code?: number /** replaces what `describeSuccess` says */;
      readonly description?: string;
    }
  | {
      readonly kind: "fail";
      readonly status: CheckStatusName;
      readonly code?: number;
      readonly description: string;
    };

export const WAIT: ExpectOutcome = { kind: "wait" };
export const MATCH: ExpectOutcome = { kind: "match" };

export interface Expectation {
  evaluate(input: CheckInput, stepNumber: number): ExpectOutcome;
  /** " (expect string 'PONG')", for timeouts of `option tcp-check`. */
  readonly label: string;
  readonly okStatus: CheckStatusName | null;
  readonly errorStatus: CheckStatusName | null;
  readonly timeoutStatus: CheckStatusName | null;
  /** The description of the result when this is the last step. */
  describeSuccess(input: CheckInput): string;
}

export interface CheckPlan {
  /**
   * `tcp`: descriptions name the step, as for `option tcp-check`. `http`: an empty answer has no description.
   */
  readonly flavour: "connect" | "tcp" | "http" | "protocol";
  readonly steps: readonly CheckStep[];
  /** `http-check disable-on-404`. */
  readonly disableOn404: boolean;
}

export const IMPLICIT_CONNECT: CheckStep = {
  kind: "connect",
  connection: null,
  isImplicit: true,
  comment: null,
};

/** Number of a step as HAProxy counts: from 1, an implicit connect is 0. */
export function stepNumber(steps: readonly CheckStep[], index: number): number {
  const first = steps[0];
  return first?.kind === "connect" && first.isImplicit ? index : index + 1;
}

/** A send of fixed bytes. */
export function sendStep(bytes: string): CheckStep {
  return { kind: "send", make: () => bytes, comment: null };
}

export interface TextExpectation {
  readonly pattern: RegExp;
  /** Decide with so many bytes; null: go on waiting while nothing matches. */
  readonly minRecv: number | null;
  readonly isNegated?: boolean;
  readonly errorStatus: CheckStatusName;
  readonly okStatus?: CheckStatusName;
  readonly timeoutStatus?: CheckStatusName;
  describeError(text: string): string;
  describeSuccess(text: string): string;
  code?(text: string): number;
}

/** An expectation of one of the built-in protocols: a pattern at the start of the answer. */
export function expectText(definition: TextExpectation): CheckStep {
  const code = (text: string) => definition.code?.(text) ?? 0;
  const expectation: Expectation = {
    label: " (expect regex)",
    okStatus: definition.okStatus ?? null,
    errorStatus: definition.errorStatus,
    timeoutStatus: definition.timeoutStatus ?? null,
    evaluate({ text, isFinal }) {
      if (!isFinal && text.length < (definition.minRecv ?? 0)) return WAIT;
      const isMatch = definition.pattern.test(text);
      if (!isMatch && !isFinal && definition.minRecv === null) return WAIT;
      if (isMatch !== (definition.isNegated ?? false)) return { kind: "match", code: code(text) };
      return {
        kind: "fail",
        status: definition.errorStatus,
        code: code(text),
        description: definition.describeError(text),
      };
    },
    describeSuccess: ({ text }) => definition.describeSuccess(text),
  };
  return { kind: "expect", expectation, comment: null };
}

/** Up to the first CR or LF. */
export function firstLine(text: string): string {
  const end = text.search(/[\r\n]/);
  return end < 0 ? text : text.slice(0, end);
}
