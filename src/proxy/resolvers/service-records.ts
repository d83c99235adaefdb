// Which server of a backend stands for which record of a service: those that have one keep it, and those that
// have none take what is left, in the order of the file.
import type { KnownService } from "./answer.ts";
import type { FollowedServer } from "./followed-server.ts";

export interface ServiceAssignment {
  /** Their record is gone. */
  readonly released: readonly FollowedServer[];
  /** Each server with its record, new or not. */
  readonly assigned: readonly { readonly server: FollowedServer; readonly record: KnownService }[];
}

/** `servers`: those of one backend with that service. Changes nothing. */
export function assignRecords(
  servers: readonly FollowedServer[],
  records: readonly KnownService[],
): ServiceAssignment {
  const left = new Map(records.map((record) => [keyOf(record.target, record.port), record]));
  const released: FollowedServer[] = [];
  const assigned: { server: FollowedServer; record: KnownService }[] = [];
  const free: FollowedServer[] = [];
  for (const server of servers) {
    const key = server.hostName === null ? null : keyOf(server.hostName, server.port);
    const record = key === null ? undefined : left.get(key);
    if (key !== null && record !== undefined) {
      left.delete(key);
      assigned.push({ server, record });
      continue;
    }
    if (key !== null) released.push(server);
    free.push(server);
  }
  // Who has just lost a record is the last one to get another: its connections may still go on.
  const takers = [...free.filter((server) => !released.includes(server)), ...released];
  for (const record of left.values()) {
    const server = takers.shift();
    if (server === undefined) break;
    assigned.push({ server, record });
  }
  return { released, assigned };
}

/** A record's 16 bits as a weight of ours: 0 stays 0, and all others stay more than that. */
export function weightOf({ weight }: KnownService): number {
  return Math.ceil(weight / 256);
}

function keyOf(target: string, port: number | null): string {
  return `${target}:${port}`;
}
