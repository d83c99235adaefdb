// When a fetch's facts are there, by the place in the configuration that asks. HAProxy 2.6 warns of an acl
// that cannot match for this reason and refuses an expression that cannot yield anything; so do we.
import { FETCHES, type FetchName } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";

/**
 * Where an expression is evaluated: `connection` and `session` are the early tcp-request rules, `request` and
 * `response` everything on a request's or response's way (tcp content rules included), `log` after the end,
 * `any` where it is not known.
 */
export type Stage = "connection" | "session" | "request" | "response" | "log" | "any";

const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  connection: "before the connection is accepted",
  session: "before the first request",
  request: "while the request is handled",
  response: "while the response is handled",
  log: "in the log",
  any: "",
};

/** Request facts that HAProxy keeps until the log is written. */
const KEPT_REQUEST_FACTS: ReadonlySet<FetchName> = new Set([
  "method",
  "http_first_req",
  "req.proto_http",
  "capture.req.hdr",
  "capture.req.method",
  "capture.req.uri",
  "capture.req.ver",
  "capture.res.ver",
]);
const KEPT_RESPONSE_FACTS: ReadonlySet<FetchName> = new Set([
  "status",
  "res.cache_hit",
  "res.cache_name",
  "res.comp",
  "res.comp_algo",
  "capture.res.hdr",
  "bc_http_major",
  "srv_id",
  "srv_name",
]);

const OF_THE_BACKEND: ReadonlySet<FetchName> = new Set([
  "be_id",
  "be_name",
  "be_server_timeout",
  "be_tunnel_timeout",
  "cur_server_timeout",
  "cur_tunnel_timeout",
]);

/** Null when `name` can be evaluated at that stage, else the rest of a sentence "'name' …". */
export function unavailableReason(name: FetchName, stage: Stage, context: ExpressionContext): string | null {
  if (stage === "any" || stagesOf(name, context).has(stage)) return null;
  return `${factsOf(name)}, which are not there ${STAGE_NAMES[stage]}`;
}

const ALL: ReadonlySet<Stage> = new Set(["connection", "session", "request", "response", "log"]);
const AFTER_HANDSHAKE: ReadonlySet<Stage> = new Set(["session", "request", "response", "log"]);
const FROM_REQUEST: ReadonlySet<Stage> = new Set(["request", "response", "log"]);
const FROM_RESPONSE: ReadonlySet<Stage> = new Set(["response", "log"]);
const REQUEST: ReadonlySet<Stage> = new Set(["request"]);
const RESPONSE: ReadonlySet<Stage> = new Set(["response"]);

function stagesOf(name: FetchName, context: ExpressionContext): ReadonlySet<Stage> {
  if (name === "wait_end") return ALL;
  if (KEPT_REQUEST_FACTS.has(name)) return FROM_REQUEST;
  if (KEPT_RESPONSE_FACTS.has(name)) return FROM_RESPONSE;
  if (OF_THE_BACKEND.has(name)) return context.proxyKind === "frontend" ? FROM_RESPONSE : FROM_REQUEST;
  if (name.startsWith("ssl_bc")) return FROM_RESPONSE;
  if (name.startsWith("ssl_")) return AFTER_HANDSHAKE;
  if (name.startsWith("res.")) return RESPONSE;
  return FETCHES[name].scope === "always" ? ALL : REQUEST;
}

function factsOf(name: FetchName): string {
  if (name.startsWith("ssl_")) return "reads facts of TLS";
  if (OF_THE_BACKEND.has(name) || name.startsWith("be_")) return "reads facts of the backend";
  if (name.startsWith("srv_")) return "reads facts of the chosen server";
  if (name.startsWith("res.") || KEPT_RESPONSE_FACTS.has(name)) return "reads facts of the response";
  return "reads facts of the request";
}
