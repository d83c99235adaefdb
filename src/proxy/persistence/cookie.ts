// `cookie`: ties clients to servers by a cookie, in all modes of HAProxy 2.6 (insert, prefix, rewrite,
// passive; indirect, preserve, nocache, postonly, maxidle, maxlife, dynamic). Two calls, one for the request
// head and one for the response head, each of which edits the head and leaves the log flags (NN NI VN VU II
// DI EI OI …) in the stream.
import { prepareHeader } from "../../protocol/http1/message-head.ts";
import type { Backend, Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import { type Cacheability, isResponseCacheable } from "./cacheability.ts";
import { isActive, persistenceOf } from "./cookie-mode.ts";
import { RequestCookies } from "./request-cookie.ts";
import { insertCookie, mustInsert, treatServerCookies } from "./response-cookie.ts";

/**
 * To be called once a stream's backend is known (`applyRequestCookie` makes up for it): "NN" in its log line
 * where the backend sets or hides cookies, "--" where not (no `cookie` line, or one that only names a
 * cookie), as in HAProxy.
 */
export function beginCookies(stream: Stream, backend: Backend): void {
  const { cookie } = backend.settings;
  const isReported = cookie !== null && isActive(cookie);
  stream.cookieRequest = stream.cookieResponse = isReported ? "N" : "-";
}

/**
 * Looks for the backend's persistence cookie in the request head. Returns the server that it names if that
 * may be used (up, or `option persist`, or force-persist); the caller assigns it and sets
 * `stream.isPersistent`. A stream that has a server already (use-server), or whose persistence is "ignore",
 * gets null and flag U.
 */
export function applyRequestCookie(stream: Stream, backend: Backend, nowSeconds: number): Server | null {
  const settings = backend.settings.cookie;
  const head = stream.request;
  if (settings === null || head === null) return null;
  if (stream.cookieRequest === "-") beginCookies(stream, backend);
  let reader: RequestCookies | null = null;
  for (let i = head.indexOf("cookie"); i >= 0; i = head.indexOf("cookie", i + 1)) {
    const value = head.valueAt(i);
    // Most requests carry none or only other cookies.
    if (!value.includes(settings.name) && !/ =|= |\t/.test(value)) continue;
    reader ??= new RequestCookies(stream, backend, settings, nowSeconds);
    const kept = reader.process(value);
    if (kept === "") head.removeAt(i);
    else if (kept !== value) head.setValueAt(i, kept);
  }
  return reader === null ? null : reader.server;
}

/**
 * Treats the response head after http-response rules and before http-after-response ones. Needs
 * `stream.server`, `stream.isPersistent` (the server is the one that the client's cookie or a use-server rule
 * named) and `stream.status` (the server's). Returns "deny" for a cacheable response with a cookie under
 * `option checkcache`: it is answered like one that an http-response deny rule hit, and an alert is logged.
 * Interim responses are left alone.
 */
export function applyResponseCookie(stream: Stream, backend: Backend, nowSeconds: number): "pass" | "deny" {
  const settings = backend.settings.cookie;
  const { checkcache } = backend.definition.options;
  const head = stream.response;
  if (head === null || (settings === null && !checkcache)) return "pass";
  persistenceOf(stream, backend);
  const status = stream.status > 0 ? stream.status : head.status;
  if (status < 200 && status !== 101) return "pass";
  const hasCookie = head.has("set-cookie");
  const found = settings === null || !hasCookie ? false : treatServerCookies(stream, settings, head);
  const needsCacheability = checkcache || settings?.nocache === true;
  let cacheable = needsCacheability ? isResponseCacheable(stream.request, head, status) : UNKNOWN_CACHEABLE;
  const isBound = stream.server !== null && !stream.server.isDispatch;
  if (settings !== null && isBound && mustInsert(stream, settings, found, nowSeconds)) {
    insertCookie(stream, stream.server!, settings, head, nowSeconds);
    if (settings.nocache && cacheable.response) {
      head.addPrepared(PRIVATE);
      cacheable = UNKNOWN_CACHEABLE;
    }
  }
  return checkcache && hasCookie && cacheable.response && cacheable.cookies ? "deny" : "pass";
}

const PRIVATE = prepareHeader("cache-control", "private")!;
const UNKNOWN_CACHEABLE: Cacheability = { response: false, cookies: false };

/** The text of the alert that goes with "deny". */
export function describeCheckcacheDenial(stream: Stream, backend: Backend): string {
  return `Blocking cacheable cookie in response from instance ${backend.name}, server ${stream.server?.name ?? "<dispatch>"}.`;
}
