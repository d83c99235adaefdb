// Routes about what is served now: overview, history, servers and what is done to them, requests, events.
import type { ExplainRequestQuestion, RequestsAnswer, ServersAnswer } from "../../model/dashboard-api.ts";
import { explainRequest } from "../../proxy/explain/explain-request.ts";
import { readRequestQuestion } from "../explain/request-question.ts";
import { type Answer, answer, refusal } from "./answer.ts";
import { readTopics } from "./events.ts";
import { HISTORY_SECONDS_MAX } from "./history.ts";
import { FILTER_PARAMETERS, readFilter } from "./request-filter.ts";
import { type Call, numberOf, type Route } from "./route.ts";
import { copyWithoutSecrets } from "./secrets.ts";
import { type ActionOutcome, readAction } from "./server-actions.ts";
import { serverRows } from "./server-rows.ts";
import type { DashboardState } from "./state.ts";

const REQUESTS_DEFAULT = 100;
const REQUESTS_MAX = 1000;
const NO_SERVER = ["unknown-server", "there is no such server in the configuration that serves"] as const;

export function trafficRoutes(state: DashboardState): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/overview",
      role: "viewer",
      summary: "Figures of the last second: all traffic, each frontend and each backend",
      parameters: [],
      takes: null,
      gives: "Overview",
      run: () => answer(state.overview),
    },
    {
      method: "GET",
      path: "/history",
      role: "viewer",
      summary: "The last hour of all traffic, or of one frontend or backend",
      parameters: [
        { name: "seconds", in: "query", about: "how far back: 1 to 3600, the default" },
        { name: "proxy", in: "query", about: "frontend/NAME or backend/NAME; everything without it" },
      ],
      takes: null,
      gives: "History",
      run: ({ query }) => {
        const seconds = numberOf(query, "seconds", HISTORY_SECONDS_MAX, HISTORY_SECONDS_MAX);
        const history = state.history.read(query.get("proxy") ?? "", Math.max(1, seconds));
        return history === null
          ? refusal(404, "unknown-proxy", "nothing is kept under this name")
          : answer(history);
      },
    },
    {
      method: "GET",
      path: "/servers",
      role: "viewer",
      summary: "Every server: state, checks, weight, sessions, visitors that its cookie holds",
      parameters: [],
      takes: null,
      gives: "ServersAnswer",
      run: () => {
        const { actions } = state.source;
        const body: ServersAnswer = { atMs: actions.nowMs, servers: serverRows(actions, state.sticky) };
        return answer(body);
      },
    },
    {
      method: "POST",
      path: "/servers/{backend}/{server}/actions",
      role: "operator",
      summary: "Puts a server into ready, drain or maintenance, or changes its weight",
      parameters: [
        { name: "backend", in: "path", about: "its name" },
        { name: "server", in: "path", about: "its name" },
      ],
      takes: "ServerAction",
      gives: "ServerActionAnswer",
      run: (call) => actOnServer(call, state),
    },
    {
      method: "POST",
      path: "/undo",
      role: "operator",
      summary: "Takes an action on a server back",
      parameters: [],
      takes: "UndoQuestion",
      gives: "ServerActionAnswer",
      run: ({ body, session, client }) => {
        const token = textOf(body, "token");
        const outcome = state.serverActions.undo(token ?? "");
        if (outcome.kind === "done") {
          const { id } = outcome.answer.server;
          state.audit({ event: "server-action", user: session!.user, client, server: id, action: "undo" });
        }
        return answerOf(outcome);
      },
    },
    {
      method: "GET",
      path: "/requests",
      role: "viewer",
      summary: "The newest requests that were logged, the newest first",
      parameters: [
        { name: "limit", in: "query", about: "1 to 1000; 100 without it" },
        { name: "before", in: "query", about: "only those older than this one, for the next page" },
        ...FILTER_PARAMETERS,
      ],
      takes: null,
      gives: "RequestsAnswer",
      run: ({ query }) => {
        const limit = Math.max(1, numberOf(query, "limit", REQUESTS_DEFAULT, REQUESTS_MAX));
        const before = query.has("before") ? numberOf(query, "before", 0, Number.MAX_SAFE_INTEGER) : null;
        const body: RequestsAnswer = {
          ...state.requests.list(readFilter(query), limit, before),
          kept: state.requests.kept,
        };
        return answer(body);
      },
    },
    {
      method: "GET",
      path: "/requests/{id}",
      role: "viewer",
      summary:
        "One request with its timers and its termination state in words, and why it went where it went",
      parameters: [{ name: "id", in: "path", about: "its number" }],
      takes: null,
      gives: "RequestDetails",
      run: ({ path }) => {
        const kept = /^\d{1,15}$/.test(path["id"]!) ? state.requests.find(Number(path["id"])) : undefined;
        if (kept === undefined) return refusal(404, "unknown-request", "this request is no longer kept");
        return answer(state.explainer.describe(kept, state.source.actions.runtime));
      },
    },
    {
      method: "POST",
      path: "/explain/request",
      role: "viewer",
      summary: "What would become of a request; nothing is sent",
      parameters: [],
      takes: "ExplainRequestQuestion",
      gives: "RequestTrace",
      run: ({ body }) => explainQuestion(body, state),
    },
    {
      method: "GET",
      path: "/events",
      role: "viewer",
      summary: "Server-sent events: overview, servers, requests, reload, datacenter, lost, bye",
      parameters: [
        { name: "topics", in: "query", about: "overview,servers,requests: some of them; all without it" },
        { name: "lastEventId", in: "query", about: "as the header Last-Event-ID, which counts before it" },
        ...FILTER_PARAMETERS,
      ],
      takes: null,
      gives: "DashboardEvents",
      run: (call) => openEvents(call, state),
    },
  ];
}

function openEvents(
  { request, response, query, client, isAllowed }: Call,
  state: DashboardState,
): Answer | null {
  const wishes = {
    topics: readTopics(query),
    filter: readFilter(query),
    lastEventId: [request.headers["last-event-id"]].flat()[0] ?? query.get("lastEventId"),
    client,
    isAllowed,
  };
  if (state.events.open(response, wishes)) return null;
  return refusal(503, "too-many-readers", "too many look already", null, { "retry-after": "10" });
}

function actOnServer({ path, body, session, client }: Call, state: DashboardState): Answer {
  const action = readAction(body);
  if (action === null)
    return refusal(
      400,
      "wrong-action",
      "the action is ready, drain or maintenance, or weight with a weight from 0 to 256",
    );
  const { backend = "", server = "" } = path;
  const outcome = state.serverActions.run(backend, server, action);
  if (outcome.kind === "done")
    state.audit({
      event: "server-action",
      user: session!.user,
      client,
      server: `${backend}/${server}`,
      ...action,
    });
  return answerOf(outcome);
}

function answerOf(outcome: ActionOutcome): Answer {
  switch (outcome.kind) {
    case "done":
      return answer(outcome.answer);
    case "unknown-server":
      return refusal(404, ...NO_SERVER);
    case "wrong":
      return refusal(400, "wrong-action", outcome.message);
    case "too-late":
      return refusal(409, "too-late", outcome.message);
  }
}

function explainQuestion(body: unknown, state: DashboardState): Answer {
  const words = readExplainWords(body);
  if (words === null)
    return refusal(400, "wrong-question", "a question has a url, and lists of texts as headers and down");
  const asked = readRequestQuestion({
    url: words.url,
    method: words.method ?? null,
    headers: words.headers ?? [],
    bodyBytes: null,
    from: words.from ?? null,
    to: words.to ?? null,
    down: words.down ?? [],
    responseStatus: null,
    responseHeaders: [],
  });
  if (asked.kind === "wrong") return refusal(400, "wrong-question", asked.message);
  const { runtime } = state.source.actions;
  const trace = explainRequest(runtime.configuration, asked.question, state.explainer.facts(runtime));
  return "kind" in trace ? refusal(400, "wrong-question", trace.message) : answer(copyWithoutSecrets(trace));
}

/** Null: it is no such question. */
function readExplainWords(body: unknown): ExplainRequestQuestion | null {
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const isList = (value: unknown) =>
    value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"));
  if (typeof body !== "object" || body === null) return null;
  const { url, method, headers, from, to, down } = body as Partial<Record<string, unknown>>;
  const isGood = typeof url === "string" && [method, from, to].every(isText) && [headers, down].every(isList);
  return isGood ? (body as ExplainRequestQuestion) : null;
}

/** A text of a body; null when there is none of that name. */
export function textOf(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null) return null;
  const value = (body as Partial<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : null;
}
