// The master's servers whose names are followed by `resolvers`: what their nameservers say is made of their
// address, their port, their weight and their state, with the lines that HAProxy logs. The master alone asks,
// once for all workers.
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { LogLevel } from "../../model/rule.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import {
  type FollowedServer,
  followedServerOf,
  type ResolutionEvent,
} from "../../proxy/resolvers/followed-server.ts";
import {
  NameResolver,
  type NameserverQuestion,
  type ResolverClock,
} from "../../proxy/resolvers/name-resolver.ts";
import type { Backend, Runtime, Server } from "../../proxy/runtime.ts";
import { CELL } from "../../proxy/state.ts";
import { type AskedQuestion, askNameserver } from "./ask-nameserver.ts";

/** Questions at the same time: each has a socket, and the master needs descriptors for other things too. */
const ASKED_MAX = 512;

export interface ResolvedServersOptions {
  readonly clock: ResolverClock & { readonly wallClockMs: number };
  stateOf(server: Server): ServerState | null;
  /** For all workers; null leaves the port as it is. */
  moveServer(server: Server, host: string, port: number | null): void;
  /** Checks go to where servers are now. Called once for all that has changed at the same time. */
  restartChecks(): void;
  log(backend: Backend, level: LogLevel, text: string): void;
}

/** Addresses and ports by "BACKEND/SERVER". */
export interface KnownEndpoints {
  readonly addresses: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
}

export class ResolvedServers {
  readonly resolver: NameResolver;
  readonly #options: ResolvedServersOptions;
  readonly #asked: Set<AskedQuestion> = new Set();
  #followed: ReadonlyMap<string, FollowedServer> = new Map();
  /** What a server's line says, by which it is the same one after a reload. */
  #lines: ReadonlyMap<string, string> = new Map();
  #runtime: Runtime | null = null;
  #hasMoved = false;

  constructor(options: ResolvedServersOptions) {
    this.#options = options;
    this.resolver = new NameResolver(options.clock, {
      ask: (question) => this.#ask(question),
      handle: (event) => this.#handle(event),
    });
  }

  /** What another reading of the files goes on with: where its servers are that this one has too. */
  endpointsFor(configuration: ProxyConfiguration): KnownEndpoints {
    const addresses: Record<string, string> = {};
    const ports: Record<string, number> = {};
    for (const [key, line] of linesOf(configuration)) {
      const followed = this.#followed.get(key);
      if (followed === undefined || followed.address === "" || this.#lines.get(key) !== line) continue;
      addresses[key] = followed.address;
      if (followed.port !== null) ports[key] = followed.port;
    }
    return { addresses, ports };
  }

  /** These servers serve from now on, with the addresses that they have. */
  follow(runtime: Runtime): void {
    const { configuration } = runtime;
    const lines = linesOf(configuration);
    const before = this.#followed;
    const followed = new Map<string, FollowedServer>();
    for (const [key, line] of lines) {
      const server = serverOf(runtime, key);
      if (server === null) continue;
      const start = { address: server.host, port: server.port };
      const earlier = this.#lines.get(key) === line ? (before.get(key) ?? null) : null;
      const present = earlier ?? followedServerOf(server.backend.name, server.definition, start);
      if (present === null) continue;
      followed.set(key, present);
      present.address = server.host;
      server.hostName = present.hostName;
    }
    this.#runtime = runtime;
    this.#followed = followed;
    this.#lines = lines;
    this.resolver.follow(configuration.resolvers, [...followed.values()]);
  }

  stop(): void {
    this.resolver.stop();
    for (const asked of this.#asked) asked.close();
  }

  /** The runtime API has sent it elsewhere. */
  noteMoved(server: Server): void {
    const followed = this.#followed.get(keyOf(server));
    if (followed !== undefined) this.resolver.moveServer(followed, server.host);
  }

  /** It does not answer: it may be somewhere else. */
  hurry(server: Server): void {
    const followed = this.#followed.get(keyOf(server));
    if (followed !== undefined) this.resolver.hurryServer(followed);
  }

  /** `set server … fqdn`: null when nobody is asked for its name, else the name that it had. */
  rename(server: Server, hostName: string): string | null {
    const followed = this.#followed.get(keyOf(server));
    if (followed === undefined || followed.service !== null) return null;
    const before = followed.hostName;
    if (before !== hostName) this.resolver.renameServer(followed, hostName);
    server.hostName = hostName;
    return before ?? "(null)";
  }

  #ask(question: NameserverQuestion): void {
    if (this.#asked.size >= ASKED_MAX) {
      setImmediate(() => question.receive({ kind: "unreachable" }));
      return;
    }
    const asked = askNameserver(question, () => this.#asked.delete(asked));
    this.#asked.add(asked);
    asked.start();
  }

  #handle(event: ResolutionEvent): void {
    const { backend, name } = event.server;
    const server = this.#runtime?.backendsByName.get(backend)?.serversByName.get(name);
    const state = server === undefined ? null : this.#options.stateOf(server);
    if (server === undefined || state === null) return;
    switch (event.kind) {
      case "address":
        this.#changeAddress(server, event.server.address, event.by);
        return;
      case "target":
        this.#changeTarget(server, state, event.server);
        return;
      case "weight":
        if (event.weight !== server.state.read(server.slot, CELL.weight))
          state.setWeight(`${event.weight}`, this.#nowSeconds);
        return;
      case "available":
        this.#makeAvailable(server, state, event.isAnswer);
        return;
      case "unavailable":
        state.setResolved(false, this.#nowSeconds, event.cause);
        if (server.host !== "") this.#move(server, "", null);
    }
  }

  #changeAddress(server: Server, address: string, by: string): void {
    const from = server.host === "" ? "(none)" : server.host;
    this.#options.log(
      server.backend,
      "notice",
      `${keyOf(server)} changed its IP from ${from} to ${address} by ${by}.`,
    );
    this.#move(server, address, null);
  }

  #changeTarget(server: Server, state: ServerState, { hostName, port }: FollowedServer): void {
    server.hostName = hostName;
    if (hostName === null) {
      server.port = null;
      return;
    }
    state.noteNamedAtRunTime();
    if (port !== server.port) this.#move(server, server.host, port);
  }

  #makeAvailable(server: Server, state: ServerState, isAnswer: boolean): void {
    if (!state.isUnresolved) return;
    state.setResolved(true, this.#nowSeconds);
    if (!isAnswer) return;
    const text = `Server ${keyOf(server)} administratively READY thanks to valid DNS answer.`;
    this.#options.log(server.backend, "notice", text);
  }

  #move(server: Server, host: string, port: number | null): void {
    this.#options.moveServer(server, host, port);
    if (this.#hasMoved) return;
    this.#hasMoved = true;
    // An answer may move many servers, and each restart takes all checks along.
    queueMicrotask(() => {
      this.#hasMoved = false;
      this.#options.restartChecks();
    });
  }

  get #nowSeconds(): number {
    return Math.floor(this.#options.clock.wallClockMs / 1000);
  }
}

/** Of servers that are followed. */
function linesOf({ proxies }: ProxyConfiguration): Map<string, string> {
  return new Map(
    proxies.flatMap(({ name, backend }) =>
      (backend?.servers ?? [])
        .filter(({ resolution }) => resolution !== null)
        .map(({ name: server, address, resolution }) => [
          `${name}/${server}`,
          JSON.stringify([address, resolution]),
        ]),
    ),
  );
}

function serverOf(runtime: Runtime, key: string): Server | null {
  const slash = key.indexOf("/");
  const backend = runtime.backendsByName.get(key.slice(0, slash));
  return backend?.serversByName.get(key.slice(slash + 1)) ?? null;
}

function keyOf({ backend, name }: Server): string {
  return `${backend.name}/${name}`;
}
