import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createServer as createTlsBackend } from "node:tls";
import { answerChallenge } from "../../protocol/rfb/challenge.ts";
import { encodeFrame, OPCODE_CLOSE } from "../../protocol/websocket/frame.ts";
import { CERTIFICATE, ConsoleWorld } from "./console.fixture.ts";
import { SEND_BYTES_MAX } from "./viewer.ts";

function worldOf(t: TestContext): ConsoleWorld {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  return world;
}

const echo = (socket: Socket) => {
  socket.write("login: ");
  socket.pipe(socket);
};

test("a serial line goes both ways, and the audit log says who, where, how long, how much and why", async (t) => {
  const world = worldOf(t);
  await world.start({ web: { serial: await world.backend("serial", echo) } });
  const client = await world.connect(world.ticket());
  client.send("root\r");
  await client.untilText("login: root\r");
  client.socket.write(encodeFrame(OPCODE_CLOSE, Buffer.alloc(0), Buffer.alloc(4)));
  await client.untilClosed();
  assert.deepEqual(
    world.audit.map(({ event }) => event),
    ["open", "close"],
  );
  const { seconds, session, ...rest } = world.ended()!;
  assert.deepEqual(rest, {
    event: "close",
    user: "anna",
    machine: "web",
    kind: "serial",
    viewOnly: false,
    client: "127.0.0.1",
    bytesToViewer: 12,
    bytesFromViewer: 5,
    reason: "closed by the viewer",
  });
  assert.equal(typeof seconds, "number");
  assert.equal(session, world.audit[0]?.["session"]);
});

test("a used, expired, guessed, altered or foreign ticket gets one and the same answer", async (t) => {
  const world = worldOf(t);
  await world.start({ web: { serial: await world.backend("serial", echo) } });
  const good = world.ticket();
  assert.match(await (await world.connect(good)).head, /^HTTP\/1\.1 101/);
  const fresh = world.ticket();
  const answers = new Set<string>();
  for (const [ticket, options] of [
    [good, {}],
    [world.ticket({}, Date.now() - 61_000), {}],
    ["guess.guess", {}],
    [`${fresh.slice(0, -2)}AA`, {}],
    [`A${fresh.slice(1)}`, {}],
    [fresh, { from: "127.0.0.2" }],
    [fresh, { origin: "https://evil.example" }],
    [world.ticket({ origin: "https://evil.example" }), { origin: "https://evil.example" }],
    [world.ticket({ machine: "other" }), {}],
    [world.ticket({ kind: "vnc" }), {}],
  ] as const)
    answers.add(await (await world.connect(ticket, options)).head);
  assert.equal(answers.size, 1);
  assert.match([...answers][0]!, /^HTTP\/1\.1 403 Refused\r\n/);
  assert.equal(world.audit.filter(({ event }) => event === "ticket-refused").length, 10);
  // Who tried it from elsewhere has not used it up.
  assert.match(await (await world.connect(fresh)).head, /^HTTP\/1\.1 101/);
});

const version = Buffer.from("RFB 003.008\n");
const serverInit = Buffer.concat([Buffer.alloc(20), Buffer.of(0, 0, 0, 4), Buffer.from("QEMU")]);

/** A VNC server that wants the password "secret". Gives what it is sent behind the handshake. */
function vncServer(heard: Buffer[]) {
  const challenge = Buffer.alloc(16, 5);
  const expected = Buffer.concat([version, Buffer.of(2), answerChallenge(challenge, "secret"), Buffer.of(1)]);
  return (socket: Socket) => {
    socket.write(Buffer.concat([version, Buffer.of(1, 2), challenge, Buffer.alloc(4)]));
    let login = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      if (login.equals(expected)) {
        heard.push(bytes);
        socket.write("heard");
        return;
      }
      login = Buffer.concat([login, bytes]);
      if (login.equals(expected)) socket.write(serverInit);
      else if (login.length >= expected.length) socket.destroy();
    });
  };
}

test("a screen is shown without its password being asked, and who may only look sends no keys", async (t) => {
  const world = worldOf(t);
  const heard: Buffer[] = [];
  const passwordFile = join(world.folder, "password");
  writeFileSync(passwordFile, "secret\n");
  const vnc = { ...(await world.backend("vnc", vncServer(heard))), passwordFile };
  await world.start({ web: { vnc } });
  for (const isViewOnly of [false, true]) {
    heard.length = 0;
    const client = await world.connect(world.ticket({ kind: "vnc", isViewOnly }));
    await client.until(() => client.received.equals(version));
    client.send(version);
    await client.until(() => client.received.length === version.length + 2);
    client.send(Buffer.of(1, 1));
    await client.until(() => client.received.includes("QEMU"));
    const update = Buffer.of(3, 0, 0, 0, 0, 0, 1, 0, 1, 0);
    const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 65);
    client.send(Buffer.concat([key, update]));
    await client.untilText("heard");
    assert.deepEqual(Buffer.concat(heard), isViewOnly ? update : Buffer.concat([key, update]));
    client.send(Buffer.of(99));
    await client.untilClosed();
    assert.equal(client.closed?.code, 1002);
  }
});

test("a wrong password or a backend that is not there is told without an address", async (t) => {
  const world = worldOf(t);
  const passwordFile = join(world.folder, "password");
  writeFileSync(passwordFile, "wrong\n");
  const vnc = { ...(await world.backend("vnc", vncServer([]))), passwordFile };
  const address = { kind: "unix", path: join(world.folder, "nobody") } as const;
  await world.start({ web: { vnc, serial: { address, fingerprint: null, passwordFile: null } } });
  const missing = await world.connect(world.ticket());
  await missing.untilClosed();
  assert.equal(missing.closed?.reason, "The machine's console cannot be reached.");
  assert.match(String(world.ended()?.["detail"]), /nobody/);
  const refused = await world.connect(world.ticket({ kind: "vnc" }));
  await refused.untilClosed();
  assert.doesNotMatch(refused.closed!.reason, /\//);
});

test("behind TLS only the certificate with the fingerprint is taken", async (t) => {
  const world = worldOf(t);
  const { certificatePem: cert, keyPem: key } = CERTIFICATE;
  const backend = createTlsBackend({ cert, key }, (socket) => {
    socket.on("error", () => {});
    socket.end("over TLS");
  });
  backend.listen(0, "127.0.0.1");
  t.after(() => backend.close());
  await once(backend, "listening");
  const { port } = backend.address() as AddressInfo;
  const right = new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
  const address = { kind: "tls", host: "127.0.0.1", port } as const;
  await world.start({
    web: { serial: { address, fingerprint: right, passwordFile: null } },
    db: { serial: { address, fingerprint: "00".repeat(32), passwordFile: null } },
  });
  const client = await world.connect(world.ticket());
  await client.untilClosed();
  assert.equal(client.received.toString(), "over TLS");
  const other = await world.connect(world.ticket({ machine: "db" }));
  await other.untilClosed();
  assert.equal(other.received.length, 0);
  assert.match(String(world.ended()?.["detail"]), /certificate has the fingerprint/);
});

test("several see one serial line, a newcomer what there was, and who is kicked sees why", async (t) => {
  const world = worldOf(t);
  let connections = 0;
  const serial = await world.backend("serial", (socket) => {
    connections++;
    echo(socket);
  });
  await world.start({ web: { serial } });
  const anna = await world.connect(world.ticket());
  await anna.untilText("login: ");
  const bert = await world.connect(world.ticket({ user: "bert", isViewOnly: true }));
  await bert.untilText("login: ");
  bert.send("bert must not type");
  anna.send("anna types");
  await bert.untilText("anna types");
  assert.doesNotMatch(bert.received.toString(), /must not/);
  assert.equal(connections, 1);
  assert.equal(world.server.list().length, 2);
  assert.equal(world.server.kick("nobody"), 0);
  assert.equal(world.server.kick("bert"), 1);
  await bert.untilClosed();
  assert.deepEqual(bert.closed, { code: 4002, reason: "Closed by an administrator." });
  assert.equal(world.ended()?.["reason"], "kicked");
  anna.send("still here");
  await anna.untilText("still here");
});

test("a console without input and one that is open too long are closed, each with its reason", async (t) => {
  for (const [limits, reason] of [
    [{ idleMs: 30, sessionMs: 0 }, "idle"],
    [{ idleMs: 0, sessionMs: 30 }, "session limit"],
  ] as const) {
    const world = worldOf(t);
    await world.start({ web: { serial: await world.backend("serial", echo) } }, { limits });
    const client = await world.connect(world.ticket());
    await client.untilClosed();
    assert.equal(world.ended()?.["reason"], reason);
  }
});

test("a hundred consoles go on beside a viewer who reads nothing, whose bytes in memory stay bounded", async (t) => {
  const world = worldOf(t);
  const screens = new Set<Socket>();
  const chunk = Buffer.alloc(16 * 1024, 0x41);
  const total = 4 * 1024 * 1024;
  const flood = (socket: Socket) => {
    screens.add(socket);
    let sent = 0;
    const more = () => {
      while (sent < total) {
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", more);
    socket.once("data", more);
  };
  await world.start({
    web: { serial: await world.backend("echo", echo) },
    flood: { serial: await world.backend("flood", flood) },
  });
  const slow = await world.connect(world.ticket({ machine: "flood" }));
  slow.socket.pause();
  const fast = await world.connect(world.ticket({ machine: "flood" }));
  fast.keepsBytes = false;
  const others = await Promise.all(Array.from({ length: 98 }, () => world.connect(world.ticket())));
  fast.send("begin");
  await fast.until(() => fast.receivedBytes >= total);
  others[0]!.send("all hear this");
  await Promise.all(others.map((one) => one.untilText("all hear this")));
  assert.equal(world.server.list().length, 100);
  const waiting = world.server.list().map(({ waitingBytes }) => waitingBytes);
  assert.ok(Math.max(...waiting) > 0, "the slow one waits");
  // The last piece may go over the limit by as much as one read brings.
  assert.ok(Math.max(...waiting) <= SEND_BYTES_MAX + 64 * 1024 + 16, `${Math.max(...waiting)} bytes`);
  slow.socket.resume();
  await slow.until(() => slow.received.includes("\x1bc"));
});
