// Commands about the process, its frontends and its sessions.

import type { Frontend } from "../../proxy/runtime.ts";
import { CELL, HEADER } from "../../proxy/state.ts";
import type { SessionDescription } from "../messages.ts";
import { clearCheckCounts, clearCounters } from "./clear-counters.ts";
import { type Command, type CommandContext, findServer, isCalled, message } from "./command.ts";

export const PROCESS_COMMANDS: readonly Command[] = [
  {
    name: "clear counters",
    usage: "[all]",
    help: "clear maxima, or all counters",
    level: "operator",
    run: runClearCounters,
  },
  {
    name: "disable frontend",
    usage: "<frontend>",
    help: "let a frontend accept no connections",
    level: "admin",
    run: (words, context) => pause(words[0], true, context),
  },
  {
    name: "enable frontend",
    usage: "<frontend>",
    help: "let a frontend accept again",
    level: "admin",
    run: (words, context) => pause(words[0], false, context),
  },
  {
    name: "set maxconn frontend",
    usage: "<frontend> <value>",
    help: "change a frontend's maxconn",
    level: "admin",
    run: setMaxconnFrontend,
  },
  {
    name: "set maxconn global",
    usage: "<value>",
    help: "change the maxconn of the process",
    level: "admin",
    run: setMaxconnGlobal,
  },
  {
    name: "set rate-limit",
    usage: "<what> global <value>",
    help: "change a rate limit of the process: connections, sessions, ssl-sessions, http-compression",
    level: "admin",
    run: setRateLimit,
  },
  {
    name: "show activity",
    usage: "",
    help: "a few figures of each worker",
    level: "operator",
    run: showActivity,
  },
  {
    name: "show env",
    usage: "[var]",
    help: "environment variables",
    level: "operator",
    run: showEnvironment,
  },
  {
    name: "show errors",
    usage: "[<px>] [request|response]",
    help: "captured bad messages: there are none",
    level: "operator",
    run: showErrors,
  },
  { name: "show sess", usage: "[id]", help: "sessions of clients", level: "operator", run: showSessions },
  {
    name: "shutdown frontend",
    usage: "<frontend>",
    help: "close a frontend for good",
    level: "admin",
    run: shutdownFrontend,
  },
  { name: "shutdown session", usage: "<id>", help: "end a session", level: "admin", run: shutdownSession },
  {
    name: "shutdown sessions server",
    usage: "<bk>/<srv>",
    help: "end all sessions on a server",
    level: "admin",
    run: shutdownServerSessions,
  },
];

function runClearCounters(words: readonly string[], { actions, level }: CommandContext): string {
  const isAll = words[0] === "all";
  if (isAll && level !== "admin") return message("Permission denied");
  clearCounters(actions.runtime, isAll);
  if (isAll) {
    clearCheckCounts(actions.runtime);
    actions.resolver.clearCounters();
  }
  return "";
}

function findFrontend({ actions }: CommandContext, word: string | undefined): Frontend | string {
  if (word === undefined) return message("A frontend name is expected.");
  const found = actions.runtime.frontends.find(({ name, definition }) => isCalled(name, definition.id, word));
  return found ?? message("No such frontend.");
}

const PAUSED = 1;
const SHUT_DOWN = 2;

function pause(word: string | undefined, isPaused: boolean, context: CommandContext): string {
  const frontend = findFrontend(context, word);
  if (typeof frontend === "string") return frontend;
  const { state, slot } = frontend;
  const present = state.read(slot, CELL.isPaused);
  if (present === SHUT_DOWN) return message("Frontend was previously shut down, cannot change.");
  if ((present === PAUSED) === isPaused)
    return message(`All sockets are already ${isPaused ? "disabled" : "enabled"}.`);
  state.write(slot, CELL.isPaused, isPaused ? PAUSED : 0);
  context.actions.pauseFrontend(frontend, isPaused, false);
  return "";
}

function shutdownFrontend(words: readonly string[], context: CommandContext): string {
  const frontend = findFrontend(context, words[0]);
  if (typeof frontend === "string") return frontend;
  if (frontend.state.read(frontend.slot, CELL.isPaused) === SHUT_DOWN)
    return message("Frontend was already shut down.");
  frontend.state.write(frontend.slot, CELL.isPaused, SHUT_DOWN);
  context.actions.pauseFrontend(frontend, true, true);
  return "";
}

function setMaxconnFrontend(words: readonly string[], context: CommandContext): string {
  const frontend = findFrontend(context, words[0]);
  if (typeof frontend === "string") return frontend;
  if (words[1] === undefined) return message("Integer value expected.");
  const value = Number(words[1]);
  if (!/^\d+$/.test(words[1]) || value > 2 ** 31 - 1) return message("Value out of range.");
  frontend.state.write(frontend.slot, CELL.maxconn, value === 0 ? -1 : value);
  return "";
}

function setMaxconnGlobal(words: readonly string[], { actions }: CommandContext): string {
  const configured = actions.runtime.configuration.global.maxconn ?? 2 ** 31 - 1;
  if (words[0] === undefined) return message("Expects an integer value.");
  const value = Number(words[0]);
  if (!/^\d+$/.test(words[0]) || value > configured) return message("Value out of range.");
  Atomics.store(actions.runtime.state.header, HEADER.maxconn, value);
  return "";
}

/** In a header cell in which 0 says: as configured. */
const NO_LIMIT = -1;
/** What can be limited: its cell, and how many of what is stored one of what is asked for is. */
const RATE_LIMITS = new Map([
  ["connections", { cell: HEADER.connectionRateMax, unit: 1 }],
  ["sessions", { cell: HEADER.sessionRateMax, unit: 1 }],
  ["ssl-sessions", { cell: HEADER.tlsRateMax, unit: 1 }],
  ["http-compression", { cell: HEADER.compressionRateMax, unit: 1024 }],
]);
const RATE_LIMIT_USAGE = `'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s`;

function setRateLimit([what = "", scope, text]: readonly string[], { actions }: CommandContext): string {
  const limit = RATE_LIMITS.get(what);
  if (limit === undefined || scope !== "global") return message(RATE_LIMIT_USAGE);
  if (text === undefined || !/^-?\d+$/.test(text)) return message("Expects an integer value.");
  const value = Number(text) * limit.unit;
  if (value < 0 || value > 2 ** 31 - 1) return message("Value out of range.");
  Atomics.store(actions.runtime.state.header, limit.cell, value === 0 ? NO_LIMIT : value);
  return "";
}

function showActivity(_words: readonly string[], { actions }: CommandContext): string {
  const { state, frontends } = actions.runtime;
  const seconds = (actions.nowMs / 1000).toFixed(6);
  const lines = [
    `date_now: ${seconds}`,
    `epoch: ${state.epoch}`,
    `frontends: ${frontends.length}`,
    `workers: ${actions.workerPids.join(" ")}`,
  ];
  return lines.map(message).join("");
}

function showEnvironment(words: readonly string[], { actions }: CommandContext): string {
  const entries = Object.entries(actions.environment).filter(([, value]) => value !== undefined);
  if (words[0] === undefined) return entries.map(([name, value]) => `${name}=${value}\n`).join("");
  const value = actions.environment[words[0]];
  return message(value === undefined ? "Variable not found" : `${words[0]}=${value}`);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Bad messages are answered and logged but not kept. */
function showErrors(_words: readonly string[], { actions }: CommandContext): string {
  const date = new Date(actions.nowMs);
  const two = (value: number) => `${value}`.padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return message(
    `Total events captured on [${day}:${time}.${`${date.getMilliseconds()}`.padStart(3, "0")}] : 0`,
  );
}

async function showSessions(words: readonly string[], { actions }: CommandContext): Promise<string> {
  const sessions = await actions.listSessions();
  if (words[0] === undefined || words[0] === "all") return sessions.map(sessionLine).join("");
  const session = sessions.find((candidate) => sessionName(candidate) === words[0]);
  return session === undefined ? message("Session not found.") : sessionLine(session);
}

/** HAProxy has an address there; ours holds the worker's process number and the session's own. */
export function sessionName({ workerPid, id }: Pick<SessionDescription, "workerPid" | "id">): string {
  return `0x${workerPid.toString(16)}${id.toString(16).padStart(8, "0")}`;
}

function sessionLine(session: SessionDescription): string {
  const source = session.source === ":0" || session.source.startsWith("/") ? "unix" : session.source;
  const protocol = source === "unix" ? "unix_stream" : /^[\d.]+:\d+$/.test(source) ? "tcpv4" : "tcpv6";
  const request = session.request === null ? "" : ` "${printable(session.request)}"`;
  const place = `fe=${session.frontend} be=${session.backend ?? "<NONE>"} srv=${session.server ?? "<none>"}`;
  const history = `age=${Math.floor(session.ageMs / 1000)}s rq=${session.requestCount}`;
  return `${sessionName(session)}: proto=${protocol} src=${source} ${place} ${history}${request}\n`;
}

/** What a client sent must not look like another line or drive a terminal. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

async function shutdownSession(words: readonly string[], { actions }: CommandContext): Promise<string> {
  if (words[0] === undefined) return message("Session pointer expected (use 'show sess').");
  const session = (await actions.listSessions()).find((candidate) => sessionName(candidate) === words[0]);
  if (session === undefined) return message("No such session (use 'show sess').");
  actions.killSession(session.workerPid, session.id);
  return "";
}

function shutdownServerSessions(words: readonly string[], context: CommandContext): string {
  const server = findServer(context, words[0]);
  if (typeof server === "string") return server;
  context.actions.killServerSessions(server);
  return "";
}
