import assert from "node:assert/strict";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../proxy/balance/haproxy.fixture.ts";
import { makeActions } from "./actions.fixture.ts";
import { makeRuntime } from "./runtime.fixture.ts";
import { RuntimeApi } from "./runtime-api.ts";

const NOW_MS = 1_800_000_000_000;
const CONFIGURATION = `
global
  stats socket DIRECTORY/admin.sock level admin mode 600
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend ips
  bind unix@DIRECTORY/fe.sock
  stick-table type ip size 100k expire 1h store gpc0,conn_rate(10s),conn_cur,bytes_in_cnt,http_fail_cnt
backend sixes
  stick-table type ipv6 size 1m store gpt0
backend numbers
  stick-table type integer size 100 store http_req_cnt,gpc0
backend texts
  stick-table type string len 8 size 10 nopurge store gpc(2),gpc_rate(3,1m),gpt(1)
backend bytes
  stick-table type binary len 4 size 10 store gpc0
backend sticky
  stick-table type string size 10
  stick on src
  server s 127.0.0.1:1
`;

const COMMANDS: readonly string[] = [
  "show table",
  "show table nobody",
  "set table",
  "set table nobody",
  "set table ips",
  "set table ips key",
  "set table ips foo",
  "set table ips key 192.0.2.1",
  "set table ips key 192.0.2.1 data.gpc0",
  "set table ips key 192.0.2.1 data.gpc0 x",
  "set table ips key 192.0.2.1 data.gpc1 1",
  "set table ips key 192.0.2.1 data.nothing 1",
  "set table ips key 192.0.2.1 gpc0 1",
  "set table ips data.gpc0 gt 1",
  "set table ips key 192.0.2.1 data.gpc0 7 data.conn_rate 12 data.bytes_in_cnt 5000000000",
  "set table ips key 10.0.0.9 data.gpc0 4294967295 data.http_fail_cnt 3",
  "set table ips key 192.0.2.10 data.gpc0 -1",
  "show table ips",
  "show table ips key 10.0.0.9",
  "show table ips key 10.0.0.8",
  "show table ips key",
  "show table ips foo",
  "show table ips data.gpc0",
  "show table ips data.gpc0 gt",
  "show table ips data.gpc0 gt one",
  "show table ips data.gpc0 above 1",
  "show table ips data.gpt0 gt 1",
  "show table ips data.gpc0 gt 7",
  "show table ips data.gpc0 ge 7 data.conn_rate eq 12",
  "show table ips data.gpc0 lt 8 data.conn_rate ne 12",
  "show table ips data.gpc0 le 7",
  "set table sixes key 2001:db8::2 data.gpt0 1",
  "set table sixes key 192.0.2.1 data.gpt0 1",
  "set table sixes key 2001:db8::10 data.gpt0 1",
  "show table sixes",
  "set table numbers key 100 data.gpc0 1",
  "set table numbers key 9 data.gpc0 2",
  "set table numbers key 4294967295",
  "set table numbers key nine",
  "show table numbers",
  "set table texts key one-and-more",
  "set table texts key two data.gpc 1",
  "set table texts key tab\\ and=more",
  "set table texts key tab\\ and=more data.gpt0 1",
  "show table texts",
  "set table bytes key abcd",
  "show table bytes",
  "set table sticky key a data.server_id 3",
  "set table sticky key abcdefghijklmnopqrstuvwxyz0123456789",
  "show table sticky",
  "clear table",
  "clear table nobody",
  "clear table ips foo",
  "clear table ips key",
  "clear table ips key 10.0.0.9",
  "clear table ips data.gpc0 eq 7",
  "show table ips",
  "clear table ips",
  "clear table texts",
  "show table",
];

test("HAProxy 2.6 answers the commands about tables in the same words", { skip: !HAS_HAPROXY }, async () => {
  const directory = makeDirectory();
  const haproxy = await startHaproxy(directory, CONFIGURATION, ["admin.sock"]);
  try {
    const runtime = makeRuntime(CONFIGURATION.replaceAll("DIRECTORY", directory), NOW_MS);
    const api = new RuntimeApi(makeActions(runtime, NOW_MS));
    for (const command of COMMANDS) {
      const theirs = await askHaproxy(path.join(directory, "admin.sock"), command);
      assert.equal(comparable(await api.run(command)), comparable(theirs), command);
    }
  } finally {
    await haproxy.dispose();
    removeDirectory(directory);
  }
});

test("what is no address is no key, where HAProxy takes it for 0.0.0.0", async () => {
  const runtime = makeRuntime(CONFIGURATION.replaceAll("DIRECTORY", "/nowhere"), NOW_MS);
  const api = new RuntimeApi(makeActions(runtime, NOW_MS));
  for (const key of ["192.0.2.300", "2001:db8::1", "name"])
    assert.equal(await api.run(`set table ips key ${key} data.gpc0 1`), "Invalid key\n\n");
  assert.match(await api.run("show table ips"), /used:0\n\n$/);
});

/** Where an entry is, and how long it has been there, is everybody's own. */
function comparable(answer: string): string {
  return answer
    .replace(/^0x[0-9a-f]+/gm, "0x")
    .replace(/exp=\d+/g, "exp=N")
    .trimEnd();
}

function askHaproxy(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath, () => socket.end(`${command}\n`));
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    socket.on("end", () => resolve(answer)).on("error", reject);
  });
}
