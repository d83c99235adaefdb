import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "../base/timer-wheel.ts";
import type { Stream } from "../proxy/stream.ts";
import type { Engine } from "../transport/contract.ts";
import type { FromWorker } from "./messages.ts";
import { RequestReporter } from "./request-reporter.ts";

type Told = Extract<FromWorker, { kind: "requests" }>;

/** As much of an engine as a reporter needs: timers that are told the time. */
function makeReporter(): { reporter: RequestReporter; told: Told[]; advanceTo(nowMs: number): void } {
  const timers = new TimerWheel(0);
  const engine = { timers, nowMs: 0 };
  const told: Told[] = [];
  const reporter = new RequestReporter(engine as unknown as Engine, 2, (message) =>
    told.push(message as Told),
  );
  const advanceTo = (nowMs: number) => {
    engine.nowMs = nowMs;
    timers.advance(nowMs);
  };
  return { reporter, told, advanceTo };
}

const HEADERS: [string, string][] = [
  ["host", "company.com"],
  ["authorization", "Basic aHVudGVyMg=="],
  ["x-api-key", "hunter2"],
  ["cookie", "SERVERID=A; session=hunter2; bare"],
  ["x-long", "x".repeat(2000)],
];

/** A stream that has ended, as far as a reporter looks. */
function makeStream(more: Record<string, unknown> = {}): Stream {
  const log = {};
  const frontend = { name: "web", log, definition: { mode: "http", options: {} } };
  const session = {
    source: { host: "198.51.100.7", port: 4000 },
    destination: { host: "10.0.0.1", port: 80 },
    tls: null,
  };
  return {
    session,
    frontend,
    runtime: { frontends: [frontend] },
    backend: { name: "app", settings: { cookie: { name: "SERVERID" } } },
    server: { name: "a", isBalanced: true },
    request: { method: "GET", target: "/", receivedHeaders: () => HEADERS },
    originalMethod: null,
    originalTarget: null,
    serviceName: null,
    logLevel: null,
    startMs: 5,
    endMs: 25,
    startDateMs: 1000,
    status: 200,
    cause: "-",
    phase: "-",
    cookieRequest: "V",
    cookieResponse: "N",
    retries: 0,
    isRedispatched: false,
    bytesIn: 1,
    bytesOut: 2,
    ...more,
  } as unknown as Stream;
}

test("what has ended within a tenth of a second is told at its end, and credentials are not", () => {
  const { reporter, told, advanceTo } = makeReporter();
  reporter.note(makeStream());
  assert.equal(told.length, 0);
  advanceTo(150);
  const [message] = told;
  assert.deepEqual([message!.endedCount, message!.requests.length], [1, 1]);
  const { http, termination, totalMs, isPersistent } = message!.requests[0]!;
  assert.deepEqual([termination, totalMs, isPersistent], ["--VN", 20, true]);
  assert.doesNotMatch(JSON.stringify(http), /hunter2|aHVudGVyMg/);
  const headers = Object.fromEntries(http!.headers);
  assert.equal(headers["cookie"], "SERVERID=A; session=…; bare=…");
  assert.equal(headers["x-long"]!.length, 512);
});

test("of many only some are told, the failed ones apart, and the rest is counted", () => {
  const { reporter, told, advanceTo } = makeReporter();
  for (let i = 0; i < 1000; i++) reporter.note(makeStream());
  for (let i = 0; i < 5; i++) reporter.note(makeStream({ status: 503, cause: "S", phase: "C" }));
  advanceTo(150);
  assert.equal(told[0]!.endedCount, 1005);
  assert.deepEqual(
    [told[0]!.requests.length, told[0]!.requests.filter(({ isFailed }) => isFailed).length],
    [30, 5],
  );
});

test("under load as many are told of a longer time, and of a short one again once it is over", () => {
  const { reporter, told, advanceTo } = makeReporter();
  const noteMany = (count: number) => {
    for (let i = 0; i < count; i++) reporter.note(makeStream());
  };
  const counts = () => told.map(({ endedCount, requests }) => [endedCount, requests.length]);
  noteMany(400);
  advanceTo(150);
  noteMany(400);
  advanceTo(300);
  assert.deepEqual(counts(), [[400, 25]], "half a second has not passed");
  advanceTo(700);
  noteMany(40);
  advanceTo(850);
  assert.deepEqual(counts().slice(1), [
    [400, 25],
    [40, 25],
  ]);
});

test("who still comes to a server that is to lose its visitors is told of, whatever else there is", () => {
  const { reporter, told, advanceTo } = makeReporter();
  const server = { name: "leaving", isBalanced: false };
  for (let i = 0; i < 1000; i++) reporter.note(makeStream());
  reporter.note(makeStream({ server }));
  // Without its cookie it was no visitor of this server.
  for (let i = 0; i < 10; i++) reporter.note(makeStream({ server, cookieRequest: "N" }));
  advanceTo(150);
  const servers = told[0]!.requests.map((one) => one.server);
  assert.equal(servers.filter((name) => name === "leaving").length, 1);
});

test("what is not logged is not told, unless nothing at all is logged", () => {
  const { reporter, told, advanceTo } = makeReporter();
  const quiet = { name: "stats", log: null, definition: { mode: "http", options: {} } };
  reporter.note(makeStream({ frontend: quiet, runtime: { frontends: [quiet, { log: {} }] } }));
  reporter.note(makeStream({ logLevel: "silent" }));
  advanceTo(150);
  assert.equal(told.length, 0);
  reporter.note(makeStream({ frontend: quiet, runtime: { frontends: [quiet] } }));
  advanceTo(300);
  assert.equal(told[0]!.requests[0]!.frontend, "stats");
});

test("a request that never came whole has no head", () => {
  const { reporter, told, advanceTo } = makeReporter();
  reporter.note(makeStream({ request: null, status: 400, cause: "P", phase: "R" }));
  advanceTo(150);
  assert.equal(told[0]!.requests[0]!.http, null);
});
