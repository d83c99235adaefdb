// Whether what a client got is what it may have got: the response of its own request, byte for byte, or a
// reply of the proxy's that the plan or the scenario's faults explain.
import { differenceBetween, isPrefix } from "./content.ts";
import type { ReadMessage } from "./message-reader.ts";
import {
  hasNoBody,
  isReachingOrigin,
  isRepeatable,
  type RequestPlan,
  responseContent,
  targetOf,
} from "./plan.ts";

export interface JudgeRules {
  /** No faults, no misbehaviour of others: each request gets exactly what it asked for. */
  readonly isClean: boolean;
  readonly hasAbortOnClose: boolean;
  /** Servers close connections that they had promised to keep. */
  readonly hasStale: boolean;
}

/** What is wrong with a complete final response, or null. */
export function judgeResponse(plan: RequestPlan, response: ReadMessage, rules: JudgeRules): string | null {
  const status = statusOf(response);
  const owner = response.headers.get("x-id");
  if (owner === undefined) return judgeReply(plan, status, response, rules);
  if (owner !== plan.id) return `the response of request ${owner}`;
  if (!isReachingOrigin(plan.route))
    return `the origin answered a request that ${plan.route} should have answered`;
  if (status !== plan.response.status) return `status ${status} instead of ${plan.response.status}`;
  return differenceBetween(responseContent(plan.id, plan.method, plan.response), response.body);
}

/** What is wrong with a response that was cut, or with one that never began (null). */
export function judgeCut(plan: RequestPlan, partial: ReadMessage | null, rules: JudgeRules): string | null {
  if (partial !== null) {
    const owner = partial.headers.get("x-id");
    if (owner !== undefined && owner !== plan.id) return `the beginning of the response of request ${owner}`;
    if (owner !== undefined && !isPrefix(responseContent(plan.id, plan.method, plan.response), partial.body))
      return "the beginning of a response differs";
  }
  return mayBeCut(plan, rules) ? null : "cut without a reason";
}

export function statusOf(response: ReadMessage): number {
  return Number(response.startLine.slice(9, 12));
}

const OWN_REPLIES: Readonly<Record<string, number>> = { deny: 403, return: 200, redirect: 302, tarpit: 500 };

function judgeReply(
  plan: RequestPlan,
  status: number,
  response: ReadMessage,
  rules: JudgeRules,
): string | null {
  const wanted = OWN_REPLIES[plan.route];
  if (wanted !== undefined && status === wanted) return judgeOwnBody(plan, response);
  if (plan.abort !== null)
    return [400, 408, 502, 503, 504].includes(status) ? null : `reply ${status} to a broken request`;
  if (permittedErrors(plan, rules).includes(status)) return null;
  return `reply ${status} of the proxy's own${rules.isClean ? " without any fault" : ""}`;
}

function judgeOwnBody(plan: RequestPlan, response: ReadMessage): string | null {
  if (plan.route === "redirect") {
    const wanted = `https://elsewhere${targetOf(plan)}`;
    return response.headers.get("location") === wanted
      ? null
      : `redirect to ${response.headers.get("location")}`;
  }
  if (plan.route !== "return") return null;
  const wanted = hasNoBody(plan.method, 200) ? "" : `returned ${targetOf(plan)}`;
  return differenceBetween(Buffer.from(wanted), response.body);
}

function permittedErrors(plan: RequestPlan, rules: JudgeRules): readonly number[] {
  const byPlan = [...(ERRORS_BY_KIND[plan.response.kind] ?? []), ...(mayBeLost(plan, rules) ? [502] : [])];
  // Of a client that has ended its side, `option abortonclose` believes that it does not wait any more.
  if (rules.hasAbortOnClose) byPlan.push(400);
  return rules.isClean ? byPlan : [...byPlan, 408, 502, 503, 504];
}

const ERRORS_BY_KIND: Readonly<Record<string, readonly number[]>> = {
  hang: [504],
  "reset-before": [502],
  "close-before": [502],
  garbage: [502],
};

function mayBeCut(plan: RequestPlan, rules: JudgeRules): boolean {
  if (!rules.isClean || plan.abort !== null || mayBeLost(plan, rules)) return true;
  return !["normal", "early", "upgrade", "surplus"].includes(plan.response.kind);
}

/** It went to a connection that the server was about to close, and must not be sent again. */
function mayBeLost(plan: RequestPlan, rules: JudgeRules): boolean {
  return rules.hasStale && isReachingOrigin(plan.route) && !isRepeatable(plan);
}
