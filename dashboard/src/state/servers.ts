// The servers' rows: asked for once, then as the stream changes them.
import { signal } from "@preact/signals";
import type { ServerRow, ServersAnswer } from "../../../src/model/dashboard-api.ts";
import { get } from "../api/client.ts";
import { live, on } from "../api/events.ts";

export const servers = signal<readonly ServerRow[] | null>(null);

/** As long as somebody looks at them. */
export function followServers(): () => void {
  let wasLive = live.value === "live";
  const endings = [
    on("servers", ({ servers: rows }) => putServers(rows)),
    on("lost", () => void loadServers().catch(() => {})),
    on("reload", () => void loadServers().catch(() => {})),
    // What happened while there was no stream is not told again in all cases.
    live.subscribe((state) => {
      if (state === "live" && !wasLive) void loadServers().catch(() => {});
      wasLive = state === "live";
    }),
  ];
  return () => {
    for (const end of endings) end();
  };
}

export async function loadServers(): Promise<void> {
  servers.value = (await get<ServersAnswer>("/servers")).servers;
}

/** Of an action's answer, too. */
export function putServers(rows: readonly ServerRow[]): void {
  const before = servers.value;
  if (before === null) return;
  const changed = new Map(rows.map((row) => [row.id, row]));
  servers.value = before.map((row) => changed.get(row.id) ?? row);
}
