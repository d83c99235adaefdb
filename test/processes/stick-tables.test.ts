// Stick tables in a whole Sallyport: shared by its workers, kept through reloads, given back when a worker
// dies, and beside a real HAProxy 2.6: the same requests give the same answers and leave the same tables.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort, freePorts } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { ask } from "./load.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const DEFAULTS = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

function limitOf(directory: TestDirectory, port: number, expire: string): string {
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
${DEFAULTS}
frontend web
  bind 127.0.0.1:${port}
  stick-table type ip size 100k expire ${expire} store conn_cur,http_req_rate(1h)
  tcp-request connection track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 20 }
  http-request return status 200
`;
}

async function statusesOf(port: number, count: number): Promise<string> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await ask(port, "/")).status);
  const passed = statuses.filter((status) => status === 200).length;
  return `${passed} passed, ${statuses.filter((status) => status === 429).length} refused`;
}

for (const engine of ENGINES) {
  describe(`a stick table on the ${engine} engine`, () => {
    test("limits a client to so many requests, whichever workers it meets", async () => {
      using directory = new TestDirectory();
      const port = await freePort();
      const file = directory.file("x.cfg", limitOf(directory, port, "1h"));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const table = () => askSocket(directory.file("admin.sock"), "show table web");
      assert.equal(await statusesOf(port, 30), "20 passed, 10 refused");
      assert.match(
        await table(),
        /used:1\n0x1: key=127.0.0.1 use=\d+ exp=\d+ conn_cur=\d+ .*\(3600000\)=30\n/,
      );
      await sallyport.reloadBySignal();
      assert.equal(await statusesOf(port, 2), "0 passed, 2 refused");
      directory.file("x.cfg", limitOf(directory, port, "2h"));
      await sallyport.reloadBySignal();
      assert.equal(await statusesOf(port, 2), "2 passed, 0 refused");
      await askSocket(directory.file("admin.sock"), "set table web key 127.0.0.1 data.http_req_rate 21");
      assert.equal(await statusesOf(port, 2), "0 passed, 2 refused");
      assert.equal(await askSocket(directory.file("admin.sock"), "clear table nobody"), "No such table\n\n");
    });

    test("gives back what a worker held that died", async () => {
      using directory = new TestDirectory();
      const port = await freePort();
      const file = directory.file("x.cfg", limitOf(directory, port, "1h"));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const table = () => askSocket(directory.file("admin.sock"), "show table web");
      const sockets = await Promise.all(Array.from({ length: 6 }, () => opened(port)));
      await sallyport.until(async () => /use=6 .*conn_cur=6/.test(await table()), "all are tracked");
      for (const pid of sallyport.workerPids) process.kill(pid, "SIGKILL");
      await sallyport.until(async () => /use=0 .*conn_cur=0/.test(await table()), "none is tracked any more");
      for (const socket of sockets) socket.destroy();
    });
  });
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject).on("close", () => {});
  });
}

/** Ports: of the proxy in http mode, of the one in tcp mode, of the two servers, and of none. */
function siteOf(socket: string, ports: readonly number[]): string {
  const [web, tcp, one, two, none] = ports;
  return `
global
  stats socket ${socket} level admin
${DEFAULTS}
frontend web
  bind 127.0.0.1:${web}
  stick-table type ip size 100k expire 1h store conn_cnt,conn_rate(1h),sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,gpc0,gpc1_rate(1h),gpt0
  tcp-request connection track-sc0 src
  tcp-request content track-sc1 src table content
  http-request track-sc2 req.hdr(key) table keys
  http-request sc-inc-gpc0(0) if { path_beg /count }
  http-request sc-inc-gpc1(0) if { path_beg /count }
  http-request sc-set-gpt0(0) int(9) if { path /tag }
  http-request sc-inc-gpc(1,2) if { path_beg /count }
  http-request sc-set-gpt(0,2) req.hdr_cnt if { path /tag }
  http-request deny deny_status 429 if { path /denied }
  http-request reject if { path /rejected }
  http-request auth if { path /auth }
  http-request return status 404 if { path /own404 }
  http-request redirect location / if { path /redirected }
  http-request return status 200 content-type text/plain lf-string "%[sc_conn_cnt(0)] %[sc0_http_req_cnt] %[sc_sess_cnt(0)] %[sc1_conn_cnt] %[sc1_http_req_cnt] %[sc2_tracked] %[sc_tracked(2)] %[sc_tracked(1)] %[sc_get_gpc0(0)] %[sc0_gpc1_rate] %[sc_get_gpt0(0)] %[sc_get_gpc(1,2)] %[sc_gpc_rate(0,2)] %[sc_get_gpt(0,2)]" if { path /tracked }
  http-request return status 200 content-type text/plain lf-string "%[src_conn_cnt] %[src_get_gpc0] %[src_inc_gpc0] %[src_clr_gpc0] %[src_get_gpc0(other)] %[src_conn_cnt(other)] %[src_updt_conn_cnt(other)] %[sc_conn_cnt(0,content)] %[src_gpc0_rate] %[src_get_gpc(0,keys)]" if { path /source }
  http-request return status 200 content-type text/plain lf-string "%[src,in_table] %[str(192.0.2.9),in_table(web)] %[src,table_http_req_cnt(web)] %[str(192.0.2.9),table_http_req_cnt(web)] %[src,table_gpc0(content)] %[str(192.0.2.9),table_expire(web,5)] %[str(192.0.2.9),table_expire(web)] %[src,table_idle(web)] %[req.hdr(key),table_gpc(1,keys)] %[src,table_sess_rate(web)] %[table_cnt(keys)] %[table_avl(keys)]" if { path /looked-up }
  use_backend none if { path /nobody }
  use_backend refused if { path /refused }
  default_backend sticky
frontend tcp
  mode tcp
  bind 127.0.0.1:${tcp}
  tcp-request inspect-delay 5s
  tcp-request connection track-sc0 src table web
  tcp-request content track-sc1 src table content if { req.len gt 0 }
  tcp-request content reject if { req.payload(4,7) -m str /reject }
  default_backend plain
backend plain
  mode tcp
  stick-table type ip size 10
  stick on src
  server one 127.0.0.1:${one}
  server two 127.0.0.1:${two}
backend none
backend refused
  retries 0
  server s 127.0.0.1:${none}
backend sticky
  stick-table type string len 12 size 1k expire 1h
  stick on req.hdr(session)
  stick match req.hdr(learned) table learned
  stick store-response res.hdr(learned) table learned
  http-response track-sc2 res.hdr(learned) table keys
  server one 127.0.0.1:${one}
  server two 127.0.0.1:${two} id 42
  server shy 127.0.0.1:${one} non-stick
backend learned
  stick-table type string size 1k srvkey addr
backend content
  stick-table type ip size 100 store conn_cnt,http_req_cnt,sess_cnt,http_err_cnt,http_fail_cnt
backend keys
  stick-table type string len 5 size 1k store gpc(2),gpc_rate(2,1h),gpt(2)
backend other
  stick-table type ip size 100 store conn_cnt
listen server-one
  bind 127.0.0.1:${one}
  bind 127.0.0.1:${two}
  http-request return status 404 if { path /404 }
  http-request return status 500 if { path /500 }
  http-request return status 501 if { path /501 }
  http-request return status 200 hdr learned %[req.hdr(learn)] content-type text/plain lf-string "port %[dst_port]" if { req.hdr(learn) -m found }
  http-request return status 200 content-type text/plain lf-string "port %[dst_port]"
`;
}

/** Paths, and headers. */
const REQUESTS: readonly (readonly [string, string])[] = [
  ["/tracked", ""],
  ["/tracked", "key: a\r\n"],
  ["/count", "key: a\r\n"],
  ["/count/more", "key: abcdefgh\r\n"],
  ["/tag", "key: abcdexyz\r\n"],
  ["/tracked", "key: abcde\r\n"],
  ["/denied", "key: a\r\n"],
  ["/auth", ""],
  ["/own404", ""],
  ["/redirected", ""],
  ["/404", "key: a b=c\\\r\n"],
  ["/500", ""],
  ["/501", ""],
  ["/nobody", ""],
  ["/refused", ""],
  ["/source", ""],
  ["/source", ""],
  ["/looked-up", "key: abcde\r\n"],
  ["/", "session: one\r\n"],
  ["/", "session: two\r\n"],
  ["/", "session: three\r\n"],
  ["/", "session: three\r\n"],
  ["/", "session: two\r\n"],
  ["/", "session: one\r\n"],
  ["/", "session: a-session-longer-than-12\r\n"],
  ["/", "session: a-session-lo\r\n"],
  ["/", "learn: me\r\n"],
  ["/", "learned: me\r\n"],
  ["/", "learned: me\r\n"],
  ["/", "learned: unheard\r\nlearn: of\r\n"],
];

test("HAProxy 2.6 gives the same answers and has the same tables", {
  skip: requires("haproxy"),
}, async () => {
  using ours = new TestDirectory();
  using theirs = new TestDirectory();
  const [ourPorts, theirPorts] = [await freePorts(5), await freePorts(5)];
  const file = ours.file("x.cfg", siteOf(ours.file("admin.sock"), ourPorts));
  await using _sallyport = await RunningSallyport.start(file, { workers: 2 });
  const haproxy = await startHaproxy(theirs.path, siteOf("DIRECTORY/admin.sock", theirPorts), ["admin.sock"]);
  try {
    const mine = await conversationOf(ours.file("admin.sock"), ourPorts);
    const expected = await conversationOf(theirs.file("admin.sock"), theirPorts);
    assert.deepEqual(mine, expected);
    assert.ok(expected.some((line) => line.includes("server_id=42 server_key=two")));
  } finally {
    await haproxy.dispose();
  }
});

async function conversationOf(socket: string, ports: readonly number[]): Promise<string[]> {
  const [web, tcp] = ports as [number, number];
  const said: string[] = [];
  for (const [path, headers] of REQUESTS) {
    const { status, body } = await ask(web, path, headers);
    const text = body.startsWith("<") ? "" : body;
    said.push(`${path} ${headers.trim()}: ${status} ${text}`);
  }
  for (const path of ["/", "/", "/404"]) said.push(`tcp ${path}: ${(await ask(tcp, path)).status}`);
  for (const table of ["", "web", "content", "keys", "other", "sticky", "learned", "plain"])
    said.push(...(await settled(socket, `show table ${table}`.trim())));
  const named = (text: string) =>
    ports.reduce((line, port, i) => line.replaceAll(`${port}`, `PORT${i}`), text);
  return said.map(named);
}

/** What is there once nobody holds any of it. */
async function settled(socket: string, command: string): Promise<string[]> {
  for (;;) {
    const lines = (await askSocket(socket, command)).split("\n");
    // HAProxy 2.6 forgets to give back what `src_…` and `sc_…(0,table)` have looked at.
    const text = lines.map((line) => line.replace(/^0x[0-9a-f]+/, "0x").replace(/exp=\d+/, "exp=N"));
    if (!text.some((line) => /use=[1-9]/.test(line) && !/table other|key=127/.test(line)))
      return text.map((line) => line.replace(/use=\d+/, "use=N"));
  }
}
