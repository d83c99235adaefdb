// The servers' rows: asked for once, then as the stream changes them.
import { signal } from "@preact/signals";
import type { ServerRow, ServersAnswer } from "../../../src/model/dashboard-api.ts";
import { get } from "../api/client.ts";
import { live, on } from "../api/events.ts";

export const servers = signal<readonly ServerRow[] | null>(null);

let isStarted = false;

export async function startServers(): Promise<void> {
  if (!isStarted) {
    isStarted = true;
    on("servers", ({ servers: rows }) => putServers(rows));
    for (const name of ["lost", "reload"] as const) on(name, () => void reload());
    // What happened while there was no stream is not told again in all cases.
    live.subscribe((state) => {
      if (state === "live") void reload();
    });
  }
  await reload();
}

/** Of an action's answer, too. */
export function putServers(rows: readonly ServerRow[]): void {
  const before = servers.value;
  if (before === null) return;
  const changed = new Map(rows.map((row) => [row.id, row]));
  servers.value = before.map((row) => changed.get(row.id) ?? row);
}

async function reload(): Promise<void> {
  servers.value = (await get<ServersAnswer>("/servers")).servers;
}
