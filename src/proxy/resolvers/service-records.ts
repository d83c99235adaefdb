// Which server of a backend stands for which record of a service: those that have one keep it, and those that
// have none take what is left, in the order of the file.
import type { KnownService } from "./answer.ts";
import type { FollowedServer } from "./followed-server.ts";

export interface ServerRecord {
  readonly server: FollowedServer;
  readonly record: KnownService;
}

/** In the order in which it is told: who comes does so before others go, as in HAProxy. */
export interface ServiceAssignment {
  readonly kept: readonly ServerRecord[];
  readonly taken: readonly ServerRecord[];
  /** Their record is gone. */
  readonly released: readonly FollowedServer[];
  /** By those of which the record has just gone: nobody else was left. */
  readonly retaken: readonly ServerRecord[];
}

/** `servers`: those of one backend with that service. Changes nothing. */
export function assignRecords(
  servers: readonly FollowedServer[],
  records: readonly KnownService[],
): ServiceAssignment {
  const left = new Map(records.map((record) => [keyOf(record.target, record.port), record]));
  const kept: ServerRecord[] = [];
  const released: FollowedServer[] = [];
  const free: FollowedServer[] = [];
  for (const server of servers) {
    const key = server.hostName === null ? null : keyOf(server.hostName, server.port);
    const record = key === null ? undefined : left.get(key);
    if (key === null) free.push(server);
    else if (record === undefined) released.push(server);
    else {
      left.delete(key);
      kept.push({ server, record });
    }
  }
  // Who has been free longest comes first: connections to what another was before may still go on.
  free.sort((a, b) => a.freeSince - b.freeSince);
  const news = [...left.values()];
  return {
    kept,
    taken: pair(free, news),
    released,
    retaken: pair(released, news.slice(free.length)),
  };
}

function pair(servers: readonly FollowedServer[], records: readonly KnownService[]): ServerRecord[] {
  return records.slice(0, servers.length).map((record, i) => ({ server: servers[i]!, record }));
}

/** A record's 16 bits as a weight of ours: 0 stays 0, and all others stay more than that. */
export function weightOf({ weight }: KnownService): number {
  return Math.ceil(weight / 256);
}

function keyOf(target: string, port: number | null): string {
  return `${target}:${port}`;
}
