// What stands before every request of the dashboard: is it meant for us (a name that a foreign site has let
// point here is none of ours), does it come from our own page, and may who asks do that?
import type { IncomingMessage } from "node:http";
import { type Answer, refusal } from "./answer.ts";
import type { Route } from "./route.ts";
import { isSameToken, mayAct, type Session } from "./sessions.ts";

export interface GateOptions {
  readonly scheme: "http" | "https";
  /** Whether browsers may call us by this name or address, in lower case and without port. */
  isOwnName(name: string): boolean;
}

/** Null: go on. DNS rebinding ends here: the browser says the name that its page is from. */
export function refuseForeignHost(request: IncomingMessage, { isOwnName }: GateOptions): Answer | null {
  const host = request.headers.host ?? "";
  const [, name = "", port = ""] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(host) ?? [];
  // Behind a proxy or a NAT the port is another one; the name is what counts against rebinding.
  if (isOwnName(name.toLowerCase()) && Number(port) <= 65_535) return null;
  return refusal(
    421,
    "foreign-host",
    "this is not what this dashboard is called",
    "Add the name by --dashboard-name, if it is one of its own.",
  );
}

/**
 * Null: go on. Pages of other sites may not even read, though a browser would not show them what they get.
 */
export function refuseForeignOrigin(request: IncomingMessage, { scheme }: GateOptions): Answer | null {
  const { origin, host, "sec-fetch-site": site } = request.headers;
  // In the clear we may be behind a proxy that ends TLS; with TLS of our own the page has it too.
  const own = (scheme === "https" ? ["https"] : ["http", "https"]).map((one) =>
    `${one}://${host}`.toLowerCase(),
  );
  const isForeign =
    (origin !== undefined && !own.includes(origin.toLowerCase())) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  if (!isForeign) return null;
  return refusal(403, "foreign-origin", "another site's page asks, and it may not");
}

/** Null: go on. */
export function refuseStranger(route: Route, session: Session | null): Answer | null {
  if (route.role === null) return null;
  if (session === null) return refusal(401, "not-logged-in", "nobody is logged in", "Log in first.");
  if (mayAct(session.role, route.role)) return null;
  return refusal(
    403,
    "role-too-low",
    `this takes the role ${route.role}, and ${session.user} is ${session.role}`,
  );
}

/** Null: go on. The token is known to our own page only, so that no form of another site can do anything. */
export function refuseForgery(
  request: IncomingMessage,
  route: Route,
  session: Session | null,
): Answer | null {
  if (route.method === "GET") return null;
  const type = request.headers["content-type"] ?? "";
  // A type that no form can send: a browser asks us first, and we do not agree.
  if (route.takes !== null && !/^application\/json(?:;|$)/i.test(type))
    return refusal(415, "no-json", "the body has to be application/json");
  // Who logs in has no token yet; an Origin that is not ours has been refused before.
  if (route.role === null) return null;
  const token = request.headers["x-csrf-token"];
  if (session !== null && typeof token === "string" && isSameToken(token, session.csrfToken)) return null;
  return refusal(
    403,
    "wrong-csrf-token",
    "the X-CSRF-Token is missing or not that of this session",
    "Read it at GET /api/v1/session.",
  );
}
