// How many servers of a backend take traffic, and how HAProxy says so at the end of a line about one that
// came or went.
import type { Backend, Server } from "../runtime.ts";
import { COUNTER } from "../state.ts";

/** For a server that went down. Streams in queues move by themselves, so none are requeued here. */
export function describeRemaining(server: Server): string {
  const sessions = server.state.total(server.slot, COUNTER.scur);
  const queue = `${sessions} sessions active, 0 requeued, ${server.queued} remaining in queue`;
  return `. ${describeCounts(server.backend, "left")} ${queue}`;
}

/** For a server that came up or goes on in another way. */
export function describeOnline(server: Server): string {
  return `. ${describeCounts(server.backend, "online")} 0 sessions requeued, ${server.queued} total in queue`;
}

export function countUsable(backend: Backend): number {
  return backend.servers.filter((server) => server.isBalanced).length;
}

function describeCounts(backend: Backend, word: "left" | "online"): string {
  const usable = backend.servers.filter((server) => server.isBalanced);
  const backup = usable.filter((server) => server.definition.isBackup).length;
  const active = usable.length - backup;
  const onBackup = backup > 0 && active === 0 ? " Running on backup." : "";
  return `${active} active and ${backup} backup servers ${word}.${onBackup}`;
}
