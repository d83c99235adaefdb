// Commands that change servers: `set server`, `set weight`, `set maxconn server`, `enable|disable
// server|health|agent`.
import { parseIpAddress } from "../../base/address.ts";
import { isServiceName } from "../../model/resolvers.ts";
import { encodeName } from "../../protocol/dns/name.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import type { Server } from "../../proxy/runtime.ts";
import { CELL, SERVER_ADMIN } from "../../proxy/state.ts";
import { type Command, type CommandContext, findServer, message, nowSecondsOf } from "./command.ts";

type ServerAction = (
  server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
) => string | Promise<string>;

const SERVER = "<bk>/<srv>";
const HOST_NAME_LENGTH_MAX = 253;

export const SERVER_COMMANDS: readonly Command[] = [
  serverCommand("disable agent", "switch agent checks off", (server, _state, _words, context) =>
    setChecking(server, "agent", false, context),
  ),
  serverCommand("disable health", "switch health checks off", (server, _state, _words, context) =>
    setChecking(server, "health", false, context),
  ),
  serverCommand("disable server", "put a server into maintenance", (_server, state, _words, context) => {
    state.setMaintenance(nowSecondsOf(context));
    return "";
  }),
  serverCommand("enable agent", "switch agent checks on", (server, _state, _words, context) =>
    setChecking(server, "agent", true, context),
  ),
  serverCommand("enable health", "switch health checks on", (server, _state, _words, context) =>
    setChecking(server, "health", true, context),
  ),
  serverCommand("enable server", "take a server out of maintenance", enableServer),
  { ...serverCommand("get weight", "present and configured weight", getWeight), level: "user" },
  serverCommand("set maxconn server", "change a server's maxconn", setMaxconn, " <value>"),
  serverCommand("set server", "change state, weight, address or checks", setServer, " [opts]"),
  serverCommand("set weight", "change a server's weight", setWeight, " <weight>[%]"),
];

function serverCommand(name: string, help: string, action: ServerAction, usage = ""): Command {
  const run = (words: readonly string[], context: CommandContext): string | Promise<string> => {
    const server = findServer(context, words[0]);
    if (typeof server === "string") return server;
    const state = context.actions.stateOf(server);
    return state === null ? message("No such server.") : action(server, state, words.slice(1), context);
  };
  return { name, usage: `${SERVER}${usage}`, help, level: "admin", run };
}

function setChecking(
  server: Server,
  kind: "health" | "agent",
  isEnabled: boolean,
  { actions }: CommandContext,
): string {
  if (actions.setChecking(server, kind, isEnabled)) return "";
  const name = kind === "agent" ? "Agent was" : "Health checks were";
  return isEnabled ? message(`${name} not configured on this server, cannot enable.`) : "";
}

/** Unlike `state ready` it leaves draining as it is. */
function enableServer(
  server: Server,
  state: ServerState,
  _words: readonly string[],
  context: CommandContext,
): string {
  const isDraining = (server.admin & SERVER_ADMIN.drain) !== 0;
  state.setReady(nowSecondsOf(context));
  if (isDraining) state.setDrain(nowSecondsOf(context));
  return "";
}

function getWeight(server: Server): string {
  return message(`${server.state.read(server.slot, CELL.weight)} (initial ${server.definition.weight})`);
}

function setWeight(
  _server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string {
  const refusal = state.setWeight(words[0] ?? "", nowSecondsOf(context));
  return refusal === null ? "" : message(refusal);
}

function setMaxconn(_server: Server, state: ServerState, words: readonly string[]): string {
  const refusal = state.setMaxconn(words[0] ?? "");
  return refusal === null ? "" : message(refusal);
}

const SETTINGS: Readonly<Record<string, ServerAction>> = {
  addr: setAddress,
  agent: setAgent,
  fqdn: setHostName,
  health: setHealth,
  state: setState,
  weight: setWeight,
};

function setServer(
  server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string | Promise<string> {
  const setting = words[0] ?? "";
  if (Object.hasOwn(SETTINGS, setting)) return SETTINGS[setting]!(server, state, words.slice(1), context);
  return message(`usage: set server <backend>/<server> ${Object.keys(SETTINGS).join(" | ")}`);
}

function setState(
  _server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string {
  const now = nowSecondsOf(context);
  if (words[0] === "ready") state.setReady(now);
  else if (words[0] === "drain") state.setDrain(now);
  else if (words[0] === "maint") state.setMaintenance(now);
  else return message("'set server <srv> state' expects 'ready', 'drain' and 'maint'.");
  return "";
}

function setHealth(
  server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string {
  const health = words[0];
  if (server.definition.track !== null) return message("cannot change health on a tracking server.");
  if (health !== "up" && health !== "stopping" && health !== "down") {
    return message("'set server <srv> health' expects 'up', 'stopping', or 'down'.");
  }
  state.forceHealth(health, nowSecondsOf(context));
  return "";
}

/** What the agent is taken to have said. */
function setAgent(
  server: Server,
  state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string {
  if (server.definition.agent === null || !context.actions.checks.isEnabled(server, "agent")) {
    return message("agent checks are not enabled on this server.");
  }
  const word = words[0];
  if (word !== "up" && word !== "down") return message("'set server <srv> agent' expects 'up' or 'down'.");
  if (state.agent !== null) state.agent.health = word === "up" ? state.agent.healthMax : 0;
  state.forceHealth(word, nowSecondsOf(context));
  return "";
}

/** `addr ADDRESS [port PORT]`. Ports relative to the client's ("+N") are not taken. */
function setAddress(
  server: Server,
  _state: ServerState,
  words: readonly string[],
  context: CommandContext,
): string {
  const [address = "", keyword, portText] = words;
  if (server.definition.address.kind === "unix") return message("This server has no IP address.");
  if (address === "") return message("set server <b>/<s> addr requires an address and optionally a port.");
  if (parseIpAddress(address) === null) return message(`Invalid addr '${address}' by 'stats socket command'`);
  const port = keyword === "port" ? parsePort(portText) : server.port;
  if (port === undefined) return message("invalid port: a number from 1 to 65535 is expected.");
  const news = [
    address === server.host
      ? "no need to change the addr"
      : `IP changed from '${server.host}' to '${address}'`,
    keyword !== "port"
      ? null
      : port === server.port
        ? "no need to change the port"
        : `port changed from '${server.port ?? 0}' to '${port}'`,
  ];
  if (address !== server.host || port !== server.port)
    context.actions.setServerAddress(server, address, port);
  return message(`${news.filter((text) => text !== null).join(", ")} by 'stats socket command'`);
}

function parsePort(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

async function setHostName(
  server: Server,
  _state: ServerState,
  words: readonly string[],
  { actions }: CommandContext,
): Promise<string> {
  const name = words[0] ?? "";
  if (name === "") return message("set server <b>/<s> fqdn requires a FQDN.");
  const { resolution, address } = server.definition;
  if (resolution !== null && address.kind === "tcp" && isServiceName(address.host))
    return message("set server <b>/<s> fqdn failed because SRV resolution is configured.");
  if (name.length > HOST_NAME_LENGTH_MAX) return message(`invalid fqdn '${name}' by 'stats socket command'`);
  if (resolution !== null && encodeName(name) === null)
    return message(`could not update ${server.backend.name}/${server.name} FQDN by 'stats socket command'`);
  const before = actions.renameServer(server, name);
  if (before !== null) return message(describeRename(server, before, name));
  const host = await actions.resolve(name);
  if (host === null) return message(`'${name}' has no address.`);
  actions.setServerAddress(server, host, server.port);
  return message(
    `${server.backend.name}/${server.name} changed its FQDN to ${name} by 'stats socket command'`,
  );
}

function describeRename({ backend, name }: Server, before: string, now: string): string {
  // As HAProxy spells it: scripts look for it.
  if (before === now) return "no need to change the FDQN by 'stats socket command'";
  return `${backend.name}/${name} changed its FQDN from ${before} to ${now} by 'stats socket command'`;
}
