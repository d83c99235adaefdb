// Which of a proxy's algorithms a client takes, as HAProxy 2.6 reads Accept-Encoding: the coding with the
// highest weight, of equal ones the first; `*` stands for any, and without weight it is 1.
import type { CompressionAlgorithm, CompressionSettings } from "../../model/compression.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import { someValue } from "../rules/header-values.ts";

/** What Accept-Encoding and Content-Encoding call them. */
export const CODINGS: Readonly<Record<CompressionAlgorithm, string>> = {
  identity: "identity",
  gzip: "gzip",
  deflate: "deflate",
  "raw-deflate": "deflate",
};

/**
 * Null: the response goes on as it is. `identity` is taken also when the client does not speak of it: the
 * response is then sent in chunks and otherwise as it came.
 */
export function acceptedAlgorithm(
  request: MessageHead,
  algorithms: CompressionSettings["algorithms"],
): CompressionAlgorithm | null {
  if (isMistaken(request.firstValue("user-agent"))) return null;
  let best: CompressionAlgorithm | null = null;
  let bestWeight = 0;
  someValue(request, "accept-encoding", (value) => {
    const found = algorithmOf(value, algorithms);
    if (found === null) return false;
    const weight = weightOf(value);
    if (weight > bestWeight) {
      best = found;
      bestWeight = weight;
    }
    return false;
  });
  if (best !== null) return best;
  return algorithms.includes("identity") ? "identity" : null;
}

/** HAProxy looks through its list from the end, which shows where `*` or the same coding twice is. */
function algorithmOf(
  value: string,
  algorithms: CompressionSettings["algorithms"],
): CompressionAlgorithm | null {
  const coding = /^[^;\s]*/.exec(value)![0].toLowerCase();
  return algorithms.findLast((one) => coding === "*" || CODINGS[one] === coding) ?? null;
}

/** In thousandths. What is no weight counts as 1000, as in HAProxy. */
function weightOf(value: string): number {
  const match = /;\s*q=([01])(?:\.(\d{0,3}))?/i.exec(value);
  if (match === null) return 1000;
  return Math.min(1000, Number(match[1]) * 1000 + Number((match[2] ?? "").padEnd(3, "0")));
}

/**
 * Browsers of that name cannot be trusted with it, apart from Internet Explorer 6 with XP SP2, 7, 8 and 9.
 */
function isMistaken(userAgent: string | null): boolean {
  if (userAgent?.startsWith("Mozilla/4") !== true) return false;
  return !/MSIE (?:6\..*SV1|[7-9])/.test(userAgent);
}
