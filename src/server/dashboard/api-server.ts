// Takes requests of browsers to the routes of the API and to the files of the page, and writes what they
// answer. Every answer carries the headers that keep a browser from doing more with it than it should.
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzip } from "node:zlib";
import { withSecurity } from "../console/pages.ts";
import { type Answer, refusal } from "./answer.ts";
import {
  type GateOptions,
  refuseForeignHost,
  refuseForeignOrigin,
  refuseForgery,
  refuseStranger,
} from "./gate.ts";
import { matchRoute, type Route } from "./route.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { StaticFiles } from "./static-files.ts";

export const API_PREFIX = "/api/v1";
const BODY_BYTES_MAX = 64 * 1024;

export interface ApiServerOptions {
  readonly gate: GateOptions;
  readonly routes: readonly Route[];
  readonly sessions: Sessions;
  readonly files: StaticFiles;
  /** Somebody who is known has tried to change something and may not. Strangers must not fill the log. */
  noteRefusal(session: Session, client: string, what: string, refused: Answer): void;
  /** A defect of ours, for the operator: the browser only learns that there was one. */
  report(text: string): void;
}

export class ApiServer {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => response.destroy());
    this.#answer(request, response).then(
      (answer) => {
        if (answer !== null) send(request, response, answer);
      },
      (error: unknown) => {
        this.#options.report(`dashboard: ${request.method} ${request.url}: ${String(error)}`);
        if (response.headersSent) response.destroy();
        else send(request, response, refusal(500, "defect", "this went wrong here; the log says what"));
      },
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | null> {
    const { gate, files } = this.#options;
    const foreign = refuseForeignHost(request, gate);
    if (foreign !== null) return foreign;
    const [path = "", query = ""] = splitOnce(request.url ?? "", "?");
    if (path === API_PREFIX || path.startsWith(`${API_PREFIX}/`))
      return this.#answerApi(request, response, path.slice(API_PREFIX.length), new URLSearchParams(query));
    if (request.method !== "GET" && request.method !== "HEAD")
      return refusal(405, "read-only", "this can only be read", null, { allow: "GET, HEAD" });
    files.serve(path, request, response);
    return null;
  }

  async #answerApi(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<Answer | null> {
    const { gate, routes, sessions } = this.#options;
    const match = matchRoute(routes, request.method ?? "", path);
    if (match.kind === "none")
      return refusal(
        404,
        "no-such-route",
        "there is nothing here",
        "GET /api/v1/openapi.json has the routes.",
      );
    if (match.kind === "other-method") {
      const allow = match.methods.join(", ");
      return refusal(405, "other-method", `this route takes ${allow}`, null, { allow });
    }
    const { route } = match;
    const client = sessions.clientOf(request);
    const session = sessions.find(request);
    const refused =
      refuseForeignOrigin(request, gate) ??
      refuseStranger(route, session) ??
      refuseForgery(request, route, session);
    if (refused !== null) {
      if (route.method !== "GET" && session !== null)
        this.#options.noteRefusal(session, client, `${route.method} ${path}`, refused);
      return refused;
    }
    const body = route.takes === null ? undefined : await readJson(request);
    if (body === TOO_MUCH) {
      const message = `a body has at most ${BODY_BYTES_MAX} bytes`;
      // What is still on its way is not waited for.
      return refusal(413, "too-much", message, null, { connection: "close" });
    }
    if (body === NO_JSON) return refusal(400, "no-json", "the body is no JSON");
    const isAllowed = () => refuseStranger(route, sessions.find(request)) === null;
    return route.run({ request, response, session, client, path: match.path, query, body, isAllowed });
  }
}

/** Shorter ones are not worth it. */
const COMPRESSED_FROM_BYTES = 32 * 1024;

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers }: Answer): void {
  const text = Buffer.from(body === undefined ? "" : `${JSON.stringify(body)}\n`);
  const write = (bytes: Buffer, more: Readonly<Record<string, string>>) => {
    response.writeHead(
      status,
      withSecurity({
        "content-type": "application/json; charset=utf-8",
        "content-length": String(bytes.length),
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        ...headers,
        ...more,
      }),
    );
    response.end(bytes);
  };
  const takesGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  if (text.length < COMPRESSED_FROM_BYTES || !takesGzip) {
    write(text, {});
    return;
  }
  // A topology of thousands of machines is megabytes. In a thread of Node's pool, for checks run in this one.
  gzip(text, { level: 1 }, (error, bytes) => {
    if (error !== null) write(text, {});
    else write(bytes, { "content-encoding": "gzip", vary: "Accept-Encoding" });
  });
}

const TOO_MUCH = Symbol("too much");
const NO_JSON = Symbol("no JSON");

function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX) return Promise.resolve(TOO_MUCH);
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on("data", (part: Buffer) => {
      length += part.length;
      if (length <= BODY_BYTES_MAX) parts.push(part);
      else resolve(TOO_MUCH);
    });
    request.on("end", () => resolve(parse(Buffer.concat(parts))));
    request.on("error", () => resolve(NO_JSON));
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return NO_JSON;
  }
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}
