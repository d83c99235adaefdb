// The shape of a route of the API, and how a path finds one. The table of routes is also what the OpenAPI
// file is made of, so whatever can be asked is documented.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Role } from "../../model/dashboard-api.ts";
import type { Answer } from "./answer.ts";
import type { Session } from "./sessions.ts";

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Null on routes that also answer those who are not logged in. */
  readonly session: Session | null;
  /** Address of the browser. */
  readonly client: string;
  /** Of the path, decoded: `{backend}`. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** What JSON came; undefined without. */
  readonly body: unknown;
  /** For answers that go on for long: whether who asks may still have them. */
  isAllowed(): boolean;
}

export interface RouteParameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly about: string;
}

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below /api/v1: "/servers/{backend}/{server}/actions". */
  readonly path: string;
  /** The least that the user has to be; null: nobody has to be logged in. */
  readonly role: Role | null;
  readonly summary: string;
  readonly parameters: readonly RouteParameter[];
  /** Names of types of model/dashboard-*.ts; null: nothing. */
  readonly takes: string | null;
  readonly gives: string | null;
  /** Null: it has written its answer itself, or goes on writing. */
  run(call: Call): Answer | null | Promise<Answer | null>;
}

export type RouteMatch =
  | { readonly kind: "found"; readonly route: Route; readonly path: Readonly<Record<string, string>> }
  | { readonly kind: "other-method"; readonly methods: readonly string[] }
  | { readonly kind: "none" };

/** `path`: below /api/v1, as it came. */
export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const methods: string[] = [];
  for (const route of routes) {
    const values = matchPath(route.path, path);
    if (values === null) continue;
    if (route.method === method) return { kind: "found", route, path: values };
    methods.push(route.method);
  }
  return methods.length === 0 ? { kind: "none" } : { kind: "other-method", methods };
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const expected = pattern.split("/");
  const given = path.split("/");
  if (expected.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [i, word] of expected.entries()) {
    const name = /^\{(\w+)\}$/.exec(word)?.[1];
    const text = given[i]!;
    if (name === undefined) {
      if (word !== text) return null;
      continue;
    }
    const value = decoded(text);
    if (value === null || value === "") return null;
    values[name] = value;
  }
  return values;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** A whole number of the query within bounds, or what stands for it. */
export function numberOf(query: URLSearchParams, name: string, standard: number, most: number): number {
  const text = query.get(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Math.min(most, Number(text)) : standard;
}
