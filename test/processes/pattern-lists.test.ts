// Acls and maps that change at run time, in all workers: by the runtime API in HAProxy's words, and by rules.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { ask } from "./load.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

interface Site {
  /** Of eight requests on connections of their own, so that every worker has some: what all of them got. */
  ask(path: string, headers?: string): Promise<string>;
  command(line: string): Promise<string>;
}

function configurationOf(directory: TestDirectory, port: number): string {
  const list = directory.file("list", "# patterns\n/one\n  /two\n\n");
  const map = directory.file("map", "# keys\na first\nb   second value\na third\n");
  const networks = directory.file("networks", "10.0.0.0/8 ten\n10.1.0.0/16 ten-one\n");
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
  set-var proc.count int(0)
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${port}
  acl listed path -i -f ${list} /line
  acl mine path /mine
  acl numbered req.hdr_cnt(x) gt 5 le 9 3:4
  acl chosen path_reg -u 77 ^/x ^/y
  http-request add-acl(${list}) %[path,regsub(^/add,)] if { path_beg /add/ }
  http-request del-acl(${list}) %[path,regsub(^/del,)] if { path_beg /del/ }
  http-request set-map(${map}) %[path] %[req.hdr(value)] if { path_beg /set/ }
  http-request del-map(${map}) %[path,regsub(unset,set)] if { path_beg /unset/ }
  http-request set-var(proc.word) req.hdr(value) if { path /word }
  http-request return status 200 content-type text/plain lf-string listed if listed
  http-request return status 200 content-type text/plain lf-string mine if mine || numbered chosen
  http-request return status 200 content-type text/plain lf-string "%[req.hdr(key),map(${map},none)] %[req.hdr(key),map_ip(${networks},none)] %[var(proc.word)]"
`;
}

function siteOf(directory: TestDirectory, port: number): Site {
  return {
    ask: async (path, headers = "") => {
      const bodies = new Set<string>();
      for (let i = 0; i < 8; i++) bodies.add((await ask(port, path, headers)).body);
      return [...bodies].join(" | ");
    },
    command: (line) => askSocket(directory.file("admin.sock"), line),
  };
}

async function withSite(engine: (typeof ENGINES)[number], run: (site: Site) => Promise<void>): Promise<void> {
  using directory = new TestDirectory();
  const port = await freePort();
  const file = directory.file("x.cfg", configurationOf(directory, port));
  await using _sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
  await run(siteOf(directory, port));
}

for (const engine of ENGINES) {
  describe(`acls and maps at run time on the ${engine} engine`, () => {
    test("an answer comes when all workers match by what was changed", async () => {
      await withSite(engine, async ({ ask, command }) => {
        assert.equal(await ask("/", "key: c\r\n"), "none  ");
        assert.equal(
          await command("add map #7 c by-number"),
          "Unknown map identifier. Please use #<id> or <file>.\n\n",
        );
        const map = /^(\d+) \((\S+\/map)\)/m.exec(await command("show map"))!;
        for (const name of [`#${map[1]}`, map[2]!]) {
          assert.equal(await command(`add map ${name} c now`), "\n");
          assert.equal(await ask("/", "key: c\r\n"), "now  ");
          assert.equal(await command(`set map ${name} c then`), "\n");
          assert.equal(await ask("/", "key: c\r\n"), "then  ");
          assert.equal(await command(`del map ${name} c`), "\n");
          assert.equal(await ask("/", "key: c\r\n"), "none  ");
        }
      });
    });

    test("a whole version comes at once", async () => {
      await withSite(engine, async ({ ask, command }) => {
        const map = /\((\S+\/map)\)/.exec(await command("show map"))![1]!;
        assert.equal(await command(`prepare map ${map}`), "New version created: 1\n\n");
        assert.equal(await command(`add map @1 ${map} <<\nx 1\ny 2 and more\n`), "\n");
        assert.equal(await ask("/", "key: x\r\n"), "none  ");
        assert.equal(await ask("/", "key: a\r\n"), "first  ");
        assert.equal(await command(`commit map @1 ${map}`), "\n");
        assert.equal(await ask("/", "key: y\r\n"), "2 and more  ");
        assert.equal(await ask("/", "key: a\r\n"), "none  ");
      });
    });

    test("what a rule changes is changed for all workers", async () => {
      await withSite(engine, async ({ ask, command }) => {
        await ask("/add/new");
        await ask("/set/k", "value: v\r\n");
        await ask("/word", "value: w\r\n");
        await command("show acl");
        assert.equal(await ask("/new"), "listed");
        assert.equal(await ask("/", "key: /set/k\r\n"), "v  w");
        await ask("/del/new");
        await ask("/unset/k");
        await command("show acl");
        assert.equal(await ask("/new"), "  w");
        assert.equal(await ask("/", "key: /set/k\r\n"), "none  w");
      });
    });
  });
}

test("lists live on when a server is added, and begin anew with a reload", async () => {
  using directory = new TestDirectory();
  const port = await freePort();
  const text = `${configurationOf(directory, port)}\nbackend be\n  server s 127.0.0.1:1\n`;
  const file = directory.file("x.cfg", text);
  await using sallyport = await RunningSallyport.start(file, { engine: "portable", workers: 2 });
  const { ask, command } = siteOf(directory, port);
  await command(`add acl ${directory.file("list")} /three`);
  assert.match(await command("add server be/t 127.0.0.1:1"), /registered/);
  assert.equal(await ask("/three"), "listed");
  const [worker] = sallyport.workerPids;
  process.kill(worker!, "SIGKILL");
  await sallyport.until(() => /takes its place/.test(sallyport.text), "the worker is replaced");
  await sallyport.until(async () => (await ask("/three")) === "listed", "its successor serves");
  await sallyport.reloadBySignal();
  assert.equal(await ask("/three"), "  ");
});

const COMMANDS: readonly string[] = [
  "show acl", "show map", "show acl #0", "show acl #77", "show acl LIST", "show acl #3", "show acl nope",
  "show map MAP", "show map LIST", "get acl #1 /line", "get acl LIST /ONE", "get acl LIST /none", "get acl #2 8",
  "get map MAP a", "get map MAP none", "get map NETWORKS 10.1.2.3", "get map NETWORKS bad", "get map", "get map #99 x",
  "add acl", "add acl #2", "add acl #2 /new", "add acl #2 /new", "show acl #2", "add acl LIST /three", "add map MAP k",
  "add map MAP k v w", "add map MAP k v2", "show map MAP", "set map MAP k v3", "set map MAP none v", "set map MAP k",
  "show map MAP", "del map MAP k", "del map MAP k", "del map MAP", "del acl #1 none", "clear acl #1", "show acl #1",
  "add map NETWORKS bad v", "add acl NETWORKS 1.2.3.4", "add map NETWORKS 127.0.0.0/8 v", "show map NETWORKS",
  "prepare map MAP", "add map @1 MAP n v", "add map @5 MAP n v", "show map @1 MAP", "show map @0 MAP", "show map @9 MAP",
  "get map MAP n", "clear map @1 MAP", "show map @1 MAP", "add map @1 MAP m w", "prepare map MAP", "commit map MAP",
  "commit map @3 MAP", "commit map @1 MAP", "show map MAP", "get map MAP m", "commit map @1 MAP", "prepare acl #99",
  "commit acl", "clear acl", "clear map /nope", "add acl #99 x", "add map #99",
  "get var proc.count", "get var proc.word", "get var sess.x", "get var", "set var proc.count int(1)",
  "experimental-mode on; set var proc.count int(9); get var proc.count", "experimental-mode on; set var sess.s int(1)",
  "experimental-mode on; set var proc.count fmt a%[var(proc.count)]b; get var proc.count",
  "experimental-mode on; set var proc.count expr str(x),upper; get var proc.count",
  "experimental-mode on; set var proc.new ipv6(::1); get var proc.new; set var proc.new bool(1); get var proc.new",
  "experimental-mode on; set var; set var proc.count; set var proc.count str(a) xx; set var x int(1)",
  "add map MAP <<\nq v\nr  w x\n", "show map MAP", "del acl #77 #0x999999",
]; // biome-ignore format: a list

test("every command answers as HAProxy does", { skip: requires("haproxy") }, async () => {
  using directory = new TestDirectory();
  const port = await freePort();
  const text = configurationOf(directory, port);
  const file = directory.file("haproxy.cfg", text);
  const answers = async () => {
    const all: string[] = [];
    for (const command of COMMANDS) {
      const line = command.replace(/LIST|MAP|NETWORKS/, (name) => directory.file(name.toLowerCase()));
      all.push(`${command}\n${comparable(await askSocket(directory.file("admin.sock"), line))}`);
    }
    return all;
  };
  const haproxy = await startHaproxy(directory.path, text, ["admin.sock"]);
  const theirs = await answers();
  await haproxy.dispose();
  await using _sallyport = await RunningSallyport.start(file, { engine: "portable", workers: 2 });
  assert.deepEqual(await answers(), theirs);
});

/** Without addresses of memory, HAProxy's own lists, and its count of entries that were once there. */
function comparable(answer: string): string {
  return answer
    .replace(/^0x[0-9a-f]+/gm, "0x")
    .replace(/^.*file 'httpclient'.*\n/gm, "")
    .replace(/entry_cnt=\d+/g, "entry_cnt");
}
