import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { freePort } from "../../test/free-port.ts";
import { findCommand, requires } from "../../test/requirements.ts";
import { isRunning, listRegistry } from "../server/registry.ts";
import { runAsHaproxy } from "./haproxy-command.ts";
import { recordedTerminal, World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

const DEFAULTS = "defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s\n";

function configuration(port: number, more = ""): string {
  return `${DEFAULTS}frontend in\n  bind 127.0.0.1:${port}\n  http-request return status 200 content-type text/plain string served\n${more}`;
}

test("-v and -vv say the version, the engines and the features", async () => {
  const short = await world.run(["-v"]);
  assert.match(short.output, /^Sallyport version \S+ - reads haproxy\.cfg as HAProxy 2\.6\n$/);
  const long = await world.run(["-vv"]);
  assert.ok(long.output.startsWith(short.output));
  assert.match(long.output, /^Engines: uring .*, portable$/m);
  assert.match(long.output, /^Feature list : .*\+OPENSSL/m);
  assert.deepEqual([short.code, long.code], [0, 0]);
});

test("-c says valid, not valid, and nothing to listen on, with HAProxy's words and exit codes", async () => {
  const good = world.path("good.cfg");
  writeFileSync(good, configuration(8080));
  assert.deepEqual(await world.run(["-c", "-f", good]), {
    code: 0,
    output: "Configuration file is valid\n",
    complaints: "",
  });
  const old = world.path("old.cfg");
  writeFileSync(old, configuration(8080, "  reqidel ^X-Old:\n"));
  const warned = await world.run(["-c", "-f", old]);
  assert.equal(warned.output, "Warnings were found.\nConfiguration file is valid\n");
  assert.equal(warned.code, 0);
  assert.equal((await world.run(["-c", "-dW", "-f", old])).code, 1);
  const bad = world.path("bad.cfg");
  writeFileSync(bad, configuration(8080, "  bnid :81\n"));
  const refused = await world.run(["-c", "-f", bad]);
  assert.deepEqual([refused.code, refused.output], [1, ""]);
  assert.match(refused.complaints, /bad\.cfg:9:3: error/);
  writeFileSync(world.path("empty.cfg"), DEFAULTS);
  const empty = await world.run(["-c", "-f", world.path("empty.cfg")]);
  assert.deepEqual([empty.code, empty.complaints], [2, ""]);
});

test("-q leaves only errors", async () => {
  const quiet = await world.run(["-c", "-q", "-f", world.path("old.cfg")]);
  assert.deepEqual(quiet, { code: 0, output: "", complaints: "" });
});

const QUOTED = [
  `streq("a b",'a b')`,
  'defined(HOME) && strneq("$HOME",x)',
  'streq(a,"a)',
  "!(0))",
  "200rrr",
  "defined(toString)",
];

test("-c and -cc end with the exit codes of HAProxy itself", { skip: requires("haproxy") }, async () => {
  const haproxy = findCommand("haproxy")!;
  const lines = [
    ...["good", "bad", "empty", "nothing"].map((name) => ["-c", "-f", world.path(`${name}.cfg`)]),
    ["-c"],
    ["-Q"],
    ["-f"],
    ["-cc"],
    ...[
      "1",
      "0",
      "version_atleast(2.5)",
      "version_before(2.5)",
      "streq(a,b)",
      "nonsense",
      "(1",
      ...QUOTED,
    ].map((text) => ["-cc", text]),
  ];
  for (const line of lines) {
    const terminal = recordedTerminal();
    const ours = await runAsHaproxy(line, terminal);
    assert.equal(ours, spawnSync(haproxy, line).status, `${line.join(" ")}\n${terminal.complaints}`);
  }
});

test("without files its usage is shown", async () => {
  const { code, output, complaints } = await world.run(["-W"]);
  assert.deepEqual([code, output], [1, ""]);
  assert.match(complaints, /^Usage: sallyport -f FILE/);
});

test("-D comes back once it serves, and leaves a process whose number is in the pid file", async () => {
  const folder = world.path("daemon");
  mkdirSync(folder);
  const port = await freePort();
  writeFileSync(`${folder}/a.cfg`, configuration(port, "global\n  nbthread 1\n"));
  const first = await world.run(["-D", "-C", folder, "-f", "a.cfg", "-p", "a.pid"]);
  assert.deepEqual([first.code, first.output], [0, ""]);
  const pid = Number(readFileSync(`${folder}/a.pid`, "utf8"));
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "served");
  assert.deepEqual(
    listRegistry(world.path("sallyport")).map((entry) => entry.pid),
    [pid],
  );
  // The successor shares the port, and the predecessor ends when it is told.
  const second = await world.run(["-D", "-C", folder, "-f", "a.cfg", "-p", "b.pid", "-sf", String(pid)]);
  assert.equal(second.code, 0);
  const successor = Number(readFileSync(`${folder}/b.pid`, "utf8"));
  await endOf(pid);
  assert.equal(existsSync(`${folder}/a.pid`), false);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "served");
  process.kill(successor, "SIGTERM");
  await endOf(successor);
});

test("-D with a port that is in use says so and ends with 1", async () => {
  const taken = world.path("taken.cfg");
  writeFileSync(taken, configuration(8080).replace("127.0.0.1:8080", "192.0.2.1:8080"));
  const { code, complaints } = await world.run(["-D", "-f", taken]);
  assert.equal(code, 1);
  assert.match(complaints, /cannot listen on 192\.0\.2\.1:8080/);
});

async function endOf(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}
