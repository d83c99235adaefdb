// What no browser does: tickets in a race, requests that two readers would read differently, frames that
// announce more than there is, floods, and back ends that stop in the middle.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { encodeFrame, OPCODE_CLOSE, OPCODE_PING } from "../../protocol/websocket/frame.ts";
import { CERTIFICATE, ConsoleWorld, upgradeRequest } from "./console.fixture.ts";
import { SEND_BYTES_MAX } from "./viewer.ts";

async function worldOf(t: TestContext, serve: (socket: Socket) => void = () => {}): Promise<ConsoleWorld> {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  await world.start({ web: { serial: await world.backend("serial", serve) } });
  return world;
}

/** What comes back for these bytes, until the server ends. */
async function say(t: TestContext, origin: string, bytes: string): Promise<string> {
  const socket = connect({
    port: Number(new URL(origin).port),
    host: "127.0.0.1",
    ca: CERTIFICATE.certificatePem,
  });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  let text = "";
  socket.on("data", (part: Buffer) => {
    text += part.toString("latin1");
    if (text.startsWith("HTTP/1.1 101")) socket.destroy();
  });
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

test("of many who come with one ticket at once exactly one gets in", async (t) => {
  const world = await worldOf(t);
  const ticket = world.ticket();
  const heads = await Promise.all(Array.from({ length: 20 }, async () => (await world.connect(ticket)).head));
  assert.equal(heads.filter((head) => head.startsWith("HTTP/1.1 101")).length, 1);
  assert.equal(world.audit.filter(({ event }) => event === "ticket-refused").length, 19);
});

test("requests that two readers would read differently are none", async (t) => {
  const world = await worldOf(t);
  const { origin } = world.server;
  const good = upgradeRequest(origin, world.ticket());
  const changes: Readonly<Record<string, (text: string) => string>> = {
    "a body by its length": (text) => text.replace("\r\n\r\n", "\r\ncontent-length: 5\r\n\r\nhello"),
    "a length of nothing": (text) => text.replace("\r\n\r\n", "\r\ncontent-length: 0\r\n\r\n"),
    "a body in chunks": (text) =>
      text.replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    "two lengths": (text) =>
      text.replace("\r\n\r\n", "\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\nhello"),
    "two origins": (text) => text.replace("\r\n\r\n", "\r\norigin: https://evil.example\r\n\r\n"),
    "an origin over two lines": (text) =>
      text.replace(/origin: (.*)/, "origin: $1\r\n  , https://evil.example"),
    "an origin behind a line end of its own": (text) =>
      text.replace(/origin: /, "x: a\nx-origin: b\norigin: "),
    "two keys": (text) => text.replace("\r\n\r\n", "\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
    "two tickets": (text) => text.replace("sallyport.console, ", "sallyport.console, guess, "),
    "a space before a colon": (text) => text.replace("origin:", "origin :"),
    "an older HTTP": (text) => text.replace("HTTP/1.1", "HTTP/1.0"),
    "a head of 20 KiB": (text) => text.replace("\r\n\r\n", `\r\nx: ${"a".repeat(20_000)}\r\n\r\n`),
    "a ticket of 8 KiB": (text) =>
      text.replace("sallyport.console, ", `sallyport.console, ${"a".repeat(8000)}`),
  };
  for (const [words, change] of Object.entries(changes)) {
    const bytes = change(good);
    assert.notEqual(bytes, good, words);
    assert.doesNotMatch(await say(t, origin, bytes), /^HTTP\/1\.1 101/, words);
  }
  assert.match(await say(t, origin, good), /^HTTP\/1\.1 101/, "none of them has used up the ticket");
});

test("who is refused and does not hang up is hung up on", async (t) => {
  const world = await worldOf(t);
  const { origin } = world.server;
  const { port } = new URL(origin);
  const itself = { allowHalfOpen: true };
  const socket = connect({
    port: Number(port),
    host: "127.0.0.1",
    ca: CERTIFICATE.certificatePem,
    ...itself,
  });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(upgradeRequest(origin, "guess.guess"));
  await once(socket, "data");
  // To a connection that is only half closed one could write for ever.
  const writing = setInterval(() => socket.write("x"), 1);
  t.after(() => clearInterval(writing));
  await new Promise((resolve) => socket.once("close", resolve));
});

test("a frame that announces 2^63 bytes, or 2^53, ends the line and costs no memory", async (t) => {
  const world = await worldOf(t);
  for (const length of ["8000000000000000", "0020000000000000", "ffffffffffffffff", "7fffffffffffffff"]) {
    const client = await world.connect(world.ticket());
    const before = process.memoryUsage().arrayBuffers;
    client.socket.write(Buffer.concat([Buffer.of(0x82, 0xff), Buffer.from(length, "hex"), Buffer.alloc(4)]));
    await client.untilClosed();
    assert.ok(client.closed?.code === 1009 || client.closed?.code === 1002, `${client.closed?.code}`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 2 ** 20);
  }
});

test("a flood of pings that nobody takes the answers of keeps to the bounds, and the line goes on", async (t) => {
  let typed = "";
  const { promise: isTyped, resolve } = Promise.withResolvers<void>();
  const world = await worldOf(t, (socket) =>
    socket.on("data", (bytes: Buffer) => {
      typed += bytes.toString();
      resolve();
    }),
  );
  const client = await world.connect(world.ticket());
  client.socket.pause();
  const ping = encodeFrame(OPCODE_PING, Buffer.alloc(125), Buffer.alloc(4));
  for (let i = 0; i < 200; i++) client.socket.write(Buffer.concat(Array.from({ length: 200 }, () => ping)));
  client.send("x");
  await isTyped;
  assert.equal(typed, "x");
  const { waitingBytes } = world.server.list()[0]!;
  assert.ok(waitingBytes < SEND_BYTES_MAX + 64 * 1024, `${waitingBytes}`);
  client.socket.resume();
});

test("a back end that hangs up with one half only, and reads no more, is gone for its viewer", async (t) => {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  const path = join(world.folder, "half");
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    socket.end("bye");
  }).listen(path);
  t.after(() => server.close());
  await once(server, "listening");
  const serial = { address: { kind: "unix", path }, fingerprint: null, passwordFile: null } as const;
  await world.start({ web: { serial } });
  const client = await world.connect(world.ticket());
  client.send(Buffer.alloc(1024 * 1024 - 1));
  await client.untilClosed();
  assert.equal(client.closed?.reason, "The machine has closed its console.");
  assert.equal(client.received.toString(), "bye");
});

test("a VNC server that says nothing is given up", async (t) => {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  const { promise: isThere, resolve } = Promise.withResolvers<void>();
  const vnc = await world.backend("vnc", () => resolve());
  await world.start({ web: { vnc } });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const client = await world.connect(world.ticket({ kind: "vnc" }));
  await isThere;
  // The other end of a unix socket is there a moment before this one knows.
  await new Promise((done) => setImmediate(done));
  t.mock.timers.tick(10_001);
  await client.untilClosed();
  assert.equal(world.ended()?.["detail"], "no login in 10 seconds");
  t.mock.timers.reset();
});

test("who has lost his line comes back once, with the time that he has left; who was sent away does not", async (t) => {
  const world = await worldOf(t, (socket) => socket.write("login: "));
  const lost = await world.connect(world.ticket());
  await lost.untilText("login: ");
  await lost.until(() => lost.renewal !== null);
  const [first] = world.server.list();
  const back = await world.connect(lost.renewal!);
  assert.match(await back.head, /^HTTP\/1\.1 101/);
  // The old line was not dead, as far as anybody knew.
  await lost.untilClosed();
  assert.equal(lost.closed?.code, 4003);
  assert.equal(world.audit.findLast(({ event }) => event === "open")?.["resumes"], first!.id);
  assert.equal(world.ended()?.["reason"], "resumed");
  assert.match(await (await world.connect(lost.renewal!)).head, /403/, "each ticket once");
  await back.until(() => back.renewal !== null);
  assert.match(
    await (await world.connect(back.renewal!, { from: "127.0.0.2" })).head,
    /403/,
    "from elsewhere",
  );
  world.server.kick("anna");
  await back.untilClosed();
  assert.match(await (await world.connect(back.renewal!)).head, /403/, "kicked");
  const other = await world.connect(world.ticket());
  await other.until(() => other.renewal !== null);
  other.socket.write(encodeFrame(OPCODE_CLOSE, Buffer.alloc(0), Buffer.alloc(4)));
  await other.untilClosed();
  assert.match(await (await world.connect(other.renewal!)).head, /403/, "he has closed it himself");
});
