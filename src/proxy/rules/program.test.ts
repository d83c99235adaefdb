import assert from "node:assert/strict";
import { test } from "node:test";
import { addResponse, requestOn, type Stage, stageOf, streamOn } from "../../../test/proxy-stage.ts";
import type { Stream } from "../stream.ts";

const HEAD = [
  "defaults",
  "  mode http",
  "  timeout client 1s",
  "  timeout server 1s",
  "  timeout connect 1s",
];

function stage(...lines: string[]): Stage {
  return stageOf([...HEAD, ...lines, ""].join("\n"));
}

function tcpStage(...rules: string[]): Stage {
  return stage("frontend f", "  mode tcp", "  bind :1", ...rules.map((rule) => `  ${rule}`));
}

function runContent(
  stream: Stream,
  resumeAt = 0,
): ReturnType<typeof stream.frontend.programs.tcpRequestContent.run> {
  return stream.frontend.programs.tcpRequestContent.run(stream, resumeAt);
}

test("a content rule waits for data as long as the inspect delay allows", () => {
  const on = tcpStage("tcp-request inspect-delay 5s", "tcp-request content reject if { req.len lt 3 }");
  const stream = streamOn(on);
  assert.deepEqual(runContent(stream), { kind: "reject" });
  const waiting = streamOn(
    tcpStage(
      "tcp-request inspect-delay 5s",
      "tcp-request content accept if { req.len gt 3 }",
      "tcp-request content reject",
    ),
  );
  assert.deepEqual(runContent(waiting), { kind: "wait", resumeAt: 0, deadlineMs: 6000 });
  waiting.content = new Uint8Array(4);
  assert.deepEqual(runContent(waiting), { kind: "done" });
});

test("after the delay, at a FIN, and without a delay, what is there decides", () => {
  const rules = ["tcp-request content accept if { req.len gt 3 }", "tcp-request content reject"];
  const late = tcpStage("tcp-request inspect-delay 5s", ...rules);
  const stream = streamOn(late);
  late.clock.nowMs += 5000;
  assert.deepEqual(runContent(stream), { kind: "reject" });
  const ended = streamOn(tcpStage("tcp-request inspect-delay 5s", ...rules));
  ended.isContentFinal = true;
  assert.deepEqual(runContent(ended), { kind: "reject" });
  assert.deepEqual(runContent(streamOn(tcpStage(...rules))), { kind: "reject" });
});

test("WAIT_END holds a rule back until nothing more can come", () => {
  const stream = streamOn(tcpStage("tcp-request inspect-delay 1s", "tcp-request content reject if WAIT_END"));
  assert.equal(runContent(stream).kind, "wait");
  stream.isContentFinal = true;
  assert.equal(runContent(stream).kind, "reject");
  assert.equal(stream.isContentFinal, true);
});

test("a negated test that lacks data waits as well", () => {
  const stream = streamOn(
    tcpStage("tcp-request inspect-delay 1s", "tcp-request content reject if !{ req.ssl_hello_type 1 }"),
  );
  stream.content = Uint8Array.of(22, 3);
  assert.equal(runContent(stream).kind, "wait");
  stream.content = Buffer.from("GET / HTTP/1.1\r\n");
  assert.equal(runContent(stream).kind, "reject");
});

test("use_backend takes the first match; an unknown computed name means the default", () => {
  const on = stage(
    "backend a",
    "backend b",
    "frontend f",
    "  bind :1",
    "  use_backend a if { path_beg /a }",
    "  use_backend %[path,field(2,/)] if { path_beg /dyn /b }",
    "  use_backend b",
  );
  const choose = (path: string) => {
    const stream = requestOn(on, [`GET ${path} HTTP/1.1`, "Host: h"]);
    return stream.frontend.programs.chooseBackend(stream);
  };
  assert.equal(choose("/a/x"), "a");
  assert.equal(choose("/b/x"), "b");
  assert.equal(choose("/dyn"), null);
  assert.equal(choose("/other"), "b");
});

test("verdicts carry their reply, and the stream remembers the line that decided", () => {
  const on = stage(
    "frontend f",
    "  bind :1",
    "  http-request deny deny_status 429 if { path /no }",
    "  http-request redirect scheme https code 301 if !{ ssl_fc }",
  );
  const denied = requestOn(on, ["GET /no HTTP/1.1", "Host: h"]);
  const verdict = denied.frontend.programs.httpRequest.run(denied, 0);
  assert.ok(verdict.kind === "deny" && !verdict.isTarpit && verdict.reply.status === 429);
  assert.equal(denied.lastRuleLine, 8);
  const redirected = requestOn(on, ["GET /x?y=1 HTTP/1.1", "Host: www.example.com"]);
  assert.deepEqual(redirected.frontend.programs.httpRequest.run(redirected, 0), {
    kind: "redirect",
    status: 301,
    location: "https://www.example.com/x?y=1",
    setCookie: null,
  });
});

test("redirects drop queries, append slashes and set cookies as HAProxy does", () => {
  const locations: Readonly<Record<string, readonly [string, string, string | null]>> = {
    "prefix https://x drop-query append-slash": ["/p?q=1", "https://x/p/", null],
    "prefix / set-cookie SEEN=1": ["/p?q=1", "/p?q=1", "SEEN=1; path=/;"],
    "location /new clear-cookie USERID=": ["/p", "/new", "USERID=; path=/; Max-Age=0;"],
  };
  for (const [rule, [target, location, setCookie]] of Object.entries(locations)) {
    const stream = requestOn(stage("frontend f", "  bind :1", `  http-request redirect ${rule}`), [
      `GET ${target} HTTP/1.1`,
      "Host: h",
    ]);
    const verdict = stream.frontend.programs.httpRequest.run(stream, 0);
    assert.deepEqual(verdict, { kind: "redirect", status: 302, location, setCookie }, rule);
  }
});

test("wait-for-body asks for the body once and goes on behind itself", () => {
  const on = stage(
    "frontend f",
    "  bind :1",
    "  http-request wait-for-body time 2s at-least 10",
    "  http-request deny if { req.body_len gt 3 }",
  );
  const stream = requestOn(on, ["POST / HTTP/1.1", "Host: h", "Content-Length: 20"]);
  const { httpRequest } = stream.frontend.programs;
  const verdict = httpRequest.run(stream, 0);
  assert.deepEqual(verdict, { kind: "wait", resumeAt: 1, deadlineMs: 3000, body: { atLeastBytes: 10 } });
  stream.body = new Uint8Array(10);
  assert.equal(httpRequest.run(stream, 1).kind, "deny");
  const bodiless = requestOn(on, ["GET / HTTP/1.1", "Host: h"]);
  assert.equal(httpRequest.run(bodiless, 0).kind, "done");
});

test("set-src lasts for one request only", () => {
  const on = stage("frontend f", "  bind :1", "  http-request set-src req.hdr(x-real-ip)");
  const stream = requestOn(on, ["GET / HTTP/1.1", "Host: h", "X-Real-IP: 192.0.2.1"]);
  stream.frontend.programs.httpRequest.run(stream, 0);
  assert.equal(stream.session.source.host, "192.0.2.1");
  const next = new (Object.getPrototypeOf(stream).constructor as typeof import("../stream.ts").Stream)(
    stream.session,
    stream.runtime,
  );
  assert.equal(next.session.source.host, "127.0.0.1");
});

test("the 1.5 rules change whole lines", () => {
  const on = stage(
    "frontend f",
    "  bind :1",
    "  reqrep ^([^\\ ]*)\\ /old/(.*) \\1\\ /new/\\2",
    "  reqidel ^x-forwarded-for:.*",
    "  reqrep ^Host:\\ www(.*) Host:\\ app\\1",
    "  rspirep ^location:\\ http://(.*) Location:\\ https://\\1",
    "  rspidel ^Server:.*",
  );
  const stream = requestOn(on, ["GET /old/x HTTP/1.1", "Host: www.example.com", "X-Forwarded-For: 1.2.3.4"]);
  stream.frontend.programs.httpRequest.run(stream, 0);
  assert.equal(stream.request!.target, "/new/x");
  assert.equal(stream.originalTarget, "/old/x");
  assert.equal(stream.request!.firstValue("host"), "app.example.com");
  assert.equal(stream.request!.firstValue("x-forwarded-for"), null);
  addResponse(stream, ["HTTP/1.1 302 Found", "Location: http://h/p", "Server: IIS"]);
  stream.frontend.programs.httpResponse.run(stream, 0);
  assert.equal(stream.response!.firstValue("location"), "https://h/p");
  assert.equal(stream.response!.firstValue("server"), null);
});

test("use-server and force-persist answer for the backend", () => {
  const on = stage(
    "frontend f",
    "  bind :1",
    "  default_backend b",
    "backend b",
    "  server one 127.0.0.1:1 disabled",
    "  server two 127.0.0.1:2",
    "  use-server one if { path_beg /x }",
    "  use-server two if { path_beg /x }",
    "  force-persist if { path /forced }",
  );
  const stream = requestOn(on, ["GET /x HTTP/1.1", "Host: h"]);
  stream.backend = on.runtime.backendsByName.get("b")!;
  assert.equal(stream.backend.programs.chooseServer(stream)?.name, "two");
  assert.equal(stream.backend.programs.persistence(stream), null);
  stream.request!.target = "/forced";
  assert.equal(stream.backend.programs.chooseServer(stream), null);
  assert.equal(stream.backend.programs.persistence(stream), "force");
});

test("a payload that says its length is waited for until all of it is here", () => {
  const rules = [
    "payload_lv(1,2) -m str abc",
    "payload_lv(1,2,4) -m str bc!",
    "payload_lv(1,2,+1) -m str bc!",
  ];
  for (const rule of rules) {
    const stream = streamOn(
      tcpStage(
        "tcp-request inspect-delay 5s",
        `tcp-request content reject if { ${rule} }`,
        "tcp-request content accept",
      ),
    );
    for (const text of ["", "\x16\0", "\x16\0\x03a"]) {
      stream.content = Buffer.from(text, "latin1");
      assert.equal(runContent(stream).kind, "wait", `${rule} ${text.length}`);
    }
    stream.content = Buffer.from("\x16\0\x03abc!", "latin1");
    assert.equal(runContent(stream).kind, "reject", rule);
  }
});

test("an RDP client is known by its cookie, by name or at all", () => {
  const hello = "\x03\0\0\x2f\x2a\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n";
  for (const condition of ["RDP_COOKIE", "{ rdp_cookie(MSTSHASH) alice }", "{ req.rdp_cookie alice }"]) {
    const stream = streamOn(
      tcpStage(
        "tcp-request inspect-delay 5s",
        `tcp-request content reject if ${condition}`,
        "tcp-request content accept",
      ),
    );
    stream.content = Buffer.from(hello.slice(0, 20), "latin1");
    assert.equal(runContent(stream).kind, "wait");
    stream.content = Buffer.from(hello, "latin1");
    assert.equal(runContent(stream).kind, "reject", condition);
  }
});
