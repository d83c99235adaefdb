// What a simulated client asks, and what the simulated server is to do about it. The response's part
// travels in the request itself (header X-Plan), so that both ends know what has to come out.
import { contentOf } from "./content.ts";
import type { Draw } from "./draw.ts";

/** Kinds after "upgrade" are a server's misbehaviour. */
export type ResponseKind =
  | "normal"
  /** Answers as soon as the request's head is there. */
  | "early"
  | "upgrade"
  /** The response is followed by another one that nobody has asked for. */
  | "surplus"
  | "hang"
  | "reset-before"
  | "close-before"
  | "reset-midway"
  | "close-midway"
  | "garbage";

export interface ResponsePlan {
  readonly kind: ResponseKind;
  readonly status: number;
  readonly framing: "length" | "chunked" | "until-close";
  readonly length: number;
  readonly delayMs: number;
  /** The response is sent in this many pieces, with pauses between them. */
  readonly pieceCount: number;
  readonly pauseMs: number;
  /** Interim responses before the real one. */
  readonly interimCount: number;
  /** "stale": the connection stays open, and is closed when the next request comes. */
  readonly afterwards: "keep" | "announced-close" | "silent-close" | "stale";
}

/** Which rule of the configuration answers, or which backend. */
export type Route = "one" | "two" | "wait" | "deny" | "return" | "redirect" | "tarpit";

export interface RequestPlan {
  /** Unique in a run. */
  readonly id: string;
  readonly route: Route;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS";
  readonly version: "1.0" | "1.1";
  readonly connection: "close" | "keep-alive" | null;
  readonly bodyFraming: "none" | "length" | "chunked";
  readonly bodyLength: number;
  readonly expectsContinue: boolean;
  readonly pieceCount: number;
  readonly pauseMs: number;
  /** The client's own misbehaviour, once this share of the request is sent. */
  readonly abort: { readonly kind: "reset" | "close" | "half-close"; readonly share: number } | null;
  readonly response: ResponsePlan;
}

export function targetOf({ route, id }: RequestPlan): string {
  return `/${route}/${id}`;
}

export function requestContent({ id, bodyLength }: Pick<RequestPlan, "id" | "bodyLength">): Uint8Array {
  return contentOf(`request ${id}`, bodyLength);
}

/** Of the origin's response; empty where a response has no body. */
export function responseContent(id: string, method: string, plan: ResponsePlan): Uint8Array {
  return hasNoBody(method, plan.status) ? new Uint8Array(0) : contentOf(`response ${id}`, plan.length);
}

/** What the origin says right behind a 101, before it echoes. */
export function greetingOf(id: string): Uint8Array {
  return contentOf(`greeting ${id}`, 40);
}

export function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status < 200 || status === 204 || status === 304;
}

export function isReachingOrigin(route: Route): boolean {
  return route === "one" || route === "two" || route === "wait";
}

export interface PlanTemper {
  /** No misbehaviour of clients or servers, and nothing slower than the timeouts allow. */
  readonly isClean: boolean;
  readonly mayBeLarge: boolean;
  /** Servers close connections that they had promised to keep. */
  readonly hasStale: boolean;
}

/** May be sent to another server when the first has closed without a word (RFC 9110 section 9.2.2). */
export function isRepeatable({ method, bodyFraming }: RequestPlan): boolean {
  return method !== "POST" && bodyFraming === "none";
}

export function drawRequest(draw: Draw, id: string, temper: PlanTemper): RequestPlan {
  const method = draw.weighted({ GET: 10, POST: 5, HEAD: 1, PUT: 1, DELETE: 0.5, OPTIONS: 0.5 });
  const isOld = draw.chance(0.1);
  // HAProxy refuses a body of DELETE in HTTP/1.0, as some servers do not look for it.
  const hasBody =
    method === "POST" || method === "PUT" || (method === "DELETE" && !isOld && draw.chance(0.5));
  const bodyFraming = !hasBody ? "none" : !isOld && draw.chance(0.4) ? "chunked" : "length";
  const isUpgrade = method === "GET" && !isOld && draw.chance(0.06);
  const route = isUpgrade
    ? draw.weighted({ one: 2, two: 1 })
    : draw.weighted({ one: 12, two: 5, wait: 2, deny: 1, return: 1, redirect: 1, tarpit: 0.5 });
  const response = drawResponse(draw, method, isUpgrade, hasBody, temper);
  return {
    id,
    route,
    method,
    version: isOld ? "1.0" : "1.1",
    connection: isUpgrade ? null : draw.chance(0.15) ? "close" : draw.chance(0.3) ? "keep-alive" : null,
    bodyFraming,
    bodyLength: hasBody ? drawLength(draw, temper.mayBeLarge) : 0,
    expectsContinue: hasBody && !isOld && draw.chance(0.15),
    // An early answer is one only while the body is on its way.
    pieceCount: draw.chance(response.kind === "early" ? 0.8 : 0.2) ? draw.integer(2, 6) : 1,
    pauseMs: draw.integer(1, temper.isClean ? 100 : 1500),
    abort:
      temper.isClean || draw.chance(0.9)
        ? null
        : {
            kind: draw.pick(["reset", "close", "half-close"] as const),
            share: draw.chance(0.4) ? 1 : draw.fraction(),
          },
    response,
  };
}

function drawResponse(
  draw: Draw,
  method: string,
  isUpgrade: boolean,
  hasBody: boolean,
  temper: PlanTemper,
): ResponsePlan {
  const kind = isUpgrade
    ? "upgrade"
    : hasBody && draw.chance(0.1)
      ? "early"
      : temper.isClean || draw.chance(0.85)
        ? draw.weighted({ normal: 30, surplus: 1 })
        : draw.pick([
            "hang",
            "reset-before",
            "close-before",
            "reset-midway",
            "close-midway",
            "garbage",
          ] as const);
  const isMidway = kind === "reset-midway" || kind === "close-midway";
  const status = isUpgrade
    ? 101
    : isMidway
      ? 200
      : Number(draw.weighted({ 200: 12, 404: 1, 204: 1, 304: method === "GET" ? 0.5 : 0, 503: 0.5 }));
  return {
    kind,
    status,
    framing: draw.weighted({ length: 5, chunked: 4, "until-close": isMidway ? 0 : 1 }),
    length: isMidway ? draw.integer(100, 20_000) : drawLength(draw, temper.mayBeLarge),
    delayMs: draw.chance(0.7) ? 0 : draw.integer(1, temper.isClean ? 300 : 2000),
    pieceCount: draw.chance(0.3) ? draw.integer(2, 8) : 1,
    pauseMs: draw.chance(0.5) ? 0 : draw.integer(1, temper.isClean ? 100 : 800),
    interimCount: draw.chance(0.08) ? draw.integer(1, 3) : 0,
    afterwards: draw.weighted({
      keep: 10,
      "announced-close": 1,
      "silent-close": temper.hasStale ? 1.5 : 0,
      stale: temper.hasStale ? 1.5 : 0,
    }),
  };
}

function drawLength(draw: Draw, mayBeLarge: boolean): number {
  if (mayBeLarge && draw.chance(0.05)) return draw.integer(200_000, 1_500_000);
  return draw.chance(0.1) ? 0 : draw.chance(0.7) ? draw.integer(1, 2000) : draw.integer(2000, 60_000);
}
