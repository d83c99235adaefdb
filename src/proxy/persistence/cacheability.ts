// Whether a cache between us and the client may store a response, and a cookie in it, by HTTP/1 rules as
// HAProxy 2.6 reads them (RFC 7231 section 6.1, RFC 7234). Used for `cookie … nocache` and `option
// checkcache`.
import type { MessageHead } from "../../protocol/http1/message-head.ts";

export interface Cacheability {
  readonly response: boolean;
  readonly cookies: boolean;
}

const NEITHER: Cacheability = { response: false, cookies: false };
/** Cacheable by default (RFC 7231 section 6.1). */
const CACHEABLE_STATUSES = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);
const NOT_STORED = new Set(["private", "no-cache", "no-store", "max-age=0", "s-maxage=0"]);

/** `status` is the server's, before rules changed it. The last directive that says something counts. */
export function isResponseCacheable(
  request: MessageHead | null,
  response: MessageHead,
  status: number,
): Cacheability {
  const byDefault =
    request !== null &&
    isCacheableMethod(request.method) &&
    (status === 200 || CACHEABLE_STATUSES.has(status));
  let isStored = byDefault;
  let areCookiesStored = byDefault;
  if (status < 200 || response.firstValue("pragma")?.toLowerCase() === "no-cache") return NEITHER;
  let canBeReused = response.has("expires") || response.has("etag") || response.has("last-modified");
  const isDirected = response.has("cache-control");
  if (!canBeReused && !isDirected) return NEITHER;
  for (const directive of isDirected ? directives(response) : []) {
    if (directive === "public") isStored = areCookiesStored = true;
    else if (NOT_STORED.has(directive)) isStored = areCookiesStored = false;
    else if (directive.startsWith('no-cache="set-cookie')) areCookiesStored = false;
    else if (/^(s-maxage|max-age)/.test(directive)) canBeReused = true;
  }
  // Nothing stores what has neither an age nor a validator (RFC 7234 section 3).
  if (!canBeReused) return NEITHER;
  return { response: isStored, cookies: areCookiesStored };
}

function isCacheableMethod(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "TRACE";
}

/** All elements of all Cache-Control headers in lower case. Commas in quoted strings do not separate. */
function directives(head: MessageHead): string[] {
  const found: string[] = [];
  for (let i = head.indexOf("cache-control"); i >= 0; i = head.indexOf("cache-control", i + 1)) {
    for (const match of head.valueAt(i).matchAll(/(?:"(?:\\.|[^"\\])*"?|[^",])+/g))
      found.push(match[0].trim().toLowerCase());
  }
  return found;
}
