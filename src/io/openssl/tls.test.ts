// TLS on the uring engine as OpenSSL's own command line and raw sockets see it: what the contract suite
// cannot.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { Connection, ConnectionHandler, Listener, TlsServerSpec } from "../../transport/contract.ts";
import { createTestAuthority } from "../test-certificates.ts";
import type { UringEngine } from "../uring/engine.ts";
import { openUringEngine, pumpUntil, withUringEngine } from "../uring/harness.ts";
import { type OpenSsl, openOpenSsl } from "./library.ts";

const authority = createTestAuthority("Test Authority");
const unnamed = createTestAuthority("Unnamed Authority");
const SPEC: TlsServerSpec = {
  certificates: [authority.issue({ commonName: "a.example" }), authority.issue({ commonName: "b.example" })],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: null,
  ciphersuites: null,
  curves: null,
  alpn: ["h2", "http/1.1"],
  strictSni: false,
  clientVerify: null,
  ticketKeys: Uint8Array.from({ length: 80 }, (_, i) => i * 3),
};

function openSsl(): OpenSsl {
  const result = openOpenSsl();
  assert(result.ok);
  return result.value;
}

interface Served {
  readonly listener: Listener;
  readonly failures: string[];
  readonly closed: Connection[];
}

/** Echoes on a TLS listener. */
function serve(engine: UringEngine, spec: Partial<TlsServerSpec> = {}): Served {
  const context = engine.createTlsServerContext({ ...SPEC, ...spec });
  assert(context.ok, context.ok ? "" : context.error.message);
  let listener: Listener | null = null;
  const failures: string[] = [];
  const closed: Connection[] = [];
  const handler: ConnectionHandler = {
    handleOpen() {},
    handleData(connection, chunk, start, end) {
      connection.send(chunk, start, end);
    },
    handleDrain() {},
    handleEnd(connection) {
      connection.close();
    },
    handleClose(connection, cause) {
      closed.push(connection);
      if (cause !== null) failures.push(`${cause.kind}: ${cause.message}`);
    },
  };
  const options = {
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    backlog: 512,
    tls: context.value,
    acceptProxy: false,
    handshakeTimeoutMs: 10_000,
    reusePort: false,
  } as const;
  engine.listen(options, { accept: () => handler }, (result) => {
    assert(result.ok);
    listener = result.value;
  });
  return { listener: listener!, failures, closed };
}

/** Runs `openssl s_client`, feeding it `input`, and returns all it says. */
async function client(
  engine: UringEngine,
  port: number,
  parameters: readonly string[],
  input = "",
): Promise<string> {
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...parameters]);
  let output = "";
  let isClosed = false;
  child.stdout.on("data", (data) => {
    output += data;
  });
  child.stderr.on("data", (data) => {
    output += data;
  });
  child.on("close", () => {
    isClosed = true;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  await pumpUntil(engine, () => isClosed);
  return output;
}

test("openssl s_client agrees on versions, protocol and certificate", async () =>
  withUringEngine(async (engine) => {
    const { listener, closed } = serve(engine);
    const { port } = listener.address;
    const modern = await client(engine, port, ["-servername", "b.example", "-alpn", "http/1.1"]);
    assert.match(modern, /New, TLSv1\.3, Cipher is TLS_/);
    assert.match(modern, /subject=CN ?= ?b\.example/);
    assert.match(modern, /ALPN protocol: http\/1\.1/);
    const older = await client(engine, port, ["-tls1_2"]);
    assert.match(older, /New, TLSv1\.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256/);
    assert.match(older, /subject=CN ?= ?a\.example/);
    assert.match(older, /Secure Renegotiation IS supported/);
    await pumpUntil(engine, () => closed.length === 2);
    assert.equal(closed[0]!.tls?.alpn, "http/1.1");
  }));

test("TLS 1.1 is refused by default and served where it is asked for", async () =>
  withUringEngine(async (engine) => {
    const refusing = serve(engine);
    const old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    assert.match(await client(engine, refusing.listener.address.port, old), /alert protocol version/);
    await pumpUntil(engine, () => refusing.failures.length === 1);
    assert.equal(refusing.failures[0], "tls: TLS handshake failed: unsupported protocol");
    const serving = serve(engine, { minVersion: "TLSv1.0" });
    assert.match(await client(engine, serving.listener.address.port, old), /Protocol *: TLSv1\.1/);
  }));

test("renegotiation that a client asks for is refused", async () =>
  withUringEngine(async (engine) => {
    const { listener } = serve(engine);
    const output = await client(engine, listener.address.port, ["-tls1_2"], "R\n");
    assert.match(output, /no renegotiation/);
  }));

test("an unknown name under strict SNI gets the alert unrecognized_name", async () =>
  withUringEngine(async (engine) => {
    const { listener } = serve(engine, { strictSni: true });
    const output = await client(engine, listener.address.port, ["-servername", "c.example"]);
    assert.match(output, /unrecognized name/);
  }));

test("a certificate brings its own versions, groups, protocols and question for the client's certificate", async () =>
  withUringEngine(async (engine) => {
    const [first, second] = SPEC.certificates;
    const clientVerify = {
      mode: "optional",
      caPem: authority.certificatePem,
      crlPem: null,
      unnamedCaPem: unnamed.certificatePem,
    } as const;
    const settings = {
      ...SPEC,
      maxVersion: "TLSv1.2",
      curves: "P-384",
      alpn: ["http/1.1"],
      clientVerify,
    } as const;
    const varied = { ...second!, names: ["*.list.example", "!not.list.example"], settings };
    const { listener } = serve(engine, { certificates: [first!, varied], curves: "X25519:P-384" });
    const ask = (name: string) =>
      client(engine, listener.address.port, ["-servername", name, "-alpn", "h2,http/1.1"]);
    const own = await ask("www.list.example");
    assert.match(own, /subject=CN *= *b\.example/);
    assert.match(own, /Protocol *: TLSv1\.2/);
    assert.match(own, /ALPN protocol: http\/1\.1/);
    assert.match(own, /P-384|secp384r1/);
    assert.match(own, /Acceptable client certificate CA names\n *CN *= *Test Authority\n(?!CN)/);
    for (const name of ["not.list.example", "b.example"]) {
      const other = await ask(name);
      assert.match(other, /subject=CN *= *a\.example/);
      assert.match(other, /New, TLSv1\.3/);
      assert.match(other, /ALPN protocol: h2/);
      assert.match(other, /No client certificate CA names sent/);
    }
  }));

test("a key that does not belong to its certificate is named in one sentence", () => {
  const engine = openUringEngine();
  const [first, second] = SPEC.certificates;
  const mixed = { ...first!, keyPem: second!.keyPem, name: "site.pem" };
  const result = engine.createTlsServerContext({ ...SPEC, certificates: [mixed] });
  assert(!result.ok);
  assert.match(result.error.message, /^the private key of site\.pem does not belong to its certificate/);
  const broken = engine.createTlsServerContext({ ...SPEC, certificates: [{ ...mixed, keyPem: "nothing" }] });
  assert(!broken.ok);
  assert.match(broken.error.message, /^site\.pem holds no private key/);
  for (const setting of [
    { ciphers: "NOT-A-CIPHER" },
    { ciphersuites: "NOT_A_SUITE" },
    { curves: "no-curve" },
  ]) {
    const refused = engine.createTlsServerContext({ ...SPEC, ...setting });
    assert(!refused.ok);
    assert.match(refused.error.message, /^OpenSSL refuses the /);
  }
  assert.equal(openSsl().calls.ERR_peek_error(), 0n);
  engine.dispose();
});

test("an encrypted key is refused and nobody is asked for a password", () => {
  const engine = openUringEngine();
  const keyPem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIC\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const result = engine.createTlsServerContext({
    ...SPEC,
    certificates: [{ ...SPEC.certificates[0]!, keyPem }],
  });
  assert(!result.ok);
  assert.match(result.error.message, /it is encrypted/);
  engine.dispose();
});

test("a connection cut off without close_notify ends like one with it", async () =>
  withUringEngine(async (engine, sockets) => {
    const { listener, closed, failures } = serve(engine);
    const raw = connectSocket(listener.address.port, "127.0.0.1");
    const secure = connectTls({ socket: raw, rejectUnauthorized: false, servername: "a.example" });
    sockets.push(raw, secure);
    let isOpen = false;
    secure.on("secureConnect", () => {
      isOpen = true;
    });
    await pumpUntil(engine, () => isOpen);
    raw.destroy();
    await pumpUntil(engine, () => closed.length === 1);
    assert.deepEqual(failures, []);
  }));

test("garbage before and after the handshake is one connection's failure, and no other's", async () =>
  withUringEngine(async (engine, sockets) => {
    const { listener, failures, closed } = serve(engine);
    const { port } = listener.address;
    const secure = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    sockets.push(secure);
    let echoed = "";
    secure.on("data", (data) => {
      echoed += data;
    });
    secure.write("one ");
    await pumpUntil(engine, () => echoed === "one ");

    let seed = 1;
    const random = (): number => (seed = (seed * 48271) % 2147483647);
    for (let i = 0; i < 100; i++) {
      const socket = connectSocket(port, "127.0.0.1").on("error", () => {});
      const bytes = Buffer.from(Array.from({ length: 1 + (random() % 600) }, () => random() & 255));
      // Half of them at least look like a handshake record at first.
      if (i % 2 === 0) bytes.set([0x16, 3, 1, 0, 200, 1].slice(0, bytes.length));
      socket.end(bytes);
    }
    await pumpUntil(engine, () => closed.length === 100);
    assert.equal(failures.length, 100);
    assert.equal(openSsl().calls.ERR_peek_error(), 0n);

    secure.write("two");
    await pumpUntil(engine, () => echoed === "one two");
    secure.destroy();
    await pumpUntil(engine, () => engine.connectionCount === 0);
  }));

test("2000 handshakes leave no TLS session, buffer or growing memory behind", async () =>
  withUringEngine(async (engine) => {
    const { listener, closed } = serve(engine);
    const clientContext = engine.createTlsClientContext({ ...SPEC, verify: null, certificate: null });
    assert(clientContext.ok);
    const before = openSsl().sessionCount;
    let rssAfterWarmUp = 0;
    for (let round = 0; round < 20; round++) {
      const expected = (round + 1) * 100;
      for (let i = 0; i < 100; i++) {
        engine.connect(
          {
            address: { kind: "tcp", host: "127.0.0.1", port: listener.address.port },
            source: null,
            tls: { context: clientContext.value, serverName: i % 2 === 0 ? "a.example" : "" },
            preamble: null,
            timeoutMs: 10_000,
          },
          {
            handleOpen(connection) {
              if (i % 4 === 0) connection.reset();
              else connection.send(engine.allocate(100), 0, 100);
            },
            handleData: (connection) => connection.close(),
            handleDrain() {},
            handleEnd() {},
            handleClose() {},
          },
        );
      }
      await pumpUntil(engine, () => closed.length === expected && engine.connectionCount === 0);
      if (round === 4) rssAfterWarmUp = process.memoryUsage().rss;
    }
    assert.equal(openSsl().sessionCount, before);
    const growth = process.memoryUsage().rss - rssAfterWarmUp;
    // 1500 forgotten sessions would be more than 60 MB.
    assert(growth < 50e6, `memory grew by ${growth} bytes`);
  }));
