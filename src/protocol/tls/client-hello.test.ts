import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import { type ClientHello, readClientHello } from "./client-hello.ts";

/** What Node's OpenSSL sends first. */
async function captureHello(options: ConnectionOptions): Promise<Uint8Array> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ ...options, host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => {});
  const parts: Buffer[] = [];
  for (;;) {
    const [data] = (await once(socket, "data")) as [Buffer];
    parts.push(data);
    const bytes = Buffer.concat(parts);
    if (bytes.length >= 5 + bytes.readUInt16BE(3)) {
      client.destroy();
      socket.destroy();
      server.close();
      return bytes;
    }
  }
}

function helloOf(bytes: Uint8Array): ClientHello {
  const result = readClientHello(bytes, 0, bytes.length);
  assert.equal(result.kind, "hello");
  return result.hello;
}

/** The same handshake in records of at most `size` bytes. */
function fragment(bytes: Uint8Array, size: number): Uint8Array {
  const body = bytes.subarray(5);
  const records: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    records.push(Uint8Array.of(22, 3, 1, piece.length >> 8, piece.length & 255), piece);
  }
  return Buffer.concat(records);
}

test("a ClientHello of OpenSSL is read: name, protocols, versions", async () => {
  const bytes = await captureHello({ servername: "WWW.Example.com", ALPNProtocols: ["h2", "http/1.1"] });
  const hello = helloOf(bytes);
  assert.equal(hello.serverName, "www.example.com");
  assert.deepEqual(hello.alpn, ["h2", "http/1.1"]);
  assert.equal(hello.version, 0x0304);
  assert.equal(hello.legacyVersion, 0x0303);
  assert.equal(hello.recordVersion >> 8, 3);
  assert.equal(hello.sessionIdLength, 32);
  assert.ok(hello.cipherSuites.includes(0x1301));
  assert.equal(hello.hasTicket, false);
});

test("a TLS 1.2 client without SNI and ALPN is read", async () => {
  const hello = helloOf(await captureHello({ maxVersion: "TLSv1.2" }));
  assert.equal(hello.version, 0x0303);
  assert.equal(hello.serverName, "");
  assert.deepEqual(hello.alpn, []);
});

test("it is read the same byte by byte, with bytes behind it, and spread over records", async () => {
  const bytes = await captureHello({ servername: "a.example" });
  const expected = helloOf(bytes);
  for (const size of [1, 3, 100, 60_000]) {
    const fragmented = fragment(bytes, size);
    for (let end = 0; end < fragmented.length; end += size === 1 ? 97 : 1) {
      assert.equal(readClientHello(fragmented, 0, end).kind, "incomplete");
    }
    const padded = Buffer.concat([Buffer.from("xx"), fragmented, Buffer.from("more")]);
    const result = readClientHello(padded, 2, padded.length);
    assert.equal(result.kind, "hello");
    assert.deepEqual({ ...result.hello, recordVersion: 0 }, { ...expected, recordVersion: 0 });
  }
});

test("what is not TLS is told apart at the first byte that shows it", () => {
  for (const text of [
    "G",
    "GET / HTTP/1.1\r\n",
    "SSH-2.0-x",
    "\x80\x2e\x01\x03\x01",
    "\x16\x02",
    "\x16\x03\x01\0\0",
  ]) {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(readClientHello(bytes, 0, bytes.length).kind, "not-tls", JSON.stringify(text));
  }
  assert.equal(readClientHello(new Uint8Array(0), 0, 0).kind, "incomplete");
  const serverHello = Uint8Array.of(22, 3, 3, 0, 4, 2, 0, 0, 0);
  assert.equal(readClientHello(serverHello, 0, serverHello.length).kind, "malformed");
});

test("a damaged ClientHello never throws, and a cut one never passes", async () => {
  const bytes = await captureHello({ servername: "a.example", ALPNProtocols: ["h2"] });
  let seed = 99;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  for (let round = 0; round < 5000; round++) {
    const damaged = Uint8Array.from(bytes);
    for (let k = random() % 4; k >= 0; k--) damaged[random() % damaged.length] = random() & 255;
    assert.equal(typeof readClientHello(damaged, 0, damaged.length).kind, "string");
  }
  // The handshake message says fewer bytes than its contents need.
  for (let cut = 1; cut < bytes.length - 9; cut += 13) {
    const length = bytes.length - 9 - cut;
    const short = Buffer.from(bytes.subarray(0, 9 + length));
    short.writeUInt16BE(4 + length, 3);
    short.writeUIntBE(length, 6, 3);
    const result = readClientHello(short, 0, short.length);
    assert.ok(
      result.kind === "malformed" || (result.kind === "hello" && result.hello.extensions.length === 0),
      `${cut}`,
    );
  }
});
