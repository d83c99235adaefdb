// Schedules, timeouts and hand-over under virtual time, on the memory engine.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryEngine } from "../../src/io/memory/memory-engine.ts";
import { MemoryNetwork } from "../../src/io/memory/memory-network.ts";
import type { AgentCheck, ServerCheck } from "../../src/model/proxy.ts";
import { type BackendFacts, makeBackend, type ServerFacts } from "../../src/proxy/balance/backend.fixture.ts";
import { HealthChecks } from "../../src/proxy/health/health-checks.ts";
import type { HealthEvent } from "../../src/proxy/health/health-event.ts";
import type { Backend } from "../../src/proxy/runtime.ts";
import { CELL, CHECK_STATUS, SERVER_STATE } from "../../src/proxy/state.ts";
import type { ConnectionHandler } from "../../src/transport/contract.ts";

const CHECK: ServerCheck = {
  interMs: 2000,
  fastInterMs: 500,
  downInterMs: 5000,
  rise: 2,
  fall: 2,
  port: null,
  address: null,
  tls: null,
  sni: null,
  alpn: [],
  viaSocks4: false,
};
const AGENT: AgentCheck = { port: 9999, address: null, interMs: 1000, send: "hello\n" };

function address(port: number): Pick<ServerFacts, "address"> {
  return { address: { kind: "tcp", host: "10.0.0.1", port, portOffset: 0 } };
}

class World {
  readonly network = new MemoryNetwork({ seed: 7 });
  readonly origin = new MemoryEngine({ seed: 8, network: this.network, host: "10.0.0.1" });
  readonly engine = new MemoryEngine({ seed: 9, network: this.network });
  readonly events: HealthEvent[] = [];
  /** Times at which each port was connected to, and what it received. */
  readonly visits: Map<number, number[]> = new Map();
  readonly received: string[] = [];

  /**
   * `answer` is sent on connect when `greets`, else on the first bytes; null keeps silent. `hangsUp`: after
   * the second answer, to what is sent then.
   */
  listen(port: number, answer: () => string | null, greets = false, hangsUp = false): void {
    const accept = (): ConnectionHandler => {
      this.visits.set(port, [...(this.visits.get(port) ?? []), Math.round(this.network.nowMs)]);
      const reply = (connection: Parameters<ConnectionHandler["handleOpen"]>[0]) => {
        const text = answer();
        if (text === null) return;
        const chunk = this.origin.allocate(text.length);
        chunk.bytes.set(new TextEncoder().encode(text));
        connection.send(chunk, 0, text.length);
        chunk.release();
      };
      return {
        handleOpen: (connection) => greets && reply(connection),
        handleData: (connection, chunk, start, end) => {
          this.received.push(new TextDecoder("latin1").decode(chunk.bytes.subarray(start, end)));
          if (!greets || hangsUp) reply(connection);
          if (hangsUp) connection.close();
        },
        handleDrain() {},
        handleEnd: (connection) => connection.close(),
        handleClose() {},
      };
    };
    this.origin.listen(
      {
        address: { kind: "tcp", host: "10.0.0.1", port },
        backlog: 9,
        tls: null,
        acceptProxy: false,
        handshakeTimeoutMs: 1000,
        reusePort: false,
      },
      { accept },
      () => {},
    );
    this.network.advance(1);
  }

  check(
    servers: Readonly<Record<string, ServerFacts>>,
    facts: BackendFacts = {},
    previous: HealthChecks | null = null,
  ) {
    const backend = makeBackend(servers, facts);
    const checks = new HealthChecks(this.engine, [backend], {
      spreadChecksPercent: 0,
      nodeName: "n",
      emit: (event) => this.events.push(event),
    });
    checks.start(previous);
    return { backend, checks };
  }

  log(): string[] {
    return this.events.splice(0).flatMap((event) => (event.kind === "log" ? [event.text] : []));
  }
}

function status(backend: Backend, name: string): string {
  const server = backend.serversByName.get(name)!;
  const status = CHECK_STATUS[backend.state.read(server.slot, CELL.checkStatus)];
  return `${status} ${Object.keys(SERVER_STATE)[server.operational]}`;
}

describe("schedule", () => {
  test("checks of a server that was added at run time begin when they are enabled, and stay so", () => {
    const world = new World();
    world.listen(1, () => null);
    const facts = { a: { check: CHECK, isDynamic: true, ...address(1) } };
    const first = world.check(facts);
    world.network.advance(6000);
    assert.equal(world.visits.get(1), undefined);
    assert.equal(first.checks.isEnabled(first.backend.servers[0]!, "health"), false);
    first.checks.setEnabled(first.backend.servers[0]!, "health", true);
    first.checks.stateOf(first.backend.servers[0]!)!.setReady(0);
    world.network.advance(2500);
    const visitCount = world.visits.get(1)!.length;
    assert.ok(visitCount >= 1);
    const second = world.check(facts, {}, first.checks);
    assert.equal(second.checks.isEnabled(second.backend.servers[0]!, "health"), true);
  });

  // Before its first result a server is between up and down: fastinter counts.
  test("first checks are spread over the interval, later ones keep it", () => {
    const world = new World();
    for (const port of [1, 2]) world.listen(port, () => null);
    world.check({ a: { check: CHECK, ...address(1) }, b: { check: CHECK, ...address(2) } });
    world.network.advance(6500);
    const [first, second] = [world.visits.get(1)!, world.visits.get(2)!];
    assert.ok(second[0]! - first[0]! >= 240, `second server is checked later: ${first[0]} ${second[0]}`);
    for (const visits of [first, second]) {
      for (let i = 2; i < visits.length; i++)
        assert.ok(Math.abs(visits[i]! - visits[i - 1]! - 2000) <= 50, visits.join(" "));
    }
  });

  test("max-spread-checks brings the first checks together", () => {
    const world = new World();
    for (const port of [1, 2]) world.listen(port, () => null);
    const facts = { a: { check: CHECK, ...address(1) }, b: { check: CHECK, ...address(2) } };
    const checks = new HealthChecks(world.engine, [makeBackend(facts)], {
      spreadChecksPercent: 0,
      spreadMsMax: 100,
      nodeName: "n",
      emit() {},
    });
    checks.start(null);
    world.network.advance(1000);
    const [first, second] = [world.visits.get(1)!, world.visits.get(2)!];
    const apart = second[0]! - first[0]!;
    assert.ok(apart > 0 && apart <= 100, `${apart} ms`);
  });

  test("downinter applies to a server that is down, fastinter while it comes back", () => {
    const world = new World();
    const { backend } = world.check({ a: { check: CHECK, ...address(1) } });
    world.network.advance(4000);
    assert.equal(status(backend, "a"), "L4CON down");
    world.listen(1, () => null);
    world.network.advance(8000);
    const visits = world.visits.get(1)!;
    assert.equal(status(backend, "a"), "L4OK up");
    assert.ok(
      visits[1]! - visits[0]! < 1000,
      `fastinter between the first two successes: ${visits.join(" ")}`,
    );
  });

  test("spread-checks varies intervals by no more than its percentage", () => {
    const world = new World();
    world.listen(1, () => null);
    const backend = makeBackend({ a: { check: { ...CHECK, fall: 1, rise: 1 }, ...address(1) } });
    new HealthChecks(world.engine, [backend], { spreadChecksPercent: 50, nodeName: "n", emit() {} }).start(
      null,
    );
    world.network.advance(40_000);
    const visits = world.visits.get(1)!;
    const gaps = visits.slice(1).map((visit, i) => visit - visits[i]!);
    assert.ok(
      gaps.every((gap) => gap >= 990 && gap <= 3060),
      gaps.join(" "),
    );
    assert.ok(Math.max(...gaps) - Math.min(...gaps) > 500, gaps.join(" "));
  });

  test("maintenance and a runtime command stop checks", () => {
    const world = new World();
    world.listen(1, () => null);
    const { backend, checks } = world.check({ a: { check: CHECK, ...address(1) } });
    const server = backend.servers[0]!;
    world.network.advance(100);
    checks.stateOf(server)!.setMaintenance(0);
    world.network.advance(10_000);
    assert.equal(world.visits.get(1)!.length, 1);
    checks.stateOf(server)!.setReady(0);
    world.network.advance(2500);
    assert.equal(world.visits.get(1)!.length > 1, true);
    const before = world.visits.get(1)!.length;
    assert.equal(checks.setEnabled(server, "health", false), true);
    assert.equal(checks.setEnabled(server, "agent", false), false);
    world.network.advance(10_000);
    assert.equal(world.visits.get(1)!.length, before);
  });

  test("observed errors bring the next check forward", () => {
    const world = new World();
    world.listen(1, () => null);
    const { backend, checks } = world.check({
      a: {
        check: { ...CHECK, interMs: 60_000 },
        ...address(1),
        observe: { layer: 4, errorLimit: 1, onError: "fastinter" },
      },
    });
    world.network.advance(61_000);
    const before = world.visits.get(1)!.length;
    checks.observe(backend.servers[0]!, "not-connected");
    world.network.advance(600);
    assert.equal(world.visits.get(1)!.length, before + 1);
  });
});

describe("timeouts", () => {
  test("a silent host fails the connection after the interval", () => {
    const world = new World();
    world.network.setHost("10.0.0.1", "silent");
    const { backend } = world.check({ a: { check: { ...CHECK, fall: 1 }, ...address(1) } });
    world.network.advance(2100);
    assert.equal(status(backend, "a"), "L4TOUT down");
    assert.match(world.log()[0]!, /Server be\/a is DOWN, reason: Layer4 timeout, check duration: 20\d\dms\./);
  });

  test("timeout check limits the answer, and timeout connect the connection", () => {
    const world = new World();
    world.listen(1, () => null);
    const proxy = { timeouts: { connectMs: 300, checkMs: 700 } } as never;
    const settings = { check: { kind: "redis" } } as const;
    const { backend } = world.check(
      { a: { check: { ...CHECK, fall: 1 }, ...address(1) } },
      { proxy, settings },
    );
    world.network.advance(650);
    assert.equal(status(backend, "a"), "INI up");
    world.network.advance(150);
    assert.equal(status(backend, "a"), "L7TOUT down");
    world.network.setHost("10.0.0.1", "silent");
    world.network.advance(5000 + 350);
    assert.equal(status(backend, "a"), "L4TOUT down");
  });
});

test("disable-on-404 stops a server that is up, and counts as failure once it is down", () => {
  const world = new World();
  let answer = "HTTP/1.0 404 Not Found\r\n\r\n";
  world.listen(1, () => answer);
  const check = { kind: "http", rules: [{ kind: "disable-on-404" }] } as const;
  const { backend } = world.check(
    { a: { check: { ...CHECK, fall: 1 }, ...address(1) } },
    { settings: { check } },
  );
  world.network.advance(100);
  assert.equal(status(backend, "a"), "L7OKC stopping");
  assert.equal(world.received[0], "OPTIONS / HTTP/1.0\r\n\r\n");
  answer = "HTTP/1.0 500 No\r\n\r\n";
  world.network.advance(2100);
  assert.equal(status(backend, "a"), "L7STS down");
  answer = "HTTP/1.0 404 Not Found\r\n\r\n";
  world.network.advance(5100);
  assert.equal(status(backend, "a"), "L7STS down");
});

test("send-state tells the server how it stands", () => {
  const world = new World();
  world.listen(1, () => "HTTP/1.0 200 OK\r\n\r\n");
  const check = { kind: "http", rules: [{ kind: "send-state" }] } as const;
  world.check({ a: { check: CHECK, ...address(1) } }, { settings: { check } });
  world.network.advance(2600);
  const states = world.received.map((text) => /x-haproxy-server-state: (.*)\r/.exec(text)?.[1]);
  assert.equal(
    states[0],
    "UP 1/2; address=10.0.0.1; port=1; name=be/a; node=n; weight=1/1; scur=0/0; qcur=0",
  );
  assert.match(states[1]!, /^UP; /);
});

test("an agent is asked and obeyed", () => {
  const world = new World();
  let answer = "up 50%\n";
  world.listen(9999, () => answer);
  const { backend, checks } = world.check({ a: { agent: AGENT, weight: 10, ...address(1) } });
  world.network.advance(100);
  const server = backend.servers[0]!;
  assert.equal(world.received[0], "hello\n");
  assert.equal(backend.state.read(server.slot, CELL.weight), 5);
  answer = "maint\n";
  world.network.advance(1100);
  assert.equal(server.isUsable, false);
  answer = "no end of line";
  world.network.advance(1100);
  assert.equal(server.isUsable, false);
  answer = "ready\n";
  world.network.advance(2200);
  assert.equal(server.isBalanced, true);
  assert.equal(checks.stateOf(server)!.agent!.isUp, true);
});

test("slow start goes on by itself until the weight is full", () => {
  const world = new World();
  const { backend } = world.check({
    a: { check: { ...CHECK, rise: 1, fall: 1 }, slowstartMs: 10_000, weight: 100, ...address(1) },
  });
  world.network.advance(500);
  world.listen(1, () => null);
  world.network.advance(5000);
  const { slot } = backend.servers[0]!;
  const weights: number[] = [];
  for (let i = 0; i < 12; i++) {
    weights.push(backend.state.read(slot, CELL.effectiveWeight));
    world.network.advance(1000);
  }
  assert.equal(weights[0], 100);
  assert.equal(weights.at(-1), 1600);
  assert.deepEqual(
    weights,
    weights.toSorted((a, b) => a - b),
  );
  assert.equal(status(backend, "a"), "L4OK up");
});

test("a reload takes over states and rhythm, and stops the checks before it", () => {
  const world = new World();
  world.listen(2, () => null);
  const servers = { a: { check: CHECK, ...address(1) }, b: { check: CHECK, ...address(2) } };
  const first = world.check(servers);
  world.network.advance(3000);
  assert.equal(status(first.backend, "a"), "L4CON down");
  const before = world.visits.get(2)!.length;
  world.log();
  const backend = makeBackend(servers, { state: first.backend.state });
  // The fixture writes the cells of a fresh server: put back what a reload finds.
  backend.state.write(backend.servers[0]!.slot, CELL.operational, SERVER_STATE.down);
  const checks = new HealthChecks(world.engine, [backend], {
    spreadChecksPercent: 0,
    nodeName: "n",
    emit: (event) => world.events.push(event),
  });
  checks.start(first.checks);
  world.network.advance(1900);
  assert.equal(world.visits.get(2)!.length - before <= 2, true, "one generation checks");
  assert.equal(status(backend, "a"), "L4CON down");
  assert.deepEqual(world.log(), []);
  checks.stop();
  world.network.advance(9000);
  assert.deepEqual(
    world.network.leaks().filter((leak) => /timer|chunk/i.test(leak)),
    [],
  );
});

test("a mail server that hangs up instead of answering to QUIT is up, by what it said before", () => {
  const world = new World();
  const lines = ["220 mail\r\n", "250 at your service\r\n"];
  world.listen(1, () => lines.shift() ?? null, true, true);
  const check = { kind: "smtp", hello: "HELO", domain: "here" } as const;
  const servers = { a: { check: { ...CHECK, rise: 1 }, ...address(1) } };
  const { backend } = world.check(servers, { settings: { check } });
  world.network.advance(1000);
  assert.equal(status(backend, "a"), "L7OK up");
  assert.equal(backend.state.read(backend.servers[0]!.slot, CELL.checkCode), 250);
});
