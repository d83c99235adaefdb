// AdminActions over a TestRuntime: states are real, what would go to workers is written down.
import { TimerWheel } from "../../base/timer-wheel.ts";
import { NameResolver } from "../../proxy/resolvers/name-resolver.ts";
import { evaluateWithoutStream } from "../../proxy/rules/process-variables.ts";
import { NOTHING_CHANGED, type SessionDescription } from "../messages.ts";
import type { AdminActions } from "./actions.ts";
import { withoutServer, withServer } from "./dynamic-servers.ts";
import { type MaterialActions, MaterialTransactions } from "./material.ts";
import type { TestRuntime } from "./runtime.fixture.ts";

const READER_ENVIRONMENT = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };

export interface TestActions extends AdminActions {
  /** What was asked of the workers, one line each. */
  readonly calls: string[];
  sessions: SessionDescription[];
}

export function makeActions({ runtime, environment, states }: TestRuntime, nowMs: number): TestActions {
  const calls: string[] = [];
  const disabled = new Set<string>();
  const material: { -readonly [K in keyof MaterialActions]: MaterialActions[K] } = {
    present: {
      configuration: runtime.configuration,
      slots: {},
      tables: {},
      caches: {},
      addresses: {},
      ports: {},
      certificates: {},
      crtLists: {},
      trust: {},
      ticketKeys: new Uint8Array(80),
      issuers: [],
      signers: {},
      sessionStore: null,
      load: 1,
      live: NOTHING_CHANGED,
      wantsRequests: false,
    },
    transactions: new MaterialTransactions(),
    change: async (change) => {
      const changed = change(material.present);
      if (typeof changed === "string") return changed;
      material.present = { ...material.present, ...changed };
      return null;
    },
  };
  const resolver = new NameResolver(
    { nowMs: 0, timers: new TimerWheel(0) },
    { ask: () => {}, handle: () => {} },
  );
  resolver.follow(runtime.configuration.resolvers, []);
  const actions: TestActions = {
    calls,
    sessions: [],
    runtime,
    patterns: environment.patterns,
    variables: environment.variables,
    stickTables: environment.stickTables ?? new Map(),
    caches: environment.caches ?? new Map(),
    rings: [],
    tableNowMs: 0,
    evaluate: (value) => evaluateWithoutStream(value, environment),
    share: async (changes) => {
      for (const change of changes) {
        if (change.kind === "pattern") environment.patterns.all[change.list]!.apply(change.change);
        else if (change.value === undefined) environment.variables.delete(change.name);
        else environment.variables.set(change.name, change.value);
      }
      if (changes.length > 0) calls.push(`share ${changes.length}`);
    },
    nowMs,
    facts: {
      version: "0.1.0",
      releaseDate: "2026/11/23",
      pid: 42,
      workerCount: 2,
      fileDescriptorLimit: 1024,
      node: "here",
      description: null,
    },
    workerPids: [43, 44],
    processes: {
      reloadCount: 3,
      failedReloadCount: 1,
      startedAtMs: nowMs - 127_000,
      workers: [
        { pid: 43, startedAtMs: nowMs - 127_000, reloadsBefore: 0 },
        { pid: 44, startedAtMs: nowMs, reloadsBefore: 3 },
      ],
      programs: [{ pid: 45, name: "foo", startedAtMs: nowMs - 90_061_000, reloadsBefore: 2 }],
    },
    environment: { HOME: "/root", EMPTY: undefined },
    checks: {
      describe: (server, kind) =>
        kind === "health" ? (states.get(server)?.check?.last.description ?? "") : "",
      isEnabled: (server, kind) => !disabled.has(`${kind} ${server.name}`),
      isRunning: () => false,
    },
    stateOf: (server) => states.get(server) ?? null,
    setChecking: (server, kind, isEnabled) => {
      if ((kind === "health" ? server.definition.check : server.definition.agent) === null) return false;
      if (isEnabled) disabled.delete(`${kind} ${server.name}`);
      else disabled.add(`${kind} ${server.name}`);
      return true;
    },
    setServerAddress: (server, host, port) => {
      calls.push(`address ${server.name} ${host} ${port}`);
      server.host = host;
      server.port = port;
    },
    addServer: async (backend, name, words) => {
      const present = { configuration: runtime.configuration, certificates: {}, trust: {} };
      const changed = withServer(present, backend.name, name, words, READER_ENVIRONMENT);
      if (typeof changed === "string") return changed;
      calls.push(`add ${backend.name}/${name}`);
      return null;
    },
    deleteServer: async (server) => {
      const changed = withoutServer(runtime.configuration, server);
      if (typeof changed === "string") return changed;
      calls.push(`delete ${server.name}`);
      return null;
    },
    material,
    resolver,
    renameServer: (server, name) => {
      if (server.definition.resolution === null) return null;
      const before = server.hostName;
      server.hostName = name;
      return before ?? "(null)";
    },
    resolve: async (name) => (name === "known.example" ? "192.0.2.7" : null),
    pauseFrontend: (frontend, isPaused, isForGood) =>
      void calls.push(`pause ${frontend.name} ${isPaused} ${isForGood}`),
    listSessions: async () => actions.sessions,
    killSession: (workerPid, id) => void calls.push(`kill ${workerPid} ${id}`),
    killServerSessions: (server) => void calls.push(`kill sessions of ${server.name}`),
    reload: async () => "Reloaded.\n",
  };
  return actions;
}
