// The statistics page over HTTP: who may see it, in which forms, and what its form does; beside HAProxy where
// it answers.
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  request,
  startHaproxy,
} from "../../proxy/balance/haproxy.fixture.ts";
import type { Reply } from "../../proxy/exchange/replies.ts";
import { readPrometheusText } from "../../proxy/stats/prometheus-text.fixture.ts";
import { StatisticsService } from "../../proxy/stats/service.ts";
import { Stream } from "../../proxy/stream.ts";
import { makeRuntime } from "./runtime.fixture.ts";

const CONFIGURATION = `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend open
  bind unix@DIRECTORY/open.sock
  stats enable
  stats uri /stats
  stats refresh 5s
  stats admin if { hdr(x-admin) yes }
frontend closed
  bind unix@DIRECTORY/closed.sock
  stats enable
  stats hide-version
  stats scope be
  stats auth joe:secret
frontend ruled
  bind unix@DIRECTORY/ruled.sock
  stats enable
  stats uri /s
  stats http-request deny if { hdr(x-bad) -m found }
backend be
  server s1 127.0.0.1:1
  server s2 127.0.0.1:2 disabled
`;

interface Asked {
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

function makePage(): {
  ask(frontend: string, target: string, asked?: Asked): Reply | null;
  needsBody(frontend: string, target: string, asked?: Asked): boolean;
  metrics(target: string, method?: string): Reply;
  commands: string[];
} {
  const { runtime, environment } = makeRuntime(
    CONFIGURATION.replaceAll("DIRECTORY", "/nowhere"),
    1_800_000_000_000,
  );
  const service = new StatisticsService(environment);
  const commands: string[] = [];
  const streamOf = (frontend: string, target: string, { method = "GET", headers = [], body }: Asked) => {
    // The service reads no more of a session than its frontend.
    const session = {
      frontend: runtime.frontendsByName.get(frontend)!,
      destination: null,
    } as unknown as Stream["session"];
    const stream = new Stream(session, runtime);
    stream.request = new MessageHead();
    stream.request.startRequest(method, target);
    for (const [name, value] of headers) stream.request.addHeader(name, value);
    if (body !== undefined) stream.body = Buffer.from(body);
    return stream;
  };
  return {
    commands,
    ask: (frontend, target, asked = {}) =>
      service.serveStatistics(streamOf(frontend, target, asked), (command) => commands.push(command)),
    needsBody: (frontend, target, asked = {}) => service.needsBody(streamOf(frontend, target, asked)),
    metrics: (target, method = "GET") => service.serveMetrics(streamOf("open", target, { method })),
  };
}

const ADMIN = [["x-admin", "yes"]] as const;
const bodyOf = (reply: Reply | null): string => Buffer.from(reply!.body).toString();

test("only the page's address and its methods are answered", () => {
  const { ask } = makePage();
  assert.equal(ask("open", "/other"), null);
  assert.equal(ask("open", "/stats", { method: "PUT" }), null);
  assert.equal(ask("open", "/stats", { method: "HEAD" })?.status, 200);
  assert.equal(ask("open", "http://example.com/stats")?.status, 200);
});

test("each form has its type", () => {
  const { ask } = makePage();
  const typeOf = (target: string) => /content-type: (.*)\r/.exec(ask("open", target)!.head)![1];
  assert.equal(typeOf("/stats"), "text/html; charset=utf-8");
  assert.equal(typeOf("/stats;csv"), "text/plain");
  assert.equal(typeOf("/stats;csv;norefresh"), "text/plain");
  assert.equal(typeOf("/stats;json"), "application/json");
  assert.equal(typeOf("/stats;metrics"), "text/plain; version=0.0.4");
  assert.ok(JSON.parse(bodyOf(ask("open", "/stats;plain"))).proxies.length >= 3);
});

test("the page refreshes itself unless it is told not to", () => {
  const { ask } = makePage();
  assert.match(ask("open", "/stats")!.head, /^refresh: 5\r$/m);
  assert.doesNotMatch(ask("open", "/stats;norefresh")!.head, /^refresh:/m);
});

test("a page with users asks for a password and takes only the right one", () => {
  const { ask } = makePage();
  const login = (text: string) => ({
    headers: [["authorization", `Basic ${Buffer.from(text).toString("base64")}`]] as const,
  });
  assert.match(
    ask("closed", "/haproxy?stats")!.head,
    /^HTTP\/1\.1 401 [\s\S]*www-authenticate: Basic realm="HAProxy Statistics"\r/,
  );
  assert.equal(ask("closed", "/haproxy?stats", login("joe:wrong"))!.status, 401);
  assert.equal(ask("closed", "/haproxy?stats", login("joe:secret"))!.status, 200);
});

test("a scope hides other proxies", () => {
  const { ask } = makePage();
  const headers = [["authorization", `Basic ${Buffer.from("joe:secret").toString("base64")}`]] as const;
  const names = bodyOf(ask("closed", "/haproxy?stats;csv", { headers }))
    .trimEnd()
    .split("\n")
    .slice(1);
  assert.deepEqual(
    names.map((line) => line.split(",")[0]),
    ["be", "be", "be"],
  );
});

test("rules of the page decide before it is shown", () => {
  const { ask } = makePage();
  assert.equal(ask("ruled", "/s", { headers: [["x-bad", "1"]] })!.status, 403);
  assert.equal(ask("ruled", "/s")!.status, 200);
});

test("only an administrator gets the form", () => {
  const { ask } = makePage();
  assert.ok(!bodyOf(ask("open", "/stats")).includes("<form"));
  assert.ok(
    bodyOf(ask("open", "/stats", { headers: ADMIN })).includes('<form method="post" action="/stats">'),
  );
});

test("the form needs its body only where it may be used", () => {
  const { needsBody } = makePage();
  assert.equal(needsBody("open", "/stats", { method: "POST", headers: ADMIN }), true);
  assert.equal(needsBody("open", "/stats", { method: "POST" }), false);
  assert.equal(needsBody("open", "/stats", { headers: ADMIN }), false);
  assert.equal(needsBody("open", "/stats", { method: "POST", headers: ADMIN, body: "" }), false);
  assert.equal(needsBody("open", "/other", { method: "POST", headers: ADMIN }), false);
});

test("the form gives commands for the chosen servers, whatever the order of its fields", () => {
  const { ask, commands } = makePage();
  const post = (body: string, headers: readonly (readonly [string, string])[] = ADMIN) => {
    const reply = ask("open", "/stats;norefresh", { method: "POST", headers, body })!;
    assert.equal(reply.status, 303);
    return /location: (.*)\r/.exec(reply.head)![1];
  };
  assert.equal(post("s=s1&s=s2&action=drain&b=%234"), "/stats;st=DONE;norefresh");
  assert.equal(post("b=be&action=maint&s=s1&s=zz"), "/stats;st=PART;norefresh");
  assert.equal(post("b=be&action=ehlth&s=s1"), "/stats;st=NONE;norefresh");
  assert.equal(post("b=be&action=explode&s=s1"), "/stats;st=ERRP;norefresh");
  assert.equal(post("b=zz&action=drain&s=s1"), "/stats;st=ERRP;norefresh");
  assert.equal(post("b=be&action=drain&s=s1", []), "/stats;st=DENY;norefresh");
  assert.equal(
    post("b=be&action=drain&s=s1", [...ADMIN, ["sec-fetch-site", "cross-site"]]),
    "/stats;st=DENY;norefresh",
  );
  assert.deepEqual(commands, [
    "set server be/s1 state drain",
    "set server be/s2 state drain",
    "set server be/s1 state maint",
  ]);
});

test("the exporter takes scopes and leaves maintenance out, and refuses what it does not know", () => {
  const { metrics } = makePage();
  const names = (target: string) => [...readPrometheusText(bodyOf(metrics(target))).keys()];
  assert.ok(
    names("/metrics?scope=server&scope=global").every((name) => /^haproxy_(server|process)_/.test(name)),
  );
  assert.ok(!bodyOf(metrics("/metrics?no-maint")).includes('server="s2"'));
  assert.equal(metrics("/metrics?scope=everything").status, 400);
  assert.equal(metrics("/metrics", "POST").status, 405);
});

describe("the page beside HAProxy", { skip: !HAS_HAPROXY }, () => {
  test("statuses and redirections are the same", async () => {
    const directory = makeDirectory();
    const haproxy = await startHaproxy(directory, CONFIGURATION, ["open.sock", "closed.sock", "ruled.sock"]);
    const { ask } = makePage();
    const cases: readonly (readonly [string, string, Asked])[] = [
      ["open", "/stats", {}],
      ["open", "/stats;csv", {}],
      ["closed", "/haproxy?stats", {}],
      ["ruled", "/s", { headers: [["x-bad", "1"]] }],
      ["open", "/stats", { method: "POST", headers: ADMIN, body: "s=s1&action=drain&b=%234" }],
      ["open", "/stats", { method: "POST", headers: ADMIN, body: "s=s1&action=drain&b=nope" }],
      ["open", "/stats", { method: "POST", headers: ADMIN, body: "action=drain&b=be" }],
      ["open", "/stats;up", { method: "POST", headers: [], body: "s=s1&action=drain&b=be" }],
    ];
    try {
      for (const [frontend, target, asked] of cases) {
        const theirs = await send(path.join(directory, `${frontend}.sock`), target, asked);
        const ours = ask(frontend, target, asked)!;
        assert.equal(ours.status, theirs.status, target);
        assert.equal(/location: (.*)\r/.exec(ours.head)?.[1] ?? "", theirs.location, target);
      }
    } finally {
      await haproxy.dispose();
      removeDirectory(directory);
    }
  });
});

async function send(
  socketPath: string,
  target: string,
  asked: Asked,
): Promise<{ status: number; location: string }> {
  const { method = "GET", headers = [], body } = asked;
  const framing = body === undefined ? [] : ([["content-length", `${body.length}`]] as const);
  if (body === undefined) return locate(await request(socketPath, { method, path: target, headers }));
  return locate(await requestWithBody(socketPath, target, [...headers, ...framing], body));
}

function locate({ status, rawHeaders }: { status: number; rawHeaders: readonly string[] }): {
  status: number;
  location: string;
} {
  const index = rawHeaders.findIndex((name) => name.toLowerCase() === "location");
  return { status, location: index < 0 ? "" : rawHeaders[index + 1]! };
}

async function requestWithBody(
  socketPath: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body: string,
): Promise<{ status: number; rawHeaders: readonly string[] }> {
  const { request: open } = await import("node:http");
  return new Promise((resolve, reject) => {
    const outgoing = open(
      { socketPath, method: "POST", path: target, headers: Object.fromEntries(headers), agent: false },
      (incoming) => {
        incoming.resume();
        incoming.on("end", () => resolve({ status: incoming.statusCode!, rawHeaders: incoming.rawHeaders }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
