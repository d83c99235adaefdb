// `show servers state`, `show servers conn`, `show backend`: tables that scripts and HAProxy's state files
// have.
import { isServiceName } from "../../model/resolvers.ts";
import type { CheckHealth } from "../../proxy/health/check-health.ts";
import { type CheckVerdict, STATUS_FACTS } from "../../proxy/health/check-result.ts";
import type { Backend, Server } from "../../proxy/runtime.ts";
import { CELL, COUNTER, MAINTENANCE_MASK, SERVER_ADMIN } from "../../proxy/state.ts";
import { type Command, type CommandContext, isCalled, message, nowSecondsOf } from "./command.ts";

export const SERVER_TABLE_COMMANDS: readonly Command[] = [
  { name: "show backend", usage: "", help: "names of the backends", level: "user", run: showBackend },
  {
    name: "show servers conn",
    usage: "[<backend>]",
    help: "connections to servers",
    level: "user",
    run: showConnections,
  },
  {
    name: "show servers state",
    usage: "[<backend>]",
    help: "states of servers, as in a state file",
    level: "user",
    run: showState,
  },
];

const STATE_HEADER =
  "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

/** Numbers that the table has for statuses of checks. */
const STATUS_NUMBERS: Readonly<Record<string, number>> = {
  UNK: 0, INI: 1, CHECKED: 3, HANA: 4, SOCKERR: 5, L4OK: 6, L4TOUT: 7, L4CON: 8, L6OK: 9,
  L6TOUT: 10, L6RSP: 11,
  L7TOUT: 12, L7RSP: 13, L7OK: 15, L7OKC: 16, L7STS: 17, PROCERR: 18, PROCTOUT: 19, PROCOK: 20,
}; // biome-ignore format: a table
const RESULT_NUMBERS: Readonly<Record<CheckVerdict, number>> = {
  unknown: 0,
  neutral: 1,
  failed: 2,
  passed: 3,
  conditional: 4,
};
const CHECK = { configured: 2, enabled: 4, paused: 8, agent: 16 } as const;

function showBackend(_words: readonly string[], { actions }: CommandContext): string {
  return `# name\n${actions.runtime.backends.map(({ name }) => `${name}\n`).join("")}`;
}

function showState(words: readonly string[], context: CommandContext): string {
  const backends = chosenBackends(words[0], context);
  if (backends === null) return message("Can't find backend.");
  const lines = backends.flatMap(({ servers }) => servers).map((server) => stateLine(server, context));
  return `1\n${STATE_HEADER}\n${lines.join("")}`;
}

function stateLine(server: Server, context: CommandContext): string {
  const { backend, definition, state, slot } = server;
  const own = context.actions.stateOf(server);
  const { address, check, agent } = definition;
  const last = own?.check?.last.status ?? "INI";
  const service = address.kind === "tcp" && isServiceName(address.host) ? address.host : "-";
  const host = address.kind === "tcp" && server.host !== "" ? server.host : "-";
  const fields = [
    backend.definition.id, backend.name, definition.id, server.name, host,
    server.operational, server.admin, state.read(slot, CELL.weight), definition.weight,
    Math.max(0, nowSecondsOf(context) - state.read(slot, CELL.lastChangeSeconds)), STATUS_NUMBERS[last] ?? 0,
    RESULT_NUMBERS[STATUS_FACTS[last].verdict], healthOf(server, own?.check ?? null),
    checkState(server, "health", context), checkState(server, "agent", context),
    0, 0, server.hostName ?? "-", server.port ?? 0, service, definition.tls === null ? 0 : 1,
    check?.port ?? 0, check?.address ?? "-", agent?.address ?? "-", agent?.port ?? 0,
  ]; // biome-ignore format: a table
  return `${fields.join(" ")}\n`;
}

/** A server without check stands where a check would have begun. */
function healthOf({ admin, definition }: Server, check: CheckHealth | null): number {
  if (check !== null) return check.health;
  return (admin & MAINTENANCE_MASK) !== 0 ? 0 : definition.rise;
}

function checkState(server: Server, kind: "health" | "agent", { actions }: CommandContext): number {
  const isConfigured = (kind === "health" ? server.definition.check : server.definition.agent) !== null;
  const isEnabled = isConfigured && actions.checks.isEnabled(server, kind);
  const isStopped =
    (server.admin & MAINTENANCE_MASK) !== 0 &&
    (isEnabled || (server.admin & SERVER_ADMIN.maintenanceConfigured) !== 0);
  const isPaused = kind === "health" && isStopped;
  return (
    (isConfigured ? CHECK.configured | (kind === "agent" ? CHECK.agent : 0) : 0) |
    (isEnabled ? CHECK.enabled : 0) |
    (isPaused ? CHECK.paused : 0)
  );
}

function showConnections(words: readonly string[], context: CommandContext): string {
  const backends = chosenBackends(words[0], context);
  if (backends === null) return message("Can't find backend.");
  const workers = context.actions.workerPids.length;
  const header = `# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[${workers}]\n`;
  const servers = backends.flatMap((backend) => backend.servers);
  return header + servers.map((server) => connectionLine(server, workers)).join("");
}

function connectionLine(server: Server, workers: number): string {
  const { backend, definition, state, slot } = server;
  const used = Math.max(0, state.total(slot, COUNTER.usedCur));
  const idle = Math.max(0, state.total(slot, COUNTER.idleCur));
  const perWorker = Array.from(
    { length: workers },
    (_, i) => state.countersOf(i + 1)[state.counter(slot, COUNTER.idleCur)] ?? 0,
  );
  const fields = [
    `${backend.name}/${server.name}`, `${backend.definition.id}/${definition.id}`,
    definition.address.kind === "tcp" ? server.host || "-" : "unix", server.port ?? 0, "-",
    definition.poolPurgeDelayMs,
    used, Math.max(used, state.maximum(slot, COUNTER.smax)), used, 0, idle,
    definition.poolMaxConnections ?? -1, idle, ...perWorker,
  ]; // biome-ignore format: a table
  return `${fields.join(" ")}\n`;
}

/** All of them without a word; null when the word names none. */
function chosenBackends(word: string | undefined, { actions }: CommandContext): readonly Backend[] | null {
  if (word === undefined) return actions.runtime.backends;
  const found = actions.runtime.backends.filter(({ name, definition }) =>
    isCalled(name, definition.id, word),
  );
  return found.length === 0 ? null : found;
}
