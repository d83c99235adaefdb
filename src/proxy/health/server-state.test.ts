// The state machine of a server without sockets and clocks: results and commands in, cells and log lines out.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentCheck, ServerCheck } from "../../model/proxy.ts";
import { type BackendFacts, makeBackend, type ServerFacts } from "../balance/backend.fixture.ts";
import { CELL, SERVER_STATE } from "../state.ts";
import { parseAgentReply } from "./agent-reply.ts";
import type { CheckResult, CheckStatusName } from "./check-result.ts";
import type { HealthEvent } from "./health-event.ts";
import { ServerState } from "./server-state.ts";

const CHECK: ServerCheck = {
  interMs: 2000,
  fastInterMs: null,
  downInterMs: null,
  rise: 2,
  fall: 3,
  port: null,
  address: null,
  tls: null,
  sni: null,
  alpn: [],
  viaSocks4: false,
};
const AGENT: AgentCheck = { port: 1, address: null, interMs: 2000, send: "" };
const NOW = 1000;

function result(status: CheckStatusName, code = 0, description = ""): CheckResult {
  return { status, code, description, durationMs: 3.7 };
}
const GOOD = result("L7OK", 200);
const BAD = result("L4CON", 0, "Connection refused");

function setUp(servers: Readonly<Record<string, ServerFacts>>, facts: BackendFacts = {}) {
  const backend = makeBackend(servers, facts);
  const events: HealthEvent[] = [];
  const states = new Map(
    backend.servers.map((server) => [server.name, new ServerState(server, (event) => events.push(event))]),
  );
  for (const state of states.values()) state.initialise(NOW, null);
  return {
    backend,
    events,
    state: (name: string) => states.get(name)!,
    read: (name: string, cell: number) => backend.state.read(backend.serversByName.get(name)!.slot, cell),
    /** Log lines since the last call, with their levels. */
    takeLog: () =>
      events.splice(0).flatMap((event) => (event.kind === "log" ? [`${event.level}: ${event.text}`] : [])),
  };
}

describe("rise and fall", () => {
  // Results: g(ood), b(ad). Expected: health counter after each, and the server's state.
  const table: readonly (readonly [string, string, string])[] = [
    ["gg", "4 4", "UU"],
    ["b", "0", "D"],
    ["gbbb", "4 3 2 0", "UUUD"],
    ["gbg", "4 3 4", "UUU"],
    ["bg", "0 1", "DD"],
    ["bgg", "0 1 4", "DDU"],
    ["bgbgg", "0 1 0 1 4", "DDDDU"],
  ];
  for (const [results, counters, states] of table) {
    test(`${results} gives ${states}`, () => {
      const { state, read } = setUp({ a: { check: CHECK } });
      const seen = [...results].map((letter) => {
        state("a").receiveCheck(letter === "g" ? GOOD : BAD, NOW);
        return [
          read("a", CELL.checkHealth),
          read("a", CELL.operational) === SERVER_STATE.down ? "D" : "U",
        ] as const;
      });
      assert.equal(seen.map(([counter]) => counter).join(" "), counters);
      assert.equal(seen.map(([, word]) => word).join(""), states);
    });
  }

  test("the interval is inter when well, downinter when down, fastinter in between", () => {
    const { state } = setUp({ a: { check: CHECK } });
    const kinds = [GOOD, BAD, BAD, BAD, GOOD, GOOD].map((each) => {
      state("a").receiveCheck(each, NOW);
      return state("a").intervalKind(state("a").check!);
    });
    assert.deepEqual(kinds, ["inter", "fastinter", "fastinter", "downinter", "fastinter", "inter"]);
  });
});

test("going down and up is logged in HAProxy's words, with levels, and raises the epoch", () => {
  const { backend, state, read, takeLog } = setUp({
    a: { check: { ...CHECK, fall: 1 } },
    b: { isBackup: true, check: { ...CHECK, fall: 1 } },
  });
  takeLog();
  const epoch = backend.state.epoch;
  state("a").receiveCheck(BAD, NOW + 5);
  assert.deepEqual(takeLog(), [
    'alert: Server be/a is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 3ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.',
  ]);
  state("b").receiveCheck(result("L7STS", 503, 'say "hi"\n'), NOW + 6);
  assert.deepEqual(takeLog(), [
    'alert: Backup Server be/b is DOWN, reason: Layer7 wrong status, code: 503, info: "say <22>hi<22><0A>", check duration: 3ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
    "emerg: backend be has no server available!",
  ]);
  state("a").receiveCheck(GOOD, NOW + 10);
  state("a").receiveCheck(GOOD, NOW + 12);
  assert.deepEqual(takeLog(), [
    "notice: Server be/a is UP, reason: Layer7 check passed, code: 200, check duration: 3ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
  ]);
  assert.ok(backend.state.epoch > epoch);
  assert.equal(read("a", CELL.downtimeSeconds), 7);
  assert.equal(read("a", CELL.checksDownTransitions), 1);
  assert.equal(backend.state.read(backend.slot, CELL.downtimeSeconds), 6);
});

test("option log-health-checks reports news of checks instead of reasons", () => {
  const { state, takeLog } = setUp({ a: { check: CHECK } }, { options: { logHealthChecks: true } });
  takeLog();
  for (const each of [GOOD, GOOD, BAD, BAD, BAD]) state("a").receiveCheck(each, NOW);
  assert.deepEqual(takeLog(), [
    "notice: Health check for server be/a succeeded, reason: Layer7 check passed, code: 200, check duration: 3ms, status: 3/3 UP.",
    'notice: Health check for server be/a failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 3ms, status: 2/3 UP.',
    'notice: Health check for server be/a failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 3ms, status: 1/3 UP.',
    'notice: Health check for server be/a failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 3ms, status: 0/2 DOWN.',
    "alert: Server be/a is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
    "emerg: backend be has no server available!",
  ]);
});

test("a conditional success stops load balancing, and a full one brings it back", () => {
  const { backend, state, takeLog } = setUp({ a: { check: CHECK }, b: {} });
  takeLog();
  state("a").receiveCheck(result("L7OKC", 404), NOW);
  assert.match(
    takeLog()[0]!,
    /^notice: Server be\/a is stopping, reason: Layer7 check conditionally passed, code: 404, check duration: 3ms\. 1 active and 0 backup servers online\./,
  );
  const server = backend.serversByName.get("a")!;
  assert.deepEqual([server.isUsable, server.isBalanced], [true, false]);
  state("a").receiveCheck(GOOD, NOW);
  assert.match(takeLog()[0]!, /is UP/);
  assert.equal(server.isBalanced, true);
});

test("slow start raises the weight step by step", () => {
  const { state, read } = setUp({ a: { check: CHECK, slowstartMs: 20_000, weight: 10 } });
  for (const each of [BAD, GOOD, GOOD]) state("a").receiveCheck(each, NOW);
  assert.equal(read("a", CELL.operational), SERVER_STATE.starting);
  assert.equal(read("a", CELL.effectiveWeight), 10);
  assert.equal(state("a").warmUp(NOW + 10), 1000);
  assert.equal(read("a", CELL.effectiveWeight), 90);
  assert.equal(state("a").warmUp(NOW + 20), Number.POSITIVE_INFINITY);
  assert.equal(read("a", CELL.effectiveWeight), 160);
  assert.equal(read("a", CELL.operational), SERVER_STATE.up);
});

describe("admin commands", () => {
  test("maintenance pauses checks and comes back up at once", () => {
    const { state, takeLog } = setUp({ a: { check: CHECK }, b: {} });
    takeLog();
    state("a").setMaintenance(NOW);
    assert.equal(state("a").check!.isPaused, true);
    state("a").setReady(NOW + 1);
    assert.deepEqual(takeLog(), [
      "alert: Server be/a is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
      "notice: Server be/a is UP/READY (leaving forced maintenance).",
    ]);
    assert.equal(state("a").check!.health, 2);
  });

  test("a server that the file disables is in maintenance until it is made ready", () => {
    const { backend, state, read, takeLog } = setUp({ a: { isDisabled: true } });
    assert.equal(read("a", CELL.admin), 5);
    takeLog();
    state("a").setReady(NOW);
    assert.equal(read("a", CELL.admin), 0);
    assert.equal(backend.servers[0]!.isBalanced, true);
    assert.deepEqual(takeLog(), ["notice: Server be/a is UP/READY (leaving forced maintenance)."]);
  });

  test("drain keeps the server usable for those who stick to it", () => {
    const { backend, state, takeLog } = setUp({ a: {}, b: {} });
    takeLog();
    state("a").setDrain(NOW);
    const server = backend.serversByName.get("a")!;
    assert.deepEqual([server.isUsable, server.isBalanced], [true, false]);
    state("a").setReady(NOW);
    assert.deepEqual(takeLog(), [
      "notice: Server be/a enters drain state. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
      "notice: Server be/a is UP (leaving forced drain).",
    ]);
  });

  test("weights are absolute or relative, and bad ones are answered as HAProxy answers", () => {
    const { state, read } = setUp({ a: { weight: 40 } });
    assert.equal(state("a").setWeight("50%", NOW), null);
    assert.equal(read("a", CELL.weight), 20);
    assert.equal(read("a", CELL.effectiveWeight), 320);
    assert.equal(
      state("a").setWeight("257", NOW),
      "Absolute weight can only be between 0 and 256 inclusive.",
    );
    assert.equal(state("a").setWeight("x", NOW), "Empty weight string empty or preceded by garbage");
    assert.equal(state("a").setWeight("5x", NOW), "Trailing garbage in weight string");
    assert.equal(state("a").setWeight("", NOW), "Require <weight> or <weight%>.");
    const fixed = setUp({ a: { weight: 40 } }, { settings: { balance: { algorithm: "static-rr" } } });
    assert.match(fixed.state("a").setWeight("50%", NOW)!, /static LB algorithm/);
    assert.equal(fixed.state("a").setWeight("0%", NOW), null);
  });

  test("maxconn is written for the workers", () => {
    const { state, read } = setUp({ a: {} });
    assert.equal(read("a", CELL.maxconn), -1);
    assert.equal(state("a").setMaxconn("30"), null);
    assert.equal(read("a", CELL.maxconn), 30);
    assert.equal(state("a").setMaxconn("30x"), "Trailing garbage in maxconn string");
  });
});

test("a tracking server follows down, up, maintenance and drain", () => {
  const { state, takeLog } = setUp({ a: { check: { ...CHECK, fall: 1, rise: 1 } }, b: {} });
  state("b").follow(state("a"));
  takeLog();
  state("a").receiveCheck(BAD, NOW);
  assert.equal(
    takeLog()[1],
    "alert: Server be/b is DOWN via be/a. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
  );
  state("a").receiveCheck(GOOD, NOW);
  assert.match(takeLog()[1]!, /Server be\/b is UP via be\/a\. 2 active/);
  state("a").setMaintenance(NOW);
  assert.match(takeLog()[1]!, /Server be\/b is going DOWN for maintenance via be\/a\. 0 active/);
  state("a").setReady(NOW);
  assert.equal(takeLog()[1], "notice: Server be/b is UP/READY (leaving maintenance).");
  state("a").setDrain(NOW);
  assert.match(takeLog()[1]!, /Server be\/b enters drain state via be\/a\./);
});

describe("observe", () => {
  const observed = (onError: "fastinter" | "fail-check" | "sudden-death" | "mark-down") => {
    const setup = setUp({ a: { check: CHECK, observe: { layer: 7, errorLimit: 2, onError } } });
    setup.state("a").receiveCheck(GOOD, NOW);
    setup.takeLog();
    return setup;
  };

  test("counts errors in sequence, and a good answer begins anew", () => {
    const { state } = observed("mark-down");
    assert.equal(state("a").observe("http-wrong-status", NOW), false);
    assert.equal(state("a").observe("http-correct", NOW), false);
    assert.equal(state("a").observe("http-wrong-status", NOW), false);
    assert.equal(state("a").observe("connected", NOW), false);
    assert.equal(state("a").observe("http-read-timeout", NOW), true);
  });

  for (const [onError, health] of [
    ["fastinter", 4],
    ["fail-check", 3],
    ["sudden-death", 2],
    ["mark-down", 0],
  ] as const) {
    test(`on-error ${onError} leaves a health of ${health}`, () => {
      const { state, takeLog } = observed(onError);
      for (let i = 0; i < 2; i++) state("a").observe("http-closed", NOW);
      assert.equal(state("a").check!.health, health);
      if (health === 0)
        assert.match(
          takeLog()[0]!,
          /is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: Close from server \(http\)"\. 0 active/,
        );
    });
  }
});

describe("agent", () => {
  const reply = (text: string) => parseAgentReply(`${text}\n`)!;

  test("health words bring the server down and up, independent of rise and fall", () => {
    const { state, takeLog } = setUp({ a: { agent: AGENT } });
    takeLog();
    state("a").receiveAgentReply(reply("down #disk full"), 1, NOW);
    assert.match(
      takeLog()[0]!,
      /Server be\/a is DOWN, reason: Layer7 wrong status, code: 0, info: "via agent : down \(disk full\)", check duration: 1ms\./,
    );
    state("a").receiveAgentReply(reply("UP"), 1, NOW);
    assert.match(
      takeLog()[0]!,
      /Server be\/a is UP, reason: Layer7 check passed, code: 0, info: "via agent : UP"/,
    );
  });

  test("weights, maxconn and admin words are applied in one reply", () => {
    const { state, read } = setUp({ a: { agent: AGENT, weight: 100 } });
    state("a").receiveAgentReply(reply("75%, maxconn:30\tdrain"), 1, NOW);
    assert.deepEqual([read("a", CELL.weight), read("a", CELL.maxconn), read("a", CELL.admin)], [75, 30, 8]);
    state("a").receiveAgentReply(reply("ready"), 1, NOW);
    assert.equal(read("a", CELL.admin), 0);
  });

  test("an agent that cannot be reached does not bring the server down", () => {
    const { state } = setUp({ a: { agent: AGENT } });
    state("a").receiveAgentFailure(BAD, NOW);
    assert.equal(state("a").operational, SERVER_STATE.up);
  });

  test("a good check does not bring up what the agent holds down", () => {
    const { state } = setUp({ a: { agent: AGENT, check: CHECK } });
    state("a").receiveAgentReply(reply("fail"), 1, NOW);
    state("a").receiveCheck(GOOD, NOW);
    assert.equal(state("a").operational, SERVER_STATE.down);
    state("a").receiveAgentReply(reply("up"), 1, NOW);
    assert.equal(state("a").operational, SERVER_STATE.up);
  });

  test("lines are read word by word; what means nothing is reported", () => {
    assert.equal(parseAgentReply("up"), null);
    assert.deepEqual(parseAgentReply("up 50% down,bogus # why\r\nrest"), {
      health: "down",
      healthWord: "down",
      admin: null,
      weight: "50%",
      maxconn: null,
      description: "why",
      unknownWord: "bogus",
    });
    const { state } = setUp({ a: { agent: AGENT } });
    state("a").receiveAgentReply(reply("bogus"), 1, NOW);
    assert.equal(state("a").agent!.last.description, "agent reports an error : bogus");
  });
});

describe("reload", () => {
  test("state, counters, admin flags and run-time weights live on", () => {
    const first = setUp({ a: { check: CHECK, weight: 10 }, b: {} });
    for (const each of [BAD, GOOD]) first.state("a").receiveCheck(each, NOW);
    first.state("a").setWeight("5", NOW);
    first.state("b").setDrain(NOW);
    const backend = makeBackend({ a: { check: CHECK, weight: 10 }, b: {} }, { state: first.backend.state });
    // The fixture writes cells as a fresh server has them; put back what a reload would find.
    const slotOf = (name: string) => backend.serversByName.get(name)!.slot;
    backend.state.write(slotOf("a"), CELL.operational, SERVER_STATE.down);
    backend.state.write(slotOf("a"), CELL.weight, 5);
    const states = backend.servers.map((server) => new ServerState(server, () => {}));
    for (const state of states) state.initialise(NOW + 1, first.state(state.server.name));
    assert.equal(states[0]!.operational, SERVER_STATE.down);
    assert.equal(states[0]!.check!.health, 1);
    assert.equal(backend.state.read(slotOf("a"), CELL.weight), 5);
    assert.equal(backend.state.read(slotOf("b"), CELL.admin), 8);
  });
});

test("sessions are shut down where the server line says so", () => {
  const { state, events } = setUp({
    a: {
      check: { ...CHECK, fall: 1, rise: 1 },
      onMarkedDown: "shutdown-sessions",
      onMarkedUp: "shutdown-backup-sessions",
    },
  });
  state("a").receiveCheck(BAD, NOW);
  state("a").receiveCheck(GOOD, NOW);
  const kinds = events.map((event) => event.kind).filter((kind) => kind.startsWith("shutdown"));
  assert.deepEqual(kinds, ["shutdown-sessions", "shutdown-backup-sessions"]);
});

test("what a command has changed is told as such, and who wants mail is told of ups, downs and drains", () => {
  const world = setUp({ a: { check: CHECK }, b: {} });
  const a = world.state("a");
  a.forceHealth("down", NOW);
  a.forceHealth("up", NOW);
  a.forceHealth("stopping", NOW);
  a.setMaintenance(NOW);
  world.state("b").setDrain(NOW);
  const lines = world.events.flatMap((event) =>
    event.kind === "log" ? [`${event.mailLevel}: ${event.text.split(". ")[0]}`] : [],
  );
  assert.deepEqual(lines, [
    "alert: Server be/a is DOWN, changed from CLI",
    "notice: Server be/a is UP, changed from CLI",
    "null: Server be/a is stopping, changed from CLI",
    "null: Server be/a is going DOWN for maintenance",
    "notice: Server be/b enters drain state",
    "null: backend be has no server available!",
  ]);
});
