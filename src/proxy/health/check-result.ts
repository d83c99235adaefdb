// What a health check can end with: HAProxy's check statuses, what they mean for a server, and how they read
// in a log.
import { CHECK_STATUS } from "../state.ts";

export type CheckVerdict = "unknown" | "neutral" | "failed" | "passed" | "conditional";

interface StatusFacts {
  readonly verdict: CheckVerdict;
  readonly text: string;
  /** Whether the status goes with a code of the protocol checked, such as HTTP's. */
  readonly hasCode: boolean;
}

export type CheckStatusName =
  | "UNK"
  | "INI"
  | "CHECKED"
  | "SOCKERR"
  | "L4OK"
  | "L4TOUT"
  | "L4CON"
  | "L6OK"
  | "L6TOUT"
  | "L6RSP"
  | "L7OK"
  | "L7OKC"
  | "L7TOUT"
  | "L7RSP"
  | "L7STS"
  | "PROCERR"
  | "PROCTOUT"
  | "PROCOK"
  | "HANA";

export const STATUS_FACTS: Readonly<Record<CheckStatusName, StatusFacts>> = {
  UNK: { verdict: "unknown", text: "Unknown", hasCode: false },
  INI: { verdict: "unknown", text: "Initializing", hasCode: false },
  CHECKED: { verdict: "neutral", text: "No status change", hasCode: false },
  HANA: { verdict: "failed", text: "Health analyze", hasCode: false },
  SOCKERR: { verdict: "failed", text: "Socket error", hasCode: false },
  L4OK: { verdict: "passed", text: "Layer4 check passed", hasCode: false },
  L4TOUT: { verdict: "failed", text: "Layer4 timeout", hasCode: false },
  L4CON: { verdict: "failed", text: "Layer4 connection problem", hasCode: false },
  L6OK: { verdict: "passed", text: "Layer6 check passed", hasCode: false },
  L6TOUT: { verdict: "failed", text: "Layer6 timeout", hasCode: false },
  L6RSP: { verdict: "failed", text: "Layer6 invalid response", hasCode: false },
  L7TOUT: { verdict: "failed", text: "Layer7 timeout", hasCode: false },
  L7RSP: { verdict: "failed", text: "Layer7 invalid response", hasCode: false },
  L7OK: { verdict: "passed", text: "Layer7 check passed", hasCode: true },
  L7OKC: { verdict: "conditional", text: "Layer7 check conditionally passed", hasCode: true },
  L7STS: { verdict: "failed", text: "Layer7 wrong status", hasCode: true },
  PROCERR: { verdict: "failed", text: "External check error", hasCode: true },
  PROCTOUT: { verdict: "failed", text: "External check timeout", hasCode: true },
  PROCOK: { verdict: "passed", text: "External check passed", hasCode: true },
};

export interface CheckResult {
  readonly status: CheckStatusName;
  /** The protocol's code, 0 when there is none. */
  readonly code: number;
  /** "" when there is nothing to say. */
  readonly description: string;
  /** -1 when nothing was measured. */
  readonly durationMs: number;
}

const DESCRIPTION_LENGTH_MAX = 127;

/** The number of a status in the shared state. */
export function statusNumber(status: CheckStatusName): number {
  return CHECK_STATUS.indexOf(status);
}

/** As far as HAProxy keeps it: up to a NUL, and no more than 127 bytes. */
export function truncateDescription(description: string): string {
  return description.split("\0", 1)[0]!.slice(0, DESCRIPTION_LENGTH_MAX);
}

/** ", reason: …, code: …, info: "…", check duration: …ms" as HAProxy writes it. */
export function describeResult(result: CheckResult): string {
  const facts = STATUS_FACTS[result.status];
  let text = `, reason: ${facts.text}`;
  if (facts.hasCode) text += `, code: ${result.code}`;
  if (result.description !== "") text += `, info: "${encodeInfo(result.description)}"`;
  if (result.durationMs >= 0) text += `, check duration: ${Math.floor(result.durationMs)}ms`;
  return text;
}

/**
 * What a server said must not forge log lines: bytes outside of printable ASCII, and quotes, become "<XX>".
 */
function encodeInfo(text: string): string {
  return text.replace(/[^ !#-~]/g, (character) => {
    return `<${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}>`;
  });
}
