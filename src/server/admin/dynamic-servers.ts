// `add server` and `del server` (management manual 9.3), in HAProxy's words. A server comes into all workers
// as a generation of its own, so nothing that goes on is disturbed, and is gone again with the next reload
// unless the file has it by then.
import { hasDynamicBalance, readDynamicServer } from "../../language/haproxy/dynamic-server.ts";
import type { ReaderEnvironment } from "../../language/haproxy/environment.ts";
import type { ProxyConfiguration, Server as ServerDefinition } from "../../model/proxy.ts";
import type { Server } from "../../proxy/runtime.ts";
import { COUNTER, MAINTENANCE_MASK } from "../../proxy/state.ts";
import type { PreparedConfiguration } from "../messages.ts";
import { type Command, type CommandContext, findServer, isCalled, message } from "./command.ts";

export const DYNAMIC_SERVER_COMMANDS: readonly Command[] = [
  {
    name: "add server",
    usage: "<bk>/<srv> <addr> [opts]",
    help: "add a server, in maintenance and unchecked at first",
    level: "admin",
    run: addServer,
  },
  {
    name: "del server",
    usage: "<bk>/<srv>",
    help: "take away a server that is in maintenance",
    level: "admin",
    run: deleteServer,
  },
];

async function addServer(words: readonly string[], { actions }: CommandContext): Promise<string> {
  const [, backendName, name] = /^([^/]+)\/(.+)$/s.exec(words[0] ?? "") ?? [];
  if (backendName === undefined || name === undefined) return "Require 'backend/server'.";
  const backend = actions.runtime.backends.find((candidate) =>
    isCalled(candidate.name, candidate.definition.id, backendName),
  );
  if (backend === undefined) return "No such backend.";
  if (!hasDynamicBalance(backend.definition))
    return "Backend must use a dynamic load balancing to support dynamic servers.";
  return message((await actions.addServer(backend, name, words.slice(1))) ?? "New server registered.");
}

/** HAProxy ends these answers one newline earlier than others. */
async function deleteServer(words: readonly string[], context: CommandContext): Promise<string> {
  const server = findServer(context, words[0]);
  if (typeof server === "string") return server.trimEnd();
  return (await context.actions.deleteServer(server)) ?? "Server deleted.";
}

/** The configuration with one server more; what stands against it instead. */
export function withServer(
  {
    configuration,
    certificates,
    trust,
  }: Pick<PreparedConfiguration, "configuration" | "certificates" | "trust">,
  backend: string,
  name: string,
  words: readonly string[],
  environment: ReaderEnvironment,
): ProxyConfiguration | string {
  const proxy = configuration.proxies.find((one) => one.name === backend && one.backend !== null);
  if (proxy === undefined) return "No such backend.";
  const server = readDynamicServer(configuration, proxy, name, words, environment);
  if (typeof server === "string") return server;
  const { certificate, caFile } = server.tls ?? { certificate: null, caFile: null };
  const isThere = (path: string) => path.startsWith("@") || environment.readFile(path) !== null;
  if (certificate !== null && !(certificate in certificates) && !isThere(certificate))
    return `unable to stat SSL certificate '${certificate}'.`;
  if (caFile !== null && !(caFile in trust) && !isThere(caFile))
    return `'ca-file' : unable to load ${caFile}.`;
  return withServers(configuration, backend, (servers) => [...servers, server]);
}

/** The configuration without a server; why it has to stay instead. */
export function withoutServer(
  configuration: ProxyConfiguration,
  server: Server,
): ProxyConfiguration | string {
  const { name, backend } = server;
  if (isReferenced(configuration, `${backend.name}/${name}`, server.definition))
    return "This server cannot be removed at runtime due to other configuration elements pointing to it.";
  if ((server.admin & MAINTENANCE_MASK) === 0) return "Only servers in maintenance mode can be deleted.";
  if (isBusy(server)) return "Server still has connections attached to it, cannot remove it.";
  return withServers(configuration, backend.name, (servers) => servers.filter((one) => one.name !== name));
}

/** Rules, samples and ACLs name it, or it tracks or is tracked by what the file says. */
function isReferenced(
  { namedServers, proxies }: ProxyConfiguration,
  fullName: string,
  { track, isDynamic }: ServerDefinition,
): boolean {
  if (namedServers.includes(fullName) || (track !== null && !isDynamic)) return true;
  return proxies.some(({ backend }) =>
    backend?.servers.some(
      (one) => one.track !== null && `${one.track.backend}/${one.track.server}` === fullName,
    ),
  );
}

/** Idle connections do not count: each worker closes its own when the server goes. */
function isBusy({ state, slot, served, queued }: Server): boolean {
  return served > 0 || queued > 0 || state.total(slot, COUNTER.usedCur) > 0;
}

function withServers(
  configuration: ProxyConfiguration,
  backendName: string,
  change: (servers: readonly ServerDefinition[]) => readonly ServerDefinition[],
): ProxyConfiguration {
  const proxies = configuration.proxies.map((proxy) => {
    const { name, backend } = proxy;
    if (name !== backendName || backend === null) return proxy;
    return { ...proxy, backend: { ...backend, servers: change(backend.servers) } };
  });
  return { ...configuration, proxies };
}
