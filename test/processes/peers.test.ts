// A Sallyport and a real HAProxy 2.6 as peers of each other: both count for both, and who comes back learns
// from the other what he has missed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { ask } from "./load.ts";
import { askSocket, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

interface Ports {
  readonly ours: number;
  readonly theirs: number;
  readonly web: number;
}

function configurationOf(localName: string, socket: string, { ours, theirs, web }: Ports): string {
  return `
global
  stats socket ${socket} level admin
  localpeer ${localName}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
peers company
  peer sallyport 127.0.0.1:${ours}
  peer haproxy 127.0.0.1:${theirs}
  table keys type string len 20 size 1k expire 1h store gpc0,gpt0,http_req_cnt,http_req_rate(1h),server_id
frontend web
  bind 127.0.0.1:${web}
  stick-table type ip size 1k store gpc(2),gpc_rate(2,1h),gpt(1),conn_cur,bytes_in_cnt peers company
  http-request track-sc0 path table company/keys
  http-request track-sc1 src
  http-request sc-inc-gpc0(0)
  http-request sc-set-gpt0(0) int(4000000000)
  http-request sc-inc-gpc(1,1)
  http-request return status 200 if !{ req.hdr(session) -m found }
  default_backend sticky
backend sticky
  stick-table type string size 1k peers company
  stick on req.hdr(session)
  server one 127.0.0.1:1
  server two 127.0.0.1:1 id 7
`;
}

test("HAProxy 2.6 and we tell each other what we count", { skip: requires("haproxy") }, async () => {
  using here = new TestDirectory();
  using there = new TestDirectory();
  const [ours, theirs] = [await freePort(), await freePort()];
  const [ourWeb, theirWeb] = [await freePort(), await freePort()];
  const file = here.file(
    "x.cfg",
    configurationOf("sallyport", here.file("admin.sock"), { ours, theirs, web: ourWeb }),
  );
  const theirText = configurationOf("haproxy", "DIRECTORY/admin.sock", { ours, theirs, web: theirWeb });
  const tables = (directory: TestDirectory) => tablesOf(directory.file("admin.sock"));
  await using sallyport = await RunningSallyport.start(file, { workers: 2 });
  let haproxy = await startHaproxy(there.path, theirText, ["admin.sock"]);
  try {
    for (let i = 0; i < 3; i++) {
      await ask(ourWeb, "/ours");
      await ask(theirWeb, "/theirs");
    }
    await askSocket(here.file("admin.sock"), "set table sticky key a data.server_id 7");
    await askSocket(there.file("admin.sock"), "set table sticky key b data.server_id 1");
    const all = /\/ours .*gpc0=3 .*\/theirs .*gpc0=3 .*key=a .*server_id=7 .*key=b .*server_id=1 /s;
    for (const directory of [here, there])
      await sallyport.until(
        async () => all.test(await tables(directory)),
        "each knows what the other counted",
      );
    // Who was there last has the last word, as between two HAProxies.
    assert.equal(keysOf(await tables(here)), keysOf(await tables(there)));
    await haproxy.dispose();
    haproxy = await startHaproxy(there.path, theirText, ["admin.sock"]);
    await sallyport.until(async () => all.test(await tables(there)), "HAProxy has learned all of it again");
  } finally {
    await haproxy.dispose();
  }
});

async function tablesOf(socket: string): Promise<string> {
  let text = "";
  for (const name of ["company/keys", "sticky"]) text += await askSocket(socket, `show table ${name}`);
  return text;
}

/** All but where an entry is, who uses it, and for how long. */
function keysOf(text: string): string {
  return text.replace(/^0x[0-9a-f]+/gm, "0x").replace(/ (use|exp)=\d+/g, "");
}
