import assert from "node:assert/strict";
import { test } from "node:test";
import { stageOf } from "../../../test/proxy-stage.ts";
import type { RequestPhaseName, RequestTrace } from "../../model/request-trace.ts";
import { explainRequest } from "./explain-request.ts";
import { type ExplainFacts, OK_RESPONSE, type QuestionRequest, type RequestQuestion } from "./question.ts";

const TEXT = `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend www
  bind *:80
  bind *:443 ssl crt a.pem crt b.pem
  acl inside src 10.0.0.0/8
  http-request deny if { path_beg /admin } !inside
  http-request return status 200 content-type text/plain string hi if { path /hi }
  http-request auth realm Shop if { path /auth }
  http-request set-header X-Proto https if { ssl_fc }
  http-request tarpit if { path /tar }
  http-request silent-drop if { path /drop }
  use_backend hashed if { path_beg /hash }
  use_backend nobody if { path /nobody }
  default_backend app
backend app
  option forwardfor
  http-request redirect location /new if { path /old }
  http-response deny if { status 418 }
  cookie S insert indirect nocache
  server a 10.1.0.1:8080 cookie A
  server b 10.1.0.2:8080 cookie B
  server c 10.1.0.3:8080 cookie C backup
backend hashed
  balance hdr(X-Key)
  hash-type consistent
  server h1 10.2.0.1:443 ssl verify none sni req.hdr(host) send-proxy
  server h2 10.2.0.2:443 ssl verify none sni req.hdr(host) send-proxy
backend nobody
frontend raw
  mode tcp
  bind 10.0.0.9:8443
  bind :8443
  tcp-request inspect-delay 5s
  tcp-request content reject if { req.ssl_sni -i bad.example }
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend passed if { req.ssl_sni -m end .example }
backend passed
  mode tcp
  server p 10.3.0.1:443
`;

const stage = stageOf(TEXT, { files: { "a.pem": "", "b.pem": "" } });
const { configuration } = stage.runtime;

function ask(
  target: string,
  request: Partial<QuestionRequest> = {},
  more: Partial<RequestQuestion> = {},
): RequestTrace {
  const trace = explainRequest(
    configuration,
    {
      from: { family: 4, host: "198.51.100.7", port: 50_000 },
      to: { host: null, port: 80 },
      tls: null,
      request: { method: "GET", target, headers: [["Host", "shop.example"]], bodyBytes: 0, ...request },
      response: OK_RESPONSE,
      down: [],
      ...more,
    },
    {
      nowMs: Date.UTC(2026, 10, 28),
      hostname: "machine",
      pid: 1,
      processVariables: {},
      certificateNames: new Map([
        ["a.pem", [["a.example"]]],
        ["b.pem", [["*.b.example"]]],
      ]),
    },
  );
  assert.ok(!("kind" in trace), "unclear");
  return trace;
}

function linesOf(trace: RequestTrace, name: RequestPhaseName): string[] {
  const steps = trace.phases.find((phase) => phase.name === name)?.steps ?? [];
  return steps.map(({ text, span, outcome }) => `${span?.line ?? "-"} ${outcome} ${text}`);
}

test("a plain request goes to the server whose turn it is, and gets its cookie", () => {
  const trace = ask("/");
  assert.deepEqual([trace.disposition, trace.backend, trace.server?.name], ["forwarded", "app", "a"]);
  assert.deepEqual([trace.server?.host, trace.server?.port], ["10.1.0.1", 8080]);
  assert.equal(trace.log?.flags, "--NI");
  const cookie = trace.responseHead?.find(({ text }) => text.startsWith("set-cookie"));
  assert.deepEqual(
    [cookie?.text, cookie?.change, cookie?.span?.line],
    ["set-cookie: S=A; path=/", "added", 23],
  );
  const forwarded = trace.requestHead?.find(({ text }) => text.startsWith("x-forwarded-for"));
  assert.deepEqual([forwarded?.by, forwarded?.span?.line], ["option forwardfor", 20]);
  assert.deepEqual(linesOf(trace, "backend choice").at(-1), "18 noted default_backend app");
});

test("the cookie leads to its server, and is not shown to it", () => {
  const trace = ask("/", {
    headers: [
      ["Host", "x"],
      ["Cookie", "S=B"],
    ],
  });
  assert.equal(trace.server?.name, "b");
  assert.equal(trace.server?.isPersistent, true);
  assert.deepEqual(linesOf(trace, "persistence"), ["23 noted S=B names b, which is up"]);
  const cookie = trace.requestHead?.find(({ text }) => /^cookie/i.test(text));
  assert.deepEqual([cookie?.change, cookie?.span?.line], ["removed", 23]);
});

test("the cookie of a server that is down leads elsewhere; with all down the backup serves", () => {
  const cookie = {
    headers: [
      ["Host", "x"],
      ["Cookie", "S=B"],
    ] as const,
  };
  const moved = ask("/", cookie, { down: ["b"] });
  assert.deepEqual([moved.server?.name, moved.log?.flags], ["a", "--DI"]);
  const backup = ask("/", cookie, { down: ["app/a", "app/b"] });
  assert.equal(backup.server?.name, "c");
  assert.match(linesOf(backup, "server choice").join("\n"), /the backup, since no other takes requests/);
});

test("a server that is not there makes the question unclear", () => {
  const question = { from: { family: 4, host: "1.1.1.1", port: 1 }, to: { host: null, port: 80 } } as const;
  const facts = { nowMs: 0, hostname: "", pid: 1, processVariables: {}, certificateNames: new Map() };
  const asked = { ...question, tls: null, request: null, response: OK_RESPONSE, down: ["app/d"] };
  const answer = explainRequest(configuration, asked, facts);
  assert.ok("kind" in answer);
  assert.match(answer.message, /^there is no server app\/d\. Did you mean/);
});

test("each test of a condition tells what it read and with what it was compared", () => {
  const trace = ask("/admin/x");
  assert.deepEqual([trace.disposition, trace.span?.line, trace.log?.flags], ["denied", 10, "PR--"]);
  const rule = trace.phases.find(({ name }) => name === "frontend rules")!.steps[0]!;
  assert.deepEqual(
    rule.tests.map(({ acl, sample, values, method, patterns, matched }) => [
      acl,
      sample,
      values,
      method,
      patterns,
      matched,
    ]),
    [
      ["", "path_beg", ["/admin/x"], "beg", ["/admin"], true],
      ["inside", "src", ["198.51.100.7"], "ip", ["10.0.0.0/8"], false],
    ],
  );
  assert.deepEqual(rule.effects, ["answers 403"]);
});

for (const [target, disposition, flags, line] of [
  ["/hi", "answered", "LR--", 11],
  ["/auth", "answered", "LR--", 12],
  ["/tar", "denied", "PT--", 14],
  ["/drop", "refused", "PR--", 15],
  ["/old", "answered", "LR--", 21],
  ["/nobody", "no-server", "SC--", null],
] as const) {
  test(`${target} is ${disposition}`, () => {
    const trace = ask(target);
    assert.deepEqual([trace.disposition, trace.log?.flags], [disposition, flags]);
    if (line !== null) assert.equal(trace.span?.line, line);
    assert.equal(trace.server, null);
    assert.equal(trace.responseHead === null || trace.responseHead.length === 0, target === "/drop");
  });
}

test("an answer that a response rule puts in the server's place is told as ours", () => {
  const trace = ask("/", {}, { response: { status: 418, reason: "Tea", headers: [] } });
  assert.deepEqual(
    [trace.disposition, trace.server?.name, trace.log?.status],
    ["response-replaced", "a", 502],
  );
  assert.equal(trace.span?.line, 22);
  assert.match(trace.responseHead![0]!.text, /^HTTP\/1\.1 502/);
});

test("a hash tells its key; the connection its TLS and PROXY header", () => {
  const trace = ask("/hash", {
    headers: [
      ["Host", "shop.example"],
      ["X-Key", "k1"],
    ],
  });
  assert.match(
    linesOf(trace, "server choice").join("\n"),
    /balance hdr\(X-Key\): h[12], whose share key "k1" is/,
  );
  assert.deepEqual(trace.server?.tls, { serverName: "shop.example" });
  assert.equal(trace.server?.proxyHeader, "PROXY TCP4 198.51.100.7 192.0.2.1 50000 80");
  assert.match(linesOf(ask("/hash"), "server choice").join("\n"), /the request has no such key/);
});

test("the certificate is chosen by server name", () => {
  const shown = (serverName: string): string =>
    linesOf(ask("/", {}, { to: { host: null, port: 443 }, tls: { serverName, alpn: [] } }), "tls")[0]!;
  assert.match(shown("www.b.example"), /certificate b\.pem/);
  assert.match(shown("other.example"), /no certificate is for it, so the first is shown: a\.pem/);
});

test("TLS to a clear listener, and the other way round, is said", () => {
  assert.equal(ask("/", {}, { tls: { serverName: "x", alpn: [] } }).disposition, "tls-mismatch");
  assert.equal(ask("/", {}, { to: { host: null, port: 443 } }).disposition, "tls-mismatch");
});

test("a port without listener lists those that there are", () => {
  const trace = ask("/", {}, { to: { host: "10.0.0.8", port: 8080 } });
  assert.equal(trace.disposition, "no-listener");
  assert.match(trace.summary, /^nothing listens on 10\.0\.0\.8:8080: there is \*:80, \*:443/);
});

test("TLS that is passed through is routed by its server name", () => {
  const tcp = (serverName: string, host: string | null = null) =>
    ask("", {}, { to: { host, port: 8443 }, tls: { serverName, alpn: [] } });
  const passed = tcp("shop.example");
  assert.deepEqual(
    [passed.disposition, passed.server?.host, passed.server?.port],
    ["connected", "10.3.0.1", 443],
  );
  assert.deepEqual([passed.requestHead, passed.responseHead, passed.log?.flags], [null, null, "--"]);
  const refused = tcp("bad.example");
  assert.deepEqual([refused.disposition, refused.span?.line], ["refused", 38]);
  assert.equal(tcp("other.test").disposition, "no-server");
  assert.match(linesOf(tcp("shop.example", "10.0.0.9"), "listener")[0]!, /bind 10\.0\.0\.9:8443/);
});

test("a request that is no HTTP is refused before any rule", () => {
  const trace = ask("/", {
    headers: [
      ["Host", "a"],
      ["Host", "b"],
    ],
  });
  assert.deepEqual([trace.disposition, trace.log?.status], ["bad-request", 400]);
});

test("a connection alone is accepted in http mode, and the server is not known", () => {
  const trace = ask("", {}, { request: null });
  assert.deepEqual([trace.disposition, trace.frontend, trace.server], ["accepted", "www", null]);
});

test("the address of a server that nameservers have said is there with their name, or what is not known yet", () => {
  const { runtime } = stageOf(`defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
resolvers dns
  nameserver one 192.0.2.53:53
frontend www
  bind *:80
  default_backend app
backend app
  server a web.test:8080 resolvers dns
  server b _http._tcp.test resolvers dns
`);
  const explain = (endpoints?: ExplainFacts["endpoints"]) => {
    const facts = { nowMs: 0, hostname: "h", pid: 1, processVariables: {}, certificateNames: new Map() };
    const question: RequestQuestion = {
      from: { family: 4, host: "10.0.0.1", port: 4000 },
      to: { host: null, port: 80 },
      tls: null,
      request: { method: "GET", target: "/", headers: [["host", "x"]], bodyBytes: 0 },
      response: OK_RESPONSE,
      down: [],
    };
    const trace = explainRequest(runtime.configuration, question, {
      ...facts,
      ...(endpoints === undefined ? {} : { endpoints }),
    });
    assert.ok(!("kind" in trace));
    const found = trace.phases.find(({ name }) => name === "connection to the server");
    return found?.steps[0]?.text;
  };
  const unknown = "a at web.test:8080: where that is, the nameservers of dns say while it runs";
  assert.equal(explain(), unknown);
  const nowhere = { host: "", port: 8080, hostName: "web.test" };
  const told = { host: "192.0.2.8", port: 8001, hostName: "b.test" };
  const known = "b at 192.0.2.8:8001, which the nameservers of dns say of b.test";
  assert.equal(explain(new Map(Object.entries({ "app/a": nowhere, "app/b": told }))), known);
});
