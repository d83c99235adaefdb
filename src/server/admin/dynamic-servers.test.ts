// Which servers may come and go, and what the configuration is afterwards. That workers serve by it is tried
// in test/processes/dynamic-servers.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL, COUNTER, SERVER_ADMIN } from "../../proxy/state.ts";
import { NOTHING_CHANGED, type PreparedConfiguration } from "../messages.ts";
import { keepPreparation } from "../server-change.ts";
import { withoutServer, withServer } from "./dynamic-servers.ts";
import { makeRuntime, type TestRuntime } from "./runtime.fixture.ts";

const FILE = `
defaults
  mode http
backend be
  server named 127.0.0.1:1
  server tracked 127.0.0.1:1 check
  server tracker 127.0.0.1:1 track tracked
  server free 127.0.0.1:1
  use-server named unless { always_false }
backend ca
  server a 127.0.0.1:1
`;
const ENVIRONMENT = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };

function prepared({ runtime }: TestRuntime): PreparedConfiguration {
  const { configuration } = runtime;
  return {
    configuration,
    slots: { "server be/free": 7, "backend be": 1 },
    tables: {},
    caches: {},
    addresses: { "be/free": "192.0.2.1", "be/named": "192.0.2.2" },
    ports: { "be/free": 80 },
    certificates: { "known.pem": [] },
    crtLists: {},
    trust: { "known-ca.pem": "" },
    ticketKeys: new Uint8Array(),
    issuers: [],
    signers: {},
    sessionStore: null,
    load: 1,
    live: NOTHING_CHANGED,
    wantsRequests: false,
  };
}

function removal(runtime: TestRuntime, name: string) {
  const server = runtime.runtime.backendsByName.get("be")!.serversByName.get(name)!;
  return withoutServer(runtime.runtime.configuration, server);
}

test("a server comes last in its backend and leaves all others as they are", () => {
  const present = prepared(makeRuntime(FILE, 0));
  const changed = withServer(present, "be", "new", ["127.0.0.1:2"], ENVIRONMENT);
  assert.ok(typeof changed !== "string", String(changed));
  const names = changed.proxies[0]!.backend!.servers.map(({ name }) => name);
  assert.deepEqual(names, ["named", "tracked", "tracker", "free", "new"]);
  assert.equal(changed.proxies[1], present.configuration.proxies[1]);
});

test("files that a server names have to be there, or loaded already", () => {
  const present = prepared(makeRuntime(FILE, 0));
  const add = (...words: string[]) => {
    const changed = withServer(present, "be", "new", ["127.0.0.1:2", ...words], ENVIRONMENT);
    return typeof changed === "string" ? changed : "added";
  };
  assert.equal(add("ssl", "verify", "none", "crt", "/nix"), "unable to stat SSL certificate '/nix'.");
  assert.equal(add("ssl", "ca-file", "/nix"), "'ca-file' : unable to load /nix.");
  assert.equal(add("ssl", "ca-file", "known-ca.pem", "crt", "known.pem"), "added");
  assert.equal(add("ssl", "ca-file", "@system-ca"), "added");
});

test("what rules name, and what tracks or is tracked, stays", () => {
  const runtime = makeRuntime(FILE, 0);
  const refusal =
    "This server cannot be removed at runtime due to other configuration elements pointing to it.";
  for (const name of ["named", "tracked", "tracker"]) assert.equal(removal(runtime, name), refusal);
});

test("only a server in maintenance without connections goes", () => {
  const runtime = makeRuntime(FILE, 0);
  const { state, slot } = runtime.runtime.backendsByName.get("be")!.serversByName.get("free")!;
  assert.equal(removal(runtime, "free"), "Only servers in maintenance mode can be deleted.");
  state.write(slot, CELL.admin, SERVER_ADMIN.maintenance);
  const busy = "Server still has connections attached to it, cannot remove it.";
  for (const cell of [CELL.served, CELL.queued]) {
    state.write(slot, cell, 1);
    assert.equal(removal(runtime, "free"), busy);
    state.write(slot, cell, 0);
  }
  state.count(slot, COUNTER.usedCur, 1);
  assert.equal(removal(runtime, "free"), busy);
  state.count(slot, COUNTER.usedCur, -1);
  const changed = removal(runtime, "free");
  assert.ok(typeof changed !== "string", String(changed));
  assert.deepEqual(
    changed.proxies[0]!.backend!.servers.map(({ name }) => name),
    ["named", "tracked", "tracker"],
  );
});

test("with a server goes what was looked up for it, and its slot is free", () => {
  const runtime = makeRuntime(FILE, 0);
  const { state, slot } = runtime.runtime.backendsByName.get("be")!.serversByName.get("free")!;
  state.write(slot, CELL.admin, SERVER_ADMIN.maintenance);
  const changed = removal(runtime, "free");
  assert.ok(typeof changed !== "string");
  assert.deepEqual(keepPreparation(prepared(runtime), changed), {
    addresses: { "be/named": "192.0.2.2" },
    ports: {},
    slots: { "backend be": 1 },
    freedSlots: [7],
  });
});
