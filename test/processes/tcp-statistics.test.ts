// What the kernel knows of a client's connection, as samples: beside HAProxy, and absent where it cannot be
// asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { ask } from "./load.ts";
import { RunningSallyport, TestDirectory } from "./running-sallyport.ts";

function configurationOf(directory: TestDirectory, port: number): string {
  const samples =
    "rtt=%[fc_rtt(us)] ms=%[fc_rtt] variance=%[fc_rttvar(us)] unacked=%[fc_unacked] sacked=%[fc_sacked] " +
    "retrans=%[fc_retrans] fackets=%[fc_fackets] lost=%[fc_lost] reordering=%[fc_reordering] err=%[fc_err] " +
    "%[fc_err_str] stopping=%[stopping]";
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain lf-string "${samples}"
`;
}

/** How long a way takes is not the same twice; that it takes a while is. */
function comparable(text: string): string {
  return text.replace(/(rtt|variance)=[1-9]\d*/g, "$1=some");
}

test("samples tell of a connection what HAProxy's tell", { skip: requires("haproxy") }, async () => {
  using directory = new TestDirectory();
  const port = await freePort();
  const text = configurationOf(directory, port);
  const haproxy = await startHaproxy(directory.path, text, ["admin.sock"]);
  const expected = comparable((await ask(port)).body);
  await haproxy.dispose();
  assert.match(expected, /^rtt=some /);
  await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
    engine: "uring",
    workers: 1,
  });
  assert.equal(comparable((await ask(port)).body), expected);
});

test("an engine that cannot ask the kernel says nothing", async () => {
  using directory = new TestDirectory();
  const port = await freePort();
  const text = configurationOf(directory, port);
  await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
    engine: "portable",
    workers: 1,
  });
  assert.match((await ask(port)).body, /^rtt= ms= .* err=0 Success stopping=0$/);
});
