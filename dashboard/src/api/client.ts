// Questions to the server: JSON in, JSON out. Whatever goes wrong is an `ApiFault` with a sentence for
// people; a session that has ended brings the login back.
import { signal } from "@preact/signals";
import type { ApiError, SessionAnswer } from "../../../src/model/dashboard-api.ts";

const BASE = "/api/v1";

/** Null until the first answer. */
export const session = signal<SessionAnswer | null>(null);

export class ApiFault extends Error {
  readonly status: number;
  readonly code: string;
  readonly help: string | null;

  constructor(status: number, { code, message, help }: ApiError["error"]) {
    super(message);
    this.status = status;
    this.code = code;
    this.help = help;
  }
}

export function get<T>(path: string, stop?: AbortSignal): Promise<T> {
  return ask<T>("GET", path, undefined, stop);
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>("POST", path, body);
}

export function remove<T>(path: string): Promise<T> {
  return ask<T>("DELETE", path, undefined);
}

/** Names as parts of a path. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

export async function loadSession(): Promise<SessionAnswer> {
  const answer = await get<SessionAnswer>("/session");
  session.value = answer;
  return answer;
}

async function ask<T>(method: string, path: string, body: unknown, stop?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const token = session.value?.csrfToken ?? null;
  if (method !== "GET" && token !== null) headers["x-csrf-token"] = token;
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: stop ?? null,
    });
  } catch (error) {
    if (stop?.aborted === true) throw error;
    throw new ApiFault(0, {
      code: "unreachable",
      message: "The server does not answer.",
      help: "It may be restarting; this page tries again by itself.",
    });
  }
  if (response.ok) return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  const fault = new ApiFault(response.status, await errorOf(response));
  if (fault.status === 401 && path !== "/session") void loadSession().catch(() => {});
  throw fault;
}

async function errorOf(response: Response): Promise<ApiError["error"]> {
  try {
    return ((await response.json()) as ApiError).error;
  } catch {
    return { code: "unreadable", message: `The server answered ${response.status}.`, help: null };
  }
}
