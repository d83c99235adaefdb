// `tcp-request content` and `tcp-response content`: where the proxy speaks HTTP they look at whole messages,
// before the rules for HTTP; in tcp mode at the first bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { converse, latin1 } from "../attacks/attack-stage.ts";
import { freePort } from "../free-port.ts";
import { Origin } from "./origin.ts";
import { ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

for (const engine of ENGINES)
  test(`content rules hold in mode http, on the ${engine} engine`, async () => {
    using directory = new TestDirectory();
    await using origin = await Origin.start("a");
    const port = await freePort();
    const path = directory.file(
      "x.cfg",
      `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  tcp-request content set-var(txn.path) path
  tcp-request content reject if { var(txn.path) -m str /front }
  http-request set-header X-Path %[var(txn.path)]
  http-response set-header X-Rule %[last_rule_line]
  default_backend web
backend web
  tcp-request content reject if { path /back }
  tcp-request content accept if { path /accepted }
  tcp-response content reject if { var(txn.path) -m str /response }
  server a 127.0.0.1:${origin.port}
`,
    );
    await using _sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
    const get = (target: string) =>
      converse(port, [latin1(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)]);
    assert.equal(await get("/front"), "");
    assert.equal(await get("/back"), "");
    assert.equal(await get("/response"), "");
    assert.match(await get("/accepted"), /^HTTP\/1\.1 200 [\s\S]*\nx-rule: 16\r/);
    assert.match(await get("/other"), /^HTTP\/1\.1 200 /);
  });

for (const engine of ENGINES)
  test(`rules on what a server says first hold in tcp mode, on the ${engine} engine`, async () => {
    using directory = new TestDirectory();
    await using origin = await Origin.start("a");
    const [open, shut] = [await freePort(), await freePort()];
    const path = directory.file(
      "x.cfg",
      `
defaults
  mode tcp
  timeout connect 1s
  timeout client 5s
  timeout server 5s
listen open
  bind 127.0.0.1:${open}
  tcp-response inspect-delay 5s
  tcp-response content accept if { res.payload(9,3) -m str 200 }
  tcp-response content reject
  server a 127.0.0.1:${origin.port}
listen shut
  bind 127.0.0.1:${shut}
  tcp-response inspect-delay 5s
  tcp-response content reject if { res.payload(9,3) -m str 200 }
  server a 127.0.0.1:${origin.port}
`,
    );
    await using _sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
    const get = (port: number) =>
      converse(port, [latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]);
    assert.match(await get(open), /^HTTP\/1\.1 200 /);
    assert.equal(await get(shut), "");
  });
