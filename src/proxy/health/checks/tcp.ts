// `tcp-check send` and `tcp-check expect`, and what comparisons of strings, bytes and regular expressions
// have in common with `http-check expect`.
import type { CheckRule, TcpExpectation } from "../../../model/proxy.ts";
import type { LogFormat } from "../../../model/sample.ts";
import { requireRegex } from "../../rules/regex.ts";
import {
  type CheckContext,
  type CheckInput,
  type CheckStep,
  type Expectation,
  type ExpectOutcome,
  MATCH,
  WAIT,
} from "../check-step.ts";

/** Evaluates a format string in a check, where there is no stream. */
export type CheckFormat = (format: LogFormat, context: CheckContext) => string;
type TcpRule<K extends CheckRule["kind"]> = Extract<CheckRule, { kind: K }>;

export function tcpSendStep(rule: TcpRule<"tcp-send">, format: CheckFormat): CheckStep {
  const { bytes } = rule;
  if (!(bytes instanceof Uint8Array))
    return { kind: "send", make: (context) => format(bytes, context), comment: rule.comment };
  const text = String.fromCharCode(...bytes);
  return { kind: "send", make: () => text, comment: rule.comment };
}

export function tcpExpectStep(rule: TcpRule<"tcp-expect">, format: CheckFormat): CheckStep {
  const matcher = makeMatcher(rule.match, format);
  const expectation: Expectation = {
    label: matcher.label,
    okStatus: null,
    errorStatus: null,
    timeoutStatus: null,
    evaluate: (input, step) => judge(rule, matcher, input, step),
    describeSuccess: () => "(tcp-check)",
  };
  return { kind: "expect", expectation, comment: rule.comment };
}

interface Matcher {
  readonly label: string;
  readonly place: string;
  test(text: string, context: CheckContext): boolean;
  /** Below so many bytes nothing is decided yet. */
  bytesMin(context: CheckContext): number;
}

function makeMatcher(match: TcpExpectation, format: CheckFormat): Matcher {
  switch (match.by) {
    case "string":
      return literal(match.pattern, ` (expect string '${match.pattern}')`, ` '${match.pattern}'`);
    case "binary":
      return literal(hexToText(match.pattern), ` (expect binary '${hexToText(match.pattern)}')`, " (binary)");
    case "rstring": {
      const regex = requireRegex(match.pattern, false);
      return {
        label: " (expect regex)",
        place: " (regex)",
        test: (text) => regex.test(text),
        bytesMin: () => 0,
      };
    }
    case "rbinary": {
      const regex = requireRegex(match.pattern, false);
      return {
        label: " (expect binary regex)",
        place: " (binary regex)",
        test: (text) => regex.test(textToHex(text)),
        bytesMin: () => 0,
      };
    }
    default: {
      const isBinary = match.by === "binary-lf";
      const pattern = (context: CheckContext) =>
        isBinary ? hexToText(format(match.format, context)) : format(match.format, context);
      const word = isBinary ? "binary" : "string";
      return {
        label: ` (expect log-format ${word})`,
        place: ` (log-format ${word})`,
        test: (text, context) => text.includes(pattern(context)),
        bytesMin: (context) => pattern(context).length,
      };
    }
  }
}

function literal(pattern: string, label: string, place: string): Matcher {
  return { label, place, test: (text) => text.includes(pattern), bytesMin: () => pattern.length };
}

function judge(
  rule: TcpRule<"tcp-expect">,
  matcher: Matcher,
  input: CheckInput,
  step: number,
): ExpectOutcome {
  const { text, isFinal, context } = input;
  if (!isFinal && (text.length < matcher.bytesMin(context) || text.length < (rule.minRecv ?? 0))) return WAIT;
  const isMatch = matcher.test(text, context);
  // Without a minimum, content that does not match yet may still come.
  if (!isMatch && !isFinal && rule.minRecv === null) return WAIT;
  if (isMatch !== rule.negated) return MATCH;
  const what = isMatch ? "TCPCHK matched unwanted content" : "TCPCHK did not match content";
  return { kind: "fail", status: "L7RSP", description: `${what}${matcher.place} at step ${step}` };
}

function hexToText(hex: string): string {
  return hex.replace(/[0-9A-Fa-f]{2}/g, (digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function textToHex(text: string): string {
  return text.replace(/[\s\S]/g, (byte) => byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"));
}
