// Our statistics beside those of a real HAProxy 2.6 with the same configuration: header, rows, states,
// metrics.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import {
  HAS_HAPROXY,
  type Haproxy,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../proxy/balance/haproxy.fixture.ts";
import { COLUMNS } from "../../proxy/stats/columns.ts";
import { formatCsv } from "../../proxy/stats/csv.ts";
import { formatJson } from "../../proxy/stats/json.ts";
import { readPrometheusText } from "../../proxy/stats/prometheus-text.fixture.ts";
import { collectRows } from "../../proxy/stats/rows.ts";
import { StatisticsService } from "../../proxy/stats/service.ts";
import type { StatisticsView } from "../../proxy/stats/statistics-view.ts";
import { formatTyped } from "../../proxy/stats/typed.ts";
import { Stream } from "../../proxy/stream.ts";
import { makeRuntime, type TestRuntime } from "./runtime.fixture.ts";

const CONFIGURATION = `
global
  stats socket DIRECTORY/admin.sock level admin mode 600
  maxconn 100
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend fe
  bind unix@DIRECTORY/fe.sock name one
  bind unix@DIRECTORY/fe2.sock
  option socket-stats
  http-request use-service prometheus-exporter if { path /metrics }
  rate-limit sessions 100
  default_backend be
backend be
  balance leastconn
  cookie SRV insert
  server s1 127.0.0.1:1 cookie a weight 10 maxconn 5 maxqueue 7
  server s2 127.0.0.1:2 cookie b backup
  server s3 127.0.0.1:3 disabled
  server s4 127.0.0.1:4 track tcp/t1
  server s5 ::1:5 weight 0 pool-max-conn 4
listen tcp
  mode tcp
  bind unix@DIRECTORY/tcp.sock
  server t1 unix@DIRECTORY/none.sock check inter 1h rise 2 fall 4
backend empty
`;

/** Columns that depend on the moment, on HAProxy's memory, or are free for anybody. */
const CHANGING = new Set(["lastchg", "downtime", "check_duration", "last_chk", "need_conn_est"]);
const EXTRA = COLUMNS.map(({ name }) => name).filter((name) => /^h[12]_/.test(name));

describe("statistics beside HAProxy", { skip: !HAS_HAPROXY }, () => {
  const directory = makeDirectory();
  let haproxy: Haproxy;
  let own: TestRuntime;
  let view: StatisticsView;

  before(async () => {
    haproxy = await startHaproxy(directory, CONFIGURATION, ["admin.sock"]);
    // The one check fails at once; its result is in HAProxy's table when it says so.
    while (!(await ask("show stat")).includes("tcp,t1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN"))
      await new Promise(setImmediate);
    const nowMs = 1_800_000_000_000;
    own = makeRuntime(CONFIGURATION.replaceAll("DIRECTORY", directory), nowMs);
    const failure = { status: "SOCKERR", code: 0, description: "", durationMs: 0 } as const;
    for (const state of own.states.values())
      if (state.check !== null) state.receiveCheck(failure, nowMs / 1000);
    view = { runtime: own.runtime, nowMs, maxconn: 100, hasLegends: true, checks: null };
  });
  after(async () => {
    await haproxy.dispose();
    removeDirectory(directory);
  });

  function ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(path.join(directory, "admin.sock"), () => socket.end(`${command}\n`));
      let answer = "";
      socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
      socket.on("end", () => resolve(answer)).on("error", reject);
    });
  }

  test("the CSV has the same header and, for the same facts, the same rows", async () => {
    const theirs = (await ask("show stat")).trimEnd().split("\n");
    const ours = formatCsv(collectRows(view)).trimEnd().split("\n");
    assert.equal(ours[0], theirs[0]);
    assert.equal(ours.length, theirs.length);
    const names = ours[0]!.slice(2).split(",");
    for (const [index, line] of ours.entries()) {
      const skipped = (name: string) => CHANGING.has(name) || EXTRA.includes(name);
      const pick = (text: string) =>
        text.split(",").map((field, i) => (skipped(names[i]!) ? "" : `${names[i]}=${field}`));
      assert.deepEqual(pick(line), pick(theirs[index]!));
    }
  });

  test("the typed format has the same fields with the same tags", async () => {
    const theirs = new Map((await ask("show stat typed")).split("\n").map(splitTyped));
    const fields = formatTyped(collectRows(view)).trimEnd().split("\n").map(splitTyped);
    assert.ok(fields.length > 500);
    for (const [key, tags] of fields) assert.equal(tags, theirs.get(key), key);
  });

  test("the JSON has the same shape", async () => {
    const theirs = JSON.parse(await ask("show stat json"));
    const ours = JSON.parse(formatJson(collectRows(view)));
    assert.equal(ours.length, theirs.length);
    assert.deepEqual(ours[0][0], theirs[0][0]);
    const server = (rows: { field: { name: string } }[][]) =>
      rows[4]!.find(({ field }) => field.name === "slim" || field.name === "weight");
    assert.deepEqual(server(ours), server(theirs));
  });

  test("the exporter has the same metrics, with the same types, labels and order", async () => {
    const theirs = readPrometheusText(await fetchMetrics(path.join(directory, "fe.sock")));
    const stream = new Stream(
      { frontend: own.runtime.frontendsByName.get("fe")!, destination: null } as unknown as Stream["session"],
      own.runtime,
    );
    stream.request = new MessageHead();
    stream.request.startRequest("GET", "/metrics");
    const reply = new StatisticsService(own.environment).serveMetrics(stream);
    const ours = readPrometheusText(Buffer.from(reply.body).toString());
    assert.deepEqual([...ours.keys()], [...theirs.keys()]);
    for (const [name, family] of ours) {
      assert.equal(family.type, theirs.get(name)!.type, name);
      if (name === "haproxy_process_build_info") continue;
      assert.deepEqual([...family.samples.keys()], [...theirs.get(name)!.samples.keys()], name);
    }
    for (const name of [
      "haproxy_server_status",
      "haproxy_backend_status",
      "haproxy_server_weight",
      "haproxy_backend_agg_server_status",
      "haproxy_server_queue_limit",
    ]) {
      assert.deepEqual([...ours.get(name)!.samples], [...theirs.get(name)!.samples], name);
    }
  });
});

/** "S.3.1.36.check_status.1:MOP:str:L4CON" as its place and its tags and type. */
function splitTyped(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [
    line.slice(0, colon),
    line
      .slice(colon + 1)
      .split(":")
      .slice(0, 2)
      .join(":"),
  ];
}

function fetchMetrics(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      { socketPath, path: "/metrics", headers: { connection: "close" } },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () => resolve(body)).on("error", reject);
      },
    );
    request.on("error", reject);
  });
}
