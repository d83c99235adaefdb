import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { freePort } from "../../test/free-port.ts";
import { lacksNotifySocket, openNotifySocket } from "../io/notify-socket.fixture.ts";
import { listRegistry } from "../server/registry.ts";
import { World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

function configuration(port: number, answer: string): string {
  return `defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ${answer}
`;
}

const answerOf = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();

test("it serves, is in the registry, reloads, refuses a broken file, and ends when told", async () => {
  const port = await freePort();
  const file = world.path("a.cfg");
  writeFileSync(file, configuration(port, "one"));
  const program = world.start(["run", "--workers", "1", "--pid-file", world.path("pid"), file]);
  await program.saw(/serving with 1 worker on the (uring|portable) engine/);
  assert.equal(await answerOf(port), "one");
  const [entry] = listRegistry(world.path("sallyport"));
  assert.deepEqual([entry?.pid, entry?.files], [program.pid, [file]]);
  assert.equal(readFileSync(world.path("pid"), "utf8"), `${program.pid}\n`);

  writeFileSync(file, configuration(port, "two"));
  program.signal("SIGHUP");
  await program.saw(/: reloaded\n/);
  assert.equal(await answerOf(port), "two");

  writeFileSync(file, configuration(port, "three").replace("mode http", "mode htp"));
  program.signal("SIGUSR2");
  await program.saw(/error.*`?htp`?[\s\S]*not reloaded: the old configuration goes on/);
  assert.equal(await answerOf(port), "two");

  program.signal("SIGTERM");
  const { code, output } = await program.ended;
  assert.deepEqual([code, output], [0, ""]);
  assert.deepEqual(listRegistry(world.path("sallyport")), []);
  assert.equal(existsSync(world.path("pid")), false);
});

test("USR1 and a first Ctrl-C finish what is going on, a second Ctrl-C does not wait", async (t) => {
  const port = await freePort();
  const slow = createServer((socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1");
  t.after(() => slow.close());
  await once(slow, "listening");
  const { port: slowPort } = slow.address() as { port: number };
  const file = world.path("slow.cfg");
  writeFileSync(
    file,
    configuration(port, "x").replace(
      / {2}http-request.*/,
      `  default_backend b\nbackend b\n  server s 127.0.0.1:${slowPort}`,
    ),
  );
  const program = world.start(["run", "--workers", "1", file]);
  await program.saw(/serving with/);
  const request = fetch(`http://127.0.0.1:${port}/`).then(
    () => "answered",
    () => "cut",
  );
  await once(slow, "connection");
  program.signal("SIGINT");
  await program.saw(/Ctrl-C again ends it now/);
  program.signal("SIGINT");
  assert.equal((await program.ended).code, 0);
  assert.equal(await request, "cut");
});

test("what cannot be served is one clear sentence and exit code 1", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  t.after(() => holder.close());
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  const file = world.path("taken.cfg");
  writeFileSync(file, configuration(port, "x"));
  const taken = await world.run(["run", "--workers", "1", file]);
  assert.deepEqual([taken.code, taken.output], [1, ""]);
  assert.match(taken.complaints, new RegExp(`taken\\.cfg:7: .*127\\.0\\.0\\.1:${port}`));
  const missing = await world.run(["run", world.path("none.cfg")]);
  assert.equal(missing.code, 1);
  assert.match(missing.complaints, /there is no file/);
});

test("an engine and a number of workers that do not exist are refused", async () => {
  const engine = await world.run(["run", "--engine", "steam", "x.cfg"]);
  assert.match(engine.complaints, /there is no engine steam: auto, uring or portable/);
  const workers = await world.run(["run", "--workers", "0", "x.cfg"]);
  assert.match(workers.complaints, /--workers takes a number from 1 to 64/);
  assert.deepEqual([engine.code, workers.code], [1, 1]);
});

test("`sallyport status` and `sallyport reload` find it and say how it is doing", async () => {
  const port = await freePort();
  const file = world.path("found.cfg");
  writeFileSync(file, configuration(port, "one"));
  const nothing = await world.run(["status"]);
  assert.deepEqual([nothing.code, nothing.output], [1, ""]);
  const program = world.start(["run", "--workers", "1", file]);
  await program.saw(/serving with/);
  await answerOf(port);

  const text = await world.run(["status"]);
  assert.equal(text.code, 0, text.complaints);
  assert.ok(text.output.startsWith(`${file}  pid ${program.pid}, up `), text.output);
  assert.match(text.output, /^ {2}in +OPEN /m);
  const json = await world.run(["status", "--json", "--pid", String(program.pid)]);
  const [{ pid, rows }] = JSON.parse(json.output) as [{ pid: number; rows: Record<string, unknown>[] }];
  assert.deepEqual([pid, rows[0]?.["svname"], rows[0]?.["req_tot"]], [program.pid, "FRONTEND", 1]);

  writeFileSync(file, configuration(port, "two"));
  assert.deepEqual(await world.run(["reload"]), { code: 0, output: "reloaded\n", complaints: "" });
  assert.equal(await answerOf(port), "two");
  writeFileSync(file, configuration(port, "three").replace("mode http", "mode htp"));
  const refused = await world.run(["reload"]);
  assert.deepEqual([refused.code, refused.output], [1, ""]);
  assert.match(
    refused.complaints,
    /found\.cfg:2:8: error[\s\S]*not reloaded: the old configuration goes on\n$/,
  );
  assert.equal(await answerOf(port), "two");

  const other = await world.run(["reload", "--pid", "1"]);
  assert.deepEqual([other.code, /there is no process 1 of ours/.test(other.complaints)], [1, true]);
  program.signal("SIGTERM");
  await program.ended;
});

test("systemd hears when it serves, reloads and stops", { skip: lacksNotifySocket() }, async (t) => {
  const file = world.path("notify.cfg");
  writeFileSync(file, configuration(await freePort(), "x"));
  const socket = openNotifySocket(world.path("notify"), false);
  t.after(() => socket.close());
  const program = world.start(["run", "--workers", "1", file], { NOTIFY_SOCKET: world.path("notify") });
  const heard = async () => {
    for (;;) {
      const text = socket.receive();
      if (text !== null) return text;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  assert.equal(await heard(), `READY=1\nMAINPID=${program.pid}`);
  program.signal("SIGHUP");
  assert.match(await heard(), /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  assert.equal(await heard(), "READY=1\nSTATUS=serving");
  program.signal("SIGTERM");
  assert.equal(await heard(), "STOPPING=1");
  assert.equal((await program.ended).code, 0);
});
