// Fetches on the state of frontends, backends and servers (HAProxy manual 7.3.2). Names are looked up in
// the stream's own generation. Counters are those of all workers.
import type { Backend, Frontend, Server } from "../../runtime.ts";
import { CELL, COUNTER, HEADER, readRate, type SharedState, WEIGHT_SCALE } from "../../state.ts";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { type FetchCompiler, type ReadSample, textParameter } from "../fetch.ts";
import type { SampleValue } from "../sample-value.ts";

type Names =
  | "nbsrv"
  | "connslots"
  | "avg_queue"
  | "queue"
  | "be_conn"
  | "be_conn_free"
  | "be_sess_rate"
  | "fe_conn"
  | "fe_req_rate"
  | "fe_sess_rate"
  | "be_id"
  | "be_name"
  | "fe_id"
  | "fe_name"
  | "fe_defbe"
  | "srv_id"
  | "srv_name"
  | "srv_is_up"
  | "srv_conn"
  | "srv_conn_free"
  | "srv_queue"
  | "srv_sess_rate"
  | "srv_weight"
  | "srv_iweight"
  | "srv_uweight"
  | "be_server_timeout"
  | "be_tunnel_timeout"
  | "cur_server_timeout"
  | "cur_tunnel_timeout"
  | "fe_client_timeout"
  | "txn.timer.total"
  | "unique-id"
  | "internal.strm.is_htx"
  | "stopping"
  | "last_rule_file"
  | "last_rule_line";

/** What HAProxy answers for "as many as you like". */
const UNLIMITED = -1;

/** What HAProxy answers for a timeout that is not set. */
const NO_TIMEOUT = 0;

export const INTERNAL_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  nbsrv: ofBackend(countUsableServers),
  connslots: ofBackend(countConnectionSlots),
  avg_queue: ofBackend((backend) => {
    const queued = countQueued(backend);
    const servers = countUsableServers(backend);
    return servers > 0 ? Math.ceil(queued / servers) : queued * 2;
  }),
  queue: ofBackend(countQueued),
  be_conn: ofBackend((backend) => backend.state.total(backend.slot, COUNTER.scur)),
  be_conn_free: ofBackend(countFreeConnections),
  be_sess_rate: ofBackend((backend, environment) => rate(backend, COUNTER.sessRateSecond, environment)),
  fe_conn: ofFrontend((frontend) => frontend.state.total(frontend.slot, COUNTER.scur)),
  fe_req_rate: ofFrontend((frontend, environment) => rate(frontend, COUNTER.reqRateSecond, environment)),
  fe_sess_rate: ofFrontend((frontend, environment) => rate(frontend, COUNTER.sessRateSecond, environment)),
  be_id: () => (stream) => stream.backend?.definition.id ?? stream.frontend.definition.id,
  be_name: () => (stream) => stream.backend?.name ?? stream.frontend.name,
  fe_id: () => (stream) => stream.frontend.definition.id,
  fe_name: () => (stream) => stream.frontend.name,
  fe_defbe: () => (stream) => stream.frontend.defaultBackend?.name,
  srv_id: () => (stream) => ownServer(stream)?.definition.id,
  srv_name: () => (stream) => ownServer(stream)?.name,
  srv_is_up: ofServer((server) => server.isUsable),
  srv_conn: ofServer((server) => server.state.total(server.slot, COUNTER.scur)),
  srv_conn_free: ofServer(countFreeServerConnections),
  srv_queue: ofServer((server) => server.queued),
  srv_sess_rate: ofServer((server, environment) => rate(server, COUNTER.sessRateSecond, environment)),
  srv_weight: ofServer((server) =>
    Math.ceil(server.state.read(server.slot, CELL.effectiveWeight) / WEIGHT_SCALE),
  ),
  srv_iweight: ofServer((server) => server.definition.weight),
  srv_uweight: ofServer((server) => server.state.read(server.slot, CELL.weight)),
  be_server_timeout: () => (stream) => stream.backend?.definition.timeouts.serverMs ?? NO_TIMEOUT,
  be_tunnel_timeout: () => (stream) => stream.backend?.definition.timeouts.tunnelMs ?? NO_TIMEOUT,
  cur_server_timeout: () => (stream) =>
    stream.serverTimeoutMs ?? stream.backend?.definition.timeouts.serverMs ?? NO_TIMEOUT,
  cur_tunnel_timeout: () => (stream) =>
    stream.tunnelTimeoutMs ?? stream.backend?.definition.timeouts.tunnelMs ?? NO_TIMEOUT,
  fe_client_timeout: () => (stream) => stream.frontend.definition.timeouts.clientMs ?? NO_TIMEOUT,
  "txn.timer.total":
    (_parameters, { clock }) =>
    (stream) =>
      Math.trunc((stream.endMs > 0 ? stream.endMs : clock.nowMs) - stream.startMs),
  "unique-id": () => (stream) => {
    stream.uniqueId ??= stream.frontend.programs.makeUniqueId?.(stream) ?? null;
    return stream.uniqueId ?? undefined;
  },
  stopping: () => (stream) => Atomics.load(stream.runtime.state.header, HEADER.isStopping) !== 0,
  // HTX is HAProxy's form of HTTP messages: what it tells is whether this is one.
  "internal.strm.is_htx": () => (stream) => stream.request !== null,
  last_rule_file: () => (stream) => (stream.lastRuleLine === 0 ? undefined : stream.lastRuleFile),
  last_rule_line: () => (stream) => (stream.lastRuleLine === 0 ? undefined : stream.lastRuleLine),
};

function ownServer({ server }: Stream): Server | null {
  return server?.isDispatch === true ? null : server;
}

type Read<T> = (subject: T, environment: RuleEnvironment) => SampleValue | undefined;

function ofBackend(read: Read<Backend>): FetchCompiler {
  return (parameters, environment) => {
    const name = textParameter(parameters, 0);
    return (stream) => {
      const backend = name === "" ? currentBackend(stream) : stream.runtime.backendsByName.get(name);
      return backend === undefined ? undefined : read(backend, environment);
    };
  };
}

/** How many servers of a backend, by its name, can take requests. */
export function usableServersOf(stream: Stream, name: string): number | undefined {
  const backend = stream.runtime.backendsByName.get(name);
  return backend === undefined ? undefined : countUsableServers(backend);
}

/** By "BACKEND/SERVER", or "SERVER" of the current backend. */
export function serverOf(stream: Stream, text: string): Server | undefined {
  const slash = text.indexOf("/");
  const backend =
    slash < 0 ? currentBackend(stream) : stream.runtime.backendsByName.get(text.slice(0, slash));
  return backend?.serversByName.get(text.slice(slash + 1));
}

function currentBackend(stream: Stream): Backend | undefined {
  return stream.backend ?? stream.runtime.backendsByName.get(stream.frontend.name);
}

function ofFrontend(read: Read<Frontend>): FetchCompiler {
  return (parameters, environment) => {
    const name = textParameter(parameters, 0);
    return (stream) => {
      const frontend = name === "" ? stream.frontend : stream.runtime.frontendsByName.get(name);
      return frontend === undefined ? undefined : read(frontend, environment);
    };
  };
}

function ofServer(read: Read<Server>): FetchCompiler {
  return (parameters, environment): ReadSample => {
    const text = textParameter(parameters, 0);
    return (stream) => {
      const server = serverOf(stream, text);
      return server === undefined ? undefined : read(server, environment);
    };
  };
}

function rate(
  subject: { readonly state: SharedState; readonly slot: number },
  secondCell: number,
  { clock, workerCount }: RuleEnvironment,
): number {
  // Region 0 is the master's, so workers 1..n are in n + 1 regions.
  const processes = Math.min(workerCount + 1, subject.state.header[HEADER.workerCountMax]!);
  return readRate(subject.state, subject.slot, secondCell, clock.nowMs, processes);
}

function countUsableServers(backend: Backend): number {
  let active = 0;
  let backup = 0;
  for (const server of backend.servers) {
    if (!server.isBalanced) continue;
    if (server.definition.isBackup) backup++;
    else active++;
  }
  if (active > 0) return active;
  return backend.definition.options.allbackups ? backup : Math.min(backup, 1);
}

function countQueued(backend: Backend): number {
  let count = backend.state.read(backend.slot, CELL.queued);
  for (const server of backend.servers) count += server.queued;
  return count;
}

function countConnectionSlots(backend: Backend): number {
  let slots = 0;
  for (const server of backend.servers) {
    if (!server.isUsable) continue;
    const { maxconn, maxqueue } = server.definition;
    if (maxconn === null || maxconn === 0 || maxqueue === null || maxqueue === 0) return UNLIMITED;
    slots += maxconn - server.served + (maxqueue - server.queued);
  }
  return slots;
}

function countFreeConnections(backend: Backend): number {
  const active = backend.servers.filter((server) => server.isBalanced && !server.definition.isBackup);
  const servers = active.length > 0 ? active : backend.servers.filter((server) => server.isBalanced);
  let free = 0;
  for (const server of servers) {
    const ofServerFree = countFreeServerConnections(server);
    if (ofServerFree === UNLIMITED) return UNLIMITED;
    free += ofServerFree;
  }
  return free;
}

function countFreeServerConnections(server: Server): number {
  const { maxconn } = server.definition;
  return maxconn === null || maxconn === 0 ? UNLIMITED : Math.max(0, maxconn - server.served);
}
