// A Runtime from the text of a configuration, for tests: read, given slots, built, its servers' states
// initialised.
import assert from "node:assert/strict";
import { readConfiguration } from "../../language/haproxy/reader.ts";
import { buildRuntime } from "../../proxy/build.ts";
import { SharedCache } from "../../proxy/cache/shared-cache.ts";
import { ServerState } from "../../proxy/health/server-state.ts";
import type { RuleEnvironment } from "../../proxy/rules/environment.ts";
import { PatternLists } from "../../proxy/rules/patterns/pattern-lists.ts";
import type { Runtime, Server } from "../../proxy/runtime.ts";
import { assignSlots } from "../../proxy/slots.ts";
import { HEADER, SharedState } from "../../proxy/state.ts";
import { StickTable } from "../../proxy/stick-table/stick-table.ts";

export interface TestRuntime {
  readonly runtime: Runtime;
  readonly environment: RuleEnvironment;
  readonly states: ReadonlyMap<Server, ServerState>;
}

export function makeRuntime(text: string, nowMs: number): TestRuntime {
  const { configuration, diagnostics } = readConfiguration([{ name: "test.cfg", text }], {
    readFile: () => null,
    variables: {},
    hostname: "here",
    cpuCount: 2,
  } as unknown as Parameters<typeof readConfiguration>[1]);
  assert.ok(configuration !== null, diagnostics.map(({ message }) => message).join("\n"));
  const state = SharedState.alone(256);
  state.header[HEADER.startSeconds] = Math.floor(nowMs / 1000);
  const environment: RuleEnvironment = {
    configuration,
    patterns: new PatternLists(configuration.patternLists),
    stickTables: StickTable.allAlone(configuration.stickTables),
    caches: SharedCache.allAlone(configuration.caches),
    hostname: "here",
    pid: 42,
    processVariables: {},
    workerIndex: 1,
    workerCount: 2,
    clock: { nowMs, wallClockMs: nowMs, random: () => 0.5 },
    variables: new Map(),
    requestCount: { value: 0 },
  };
  const slots = assignSlots(configuration, {}, 256);
  assert.ok(slots !== null);
  const runtime = buildRuntime({
    configuration,
    state,
    slots,
    environment,
    previous: null,
    createLog: () => null,
  });
  for (const { slot } of [...runtime.frontends, ...runtime.backends]) state.keepLatencies(slot);
  return { runtime, environment, states: startServers(runtime, Math.floor(nowMs / 1000)) };
}

function startServers(runtime: Runtime, nowSeconds: number): Map<Server, ServerState> {
  const states = new Map<Server, ServerState>();
  for (const server of runtime.backends.flatMap(({ servers }) => servers)) {
    const state = new ServerState(server, () => {});
    state.initialise(nowSeconds, null);
    states.set(server, state);
  }
  for (const [server, state] of states) {
    const { track } = server.definition;
    const other =
      track === null ? undefined : runtime.backendsByName.get(track.backend)?.serversByName.get(track.server);
    if (other !== undefined) state.follow(states.get(other)!);
  }
  return states;
}
