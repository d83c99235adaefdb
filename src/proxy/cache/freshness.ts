// How long a response may be delivered again, and whether a client may be given what is kept (RFC 9111, as
// HAProxy 2.6 reads it).
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import { someValue } from "../rules/header-values.ts";

/** The client wants to hear it from the server itself. */
export function asksForFresh(request: MessageHead): boolean {
  if (someValue(request, "cache-control", (value) => FRESH.test(value))) return true;
  return request.firstValue("pragma")?.toLowerCase() === "no-cache";
}

const FRESH = /^(?:no-cache|max-age=|max-stale|min-fresh=)/i;

/** Seconds from now on, at most `maxAgeSeconds`; 0 or less: it is old already. */
export function freshSeconds(response: MessageHead, maxAgeSeconds: number, nowSeconds: number): number {
  const own =
    directiveSeconds(response, "s-maxage") ??
    directiveSeconds(response, "max-age") ??
    untilExpiry(response, nowSeconds);
  const age = ageOf(response);
  if (age === null || (own !== null && age > own)) return 0;
  if (own === null) return maxAgeSeconds;
  return Math.min(own, maxAgeSeconds);
}

/** What caches before us have said, in seconds; null: it is no number, so nobody knows. */
export function ageOf(response: MessageHead): number | null {
  const value = response.firstValue("age") ?? "0";
  return /^\d{1,10}$/.test(value) ? Number(value) : null;
}

function directiveSeconds(response: MessageHead, name: string): number | null {
  let seconds: number | null = null;
  someValue(response, "cache-control", (value) => {
    const match = /^([a-z-]+)="?(\d{1,10})/i.exec(value);
    if (match !== null && match[1]!.toLowerCase() === name) seconds = Number(match[2]);
    return seconds !== null;
  });
  return seconds;
}

/** Seconds since 1970; null: no date as RFC 9110 section 5.6.7 has it. */
export function parseHttpDate(text: string): number | null {
  if (
    !/^(?:[a-z]{3}, \d{2} [a-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT|[a-z]+, \d{2}-[a-z]{3}-\d{2} [\d:]{8} GMT)$/i.test(
      text,
    )
  )
    return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

/** A date that is none is one that has passed (RFC 9111 section 5.3). */
function untilExpiry(response: MessageHead, nowSeconds: number): number | null {
  const expires = response.firstValue("expires");
  return expires === null ? null : (parseHttpDate(expires) ?? 0) - nowSeconds;
}
