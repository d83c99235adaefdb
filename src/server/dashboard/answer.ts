// What a route of the dashboard's API gives back, as a value; the HTTP server writes it.
import type { ApiError } from "../../model/dashboard-api.ts";

export interface Answer {
  readonly status: number;
  /** What becomes JSON; undefined: no body. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export function answer(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}

/** An answer that says why not. */
export function refusal(
  status: number,
  code: string,
  message: string,
  help: string | null = null,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body: ApiError = { error: { code, message, help } };
  return { status, body, headers };
}
