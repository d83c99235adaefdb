// Requests to begin with: those that came last, each kind once.
import type { RequestRecord } from "../../../src/model/dashboard-api.ts";

export interface Preset {
  readonly id: number;
  readonly label: string;
  readonly url: string;
  readonly method: string;
  /** Of the client, without its port. */
  readonly from: string;
}

const MOST = 15;

/** `requests`: the newest first. What differs only in the query is one kind. */
export function presetsOf(requests: readonly RequestRecord[]): Preset[] {
  const kinds = new Map<string, Preset>();
  for (const { id, http, isTls, client, frontend } of requests) {
    // Without a name nobody knows where it went.
    if (http === null || http.host === "" || kinds.size >= MOST) continue;
    const path = http.target.split("?", 1)[0]!;
    const key = [http.method, http.host, path, frontend, http.status].join(" ");
    if (kinds.has(key)) continue;
    const scheme = isTls ? "https" : "http";
    const status = http.status < 0 ? "no answer" : http.status;
    kinds.set(key, {
      id,
      label: `${http.method} ${http.host}${http.target} · ${status}`,
      url: `${scheme}://${http.host}${http.target.startsWith("/") ? http.target : "/"}`,
      method: http.method,
      from: hostOf(client),
    });
  }
  return [...kinds.values()];
}

/** "198.51.100.7:4000", "[2001:db8::1]:4000". */
function hostOf(client: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(client)?.[1] ?? client.replace(/^([^:]*):\d+$/, "$1");
}

/** What of a kept head goes into the fields: what is hidden of it ("…") is left out. */
export function fieldsOfHead(headers: readonly (readonly [name: string, value: string])[]): {
  readonly cookie: string;
  readonly headers: string;
} {
  const shown = headers.filter(([name, value]) => name.toLowerCase() !== "host" && !value.includes("…"));
  const isCookie = ([name]: readonly [string, string]) => name.toLowerCase() === "cookie";
  return {
    cookie: shown
      .filter(isCookie)
      .map(([, value]) => value)
      .join("; "),
    headers: shown
      .filter((one) => !isCookie(one))
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
  };
}
