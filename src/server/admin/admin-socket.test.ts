import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { StatsSocket } from "../../model/global-settings.ts";
import { makeDirectory, removeDirectory } from "../../proxy/balance/haproxy.fixture.ts";
import { makeActions } from "./actions.fixture.ts";
import { AdminSocket, AdminSockets } from "./admin-socket.ts";
import { makeRuntime } from "./runtime.fixture.ts";
import { RuntimeApi } from "./runtime-api.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));
const IDLE_MS = 60_000;

const CONFIGURATION =
  "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nbackend be\n server s1 127.0.0.1:1\n";

function makeApi(ready?: Promise<void>): RuntimeApi {
  return new RuntimeApi(makeActions(makeRuntime(CONFIGURATION, 1_800_000_000_000), 1_800_000_000_000), ready);
}

function unixSocket(name: string, level: StatsSocket["level"] = "admin"): StatsSocket {
  return {
    address: { kind: "unix", path: path.join(directory, name), mode: 0o640, uid: null, gid: null },
    level,
    span: NO_SPAN,
  };
}

async function withSocket(
  definition: StatsSocket,
  use: (socket: AdminSocket) => Promise<void>,
): Promise<void> {
  const opened = await AdminSocket.open(definition, makeApi(), IDLE_MS);
  assert.ok(opened.ok);
  try {
    await use(opened.value);
  } finally {
    await opened.value.close();
  }
}

/** Sends the input and returns all that came until the other side closed. */
function talk(target: net.NetConnectOpts, input: string, isHalfClosed: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(target, () => (isHalfClosed ? socket.end(input) : socket.write(input)));
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    socket.on("end", () => resolve(answer)).on("error", reject);
  });
}

test("a line is answered and the connection ends, whether the client has closed its side or not", async () => {
  const definition = unixSocket("one.sock");
  await withSocket(definition, async () => {
    const target = { path: path.join(directory, "one.sock") };
    assert.equal(await talk(target, "show cli level\n", true), "admin\n\n");
    assert.equal(await talk(target, "show cli level\n", false), "admin\n\n");
    assert.equal(await talk(target, "show cli level; show backend\n", true), "admin\n\n# name\nbe\n\n");
  });
});

test("lines that came together are all answered", async () => {
  await withSocket(unixSocket("lines.sock"), async () => {
    const answer = await talk(
      { path: path.join(directory, "lines.sock") },
      "show cli level\r\nshow backend\n",
      true,
    );
    assert.equal(answer, "admin\n\n# name\nbe\n\n");
  });
});

test("input without a newline is no command", async () => {
  await withSocket(unixSocket("half.sock"), async () => {
    assert.equal(await talk({ path: path.join(directory, "half.sock") }, "show cli level", true), "");
  });
});

test("with the prompt the connection stays until quit", async () => {
  await withSocket(unixSocket("prompt.sock"), async () => {
    const answer = await talk(
      { path: path.join(directory, "prompt.sock") },
      "prompt\nshow cli level\nquit\nshow backend\n",
      false,
    );
    assert.equal(answer, "\n> admin\n\n> \n");
  });
});

test("a line longer than a buffer ends the connection", async () => {
  await withSocket(unixSocket("long.sock"), async () => {
    const answer = await talk({ path: path.join(directory, "long.sock") }, "x".repeat(20_000), false).catch(
      () => "",
    );
    assert.equal(answer, "");
  });
});

test("the file has the configured mode, takes the place of a stale one, and is removed at the end", async () => {
  const file = path.join(directory, "mode.sock");
  writeFileSync(file, "stale");
  await withSocket(unixSocket("mode.sock"), async () => {
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.ok(statSync(file).isSocket());
  });
  assert.equal(existsSync(file), false);
});

test("a TCP socket has the level of its line", async () => {
  const definition: StatsSocket = {
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    level: "user",
    span: NO_SPAN,
  };
  await withSocket(definition, async (socket) => {
    const target = { host: "127.0.0.1", port: socket.port };
    assert.equal(await talk(target, "show cli level\n", true), "user\n\n");
    assert.equal(await talk(target, "disable server be/s1\n", true), "Permission denied\n\n");
  });
});

test("a reload opens and closes only what changed, and says what it could not open", async () => {
  const sockets = new AdminSockets(makeApi());
  const [kept, gone] = [unixSocket("kept.sock"), unixSocket("gone.sock")];
  assert.deepEqual(await sockets.open([kept, gone], IDLE_MS), []);
  sockets.keep([kept, gone], IDLE_MS);
  const inode = statSync(path.join(directory, "kept.sock")).ino;
  const impossible = unixSocket("none/such.sock");
  const [kept2, fresh] = [{ ...kept, level: "user" } as const, unixSocket("fresh.sock")];
  const problems = await sockets.open([kept2, fresh, impossible], IDLE_MS);
  assert.deepEqual(
    problems.map(({ socket }) => socket),
    [impossible],
  );
  assert.match(problems[0]!.message, /cannot listen/);
  assert.equal(existsSync(path.join(directory, "gone.sock")), true, "it can still be undone");
  sockets.keep([kept2, fresh], IDLE_MS);
  assert.equal(statSync(path.join(directory, "kept.sock")).ino, inode);
  assert.equal(await talk({ path: path.join(directory, "kept.sock") }, "show cli level\n", true), "user\n\n");
  assert.equal(existsSync(path.join(directory, "fresh.sock")), true);
  assert.equal(existsSync(path.join(directory, "gone.sock")), false);
  await sockets.close();
  assert.equal(existsSync(path.join(directory, "kept.sock")), false);
});

test("the socket that a successor has put in its place stays when the first one closes", async () => {
  const [first, second] = [new AdminSockets(makeApi()), new AdminSockets(makeApi())];
  const definition = unixSocket("successor.sock");
  assert.deepEqual(await first.open([definition], IDLE_MS), []);
  assert.deepEqual(await second.open([definition], IDLE_MS), []);
  await first.close();
  assert.equal(
    await talk({ path: path.join(directory, "successor.sock") }, "show cli level\n", true),
    "admin\n\n",
  );
  await second.close();
  assert.equal(existsSync(path.join(directory, "successor.sock")), false);
});

test("a line that comes before anything is served waits, and is answered then", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const opened = await AdminSocket.open(unixSocket("early.sock"), makeApi(promise), IDLE_MS);
  assert.ok(opened.ok);
  let answer = "";
  const talking = talk({ path: path.join(directory, "early.sock") }, "show cli level\n", true).then(
    (text) => (answer = text),
  );
  await talk({ path: path.join(directory, "none.sock") }, "", true).catch(() => {});
  assert.equal(answer, "");
  resolve();
  await talking;
  assert.equal(answer, "admin\n\n");
  await opened.value.close();
});

test("a socket that closes before anything is served ends those who wait", async () => {
  const opened = await AdminSocket.open(unixSocket("never.sock"), makeApi(new Promise(() => {})), IDLE_MS);
  assert.ok(opened.ok);
  const client = net.connect(path.join(directory, "never.sock"));
  client.on("error", () => {}).resume();
  const ended = new Promise<void>((resolve) => client.on("close", () => resolve()));
  await new Promise<void>((resolve) =>
    client.on("connect", () => client.write("show info\n", () => resolve())),
  );
  await opened.value.close();
  await ended;
});
