// The form of the statistics page, as a browser sends it, with its body in a packet of its own or not; and
// variables of the process, which are set before anybody asks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { converse, latin1 } from "../attacks/attack-stage.ts";
import { freePort } from "../free-port.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const FORM = "s=one&s=two&action=maint&b=%232";

for (const engine of ENGINES)
  test(`an administrator's form changes servers, and the scope is kept, on the ${engine} engine`, async () => {
    using directory = new TestDirectory();
    const port = await freePort();
    const path = directory.file(
      "x.cfg",
      `
global
  stats socket ${directory.file("stats")} level admin
  set-var proc.a str(first)
  set-var proc.b var(proc.a),upper
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  http-request set-header X-Seen %[rand] # runs once
  http-request return status 200 content-type text/plain lf-string "%[var(proc.b)]" if { path /variable }
  stats enable
  stats uri /stats
  stats admin if TRUE
backend wide id 2
  server one 127.0.0.1:1
  server two 127.0.0.1:1
backend other
  server three 127.0.0.1:1
`.replace("backend wide id 2", "backend wide\n  id 2"),
    );
    await using _sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
    const head = `POST /stats?scope=wide HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${FORM.length}\r\n\r\n`;
    for (const pieces of [
      [latin1(head + FORM)],
      [latin1(head), latin1(FORM.slice(0, 9)), latin1(FORM.slice(9))],
    ])
      assert.match(
        await converse(port, pieces),
        /^HTTP\/1\.1 303 [\s\S]*\nlocation: \/stats;st=DONE;scope=wide\r/,
      );
    assert.match(
      await askSocket(directory.file("stats"), "show stat"),
      /\nwide,one,.*,MAINT,[\s\S]*\nwide,two,.*,MAINT,[\s\S]*\nother,three,.*,no check,/,
    );
    const get = (target: string) =>
      converse(port, [latin1(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)]);
    const csv = await get("/stats?;csv;scope=WID");
    assert.match(csv, /\nwide,BACKEND,/);
    assert.doesNotMatch(csv, /\n(other|web),/);
    assert.match(await get("/variable"), /\r\n\r\nFIRST$/);
  });
