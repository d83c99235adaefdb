// What a server is told of its client's TLS in a PROXY header of version 2, byte for byte beside HAProxy:
// with a certificate of the client and without, resumed, and in clear.
import assert from "node:assert/strict";
import { connect, createServer, type Server } from "node:net";
import { test } from "node:test";
import { readProxyHeader } from "../../src/protocol/proxy-protocol/decode.ts";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { openssl, selfSigned } from "./openssl.ts";
import { RunningSallyport, TestDirectory } from "./running-sallyport.ts";

/** Which of its ciphers a server likes best is its own affair. */
const CIPHERS = "ECDHE+AES256+AESGCM";
const FIXED_BYTES = 16;
/** Two addresses and two ports of IPv4, of which the client's port is another each time. */
const ADDRESS_BYTES = 12;

const curve = (name: string) => ["ec", "-pkeyopt", `ec_paramgen_curve:${name}`];

/** Takes the header of each connection, and ends it. */
class HeaderSink implements AsyncDisposable {
  readonly headers: Buffer[] = [];
  readonly #server: Server = createServer((socket) => {
    socket.on("error", () => {});
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const header = readProxyHeader(received, 0, received.length);
      if (header.kind !== "header" || socket.writableEnded) return;
      this.headers.push(received.subarray(0, header.length));
      socket.end();
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as { port: number }).port;
  }

  /** What each field has, as hex, whatever the order. */
  get fields(): string[][] {
    return this.headers.map((header) => fieldsIn(header.subarray(FIXED_BYTES + ADDRESS_BYTES)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const SSL = 0x20;
const CHECKSUM = 0x03;

function fieldsIn(bytes: Buffer): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 3 <= bytes.length; ) {
    const [type, length] = [bytes[at]!, bytes.readUInt16BE(at + 1)];
    const value = bytes.subarray(at + 3, at + 3 + length);
    // Checksums are over the client's port too; the decoder has seen to ours.
    if (type === SSL) fields.push(`ssl ${value.toString("hex", 0, 5)}`, ...fieldsIn(value.subarray(5)));
    else fields.push(`${type} ${type === CHECKSUM ? "" : value.toString("latin1")}`);
    at += 3 + length;
  }
  return fields.sort();
}

const WORDS = [
  "send-proxy-v2",
  "send-proxy-v2-ssl",
  "send-proxy-v2-ssl-cn",
  "send-proxy-v2 proxy-v2-options ssl-cipher,cert-sig,cert-key,crc32c",
  "send-proxy-v2-ssl-cn proxy-v2-options authority,crc32c",
];

async function siteOf(directory: TestDirectory, sinkPort: number) {
  const ports: number[] = [];
  const lines = [
    "defaults",
    "  mode tcp",
    "  timeout connect 5s",
    "  timeout client 5s",
    "  timeout server 5s",
  ];
  const tls = `ssl crt ${directory.file("rsa.pem")} ca-file ${directory.file("client.pem")} verify optional`;
  for (const bind of [tls, tls.replace("rsa.pem", "ec.pem"), ""])
    for (const words of WORDS) {
      const port = await freePort();
      ports.push(port);
      lines.push(
        `listen l${port}`,
        `  bind 127.0.0.1:${port} ${bind}`,
        `  server s 127.0.0.1:${sinkPort} ${words}`,
      );
    }
  return { ports, text: `${lines.join("\n")}\n` };
}

/** Says hello to each, in clear or over TLS, and with a certificate, whose session is then resumed. */
async function visit(ports: readonly number[], directory: TestDirectory): Promise<void> {
  const session = directory.file("session");
  for (const [index, port] of ports.entries()) {
    const base = ["s_client", "-quiet", "-connect", `127.0.0.1:${port}`, "-tls1_2", "-cipher", CIPHERS];
    if (index >= 2 * WORDS.length) {
      await new Promise((resolve) =>
        connect(port, "127.0.0.1")
          .on("error", () => {})
          .once("close", resolve)
          .resume(),
      );
      continue;
    }
    await openssl([...base, "-servername", "shop.example"]);
    const own = ["-cert", directory.file("client.pem"), "-key", directory.file("client.pem")];
    await openssl([...base, ...own, "-sess_out", session]);
    await openssl([...base, ...own, "-sess_in", session]);
  }
}

test("a server is told of its client's TLS what HAProxy tells it", {
  skip: requires("haproxy", "openssl"),
}, async () => {
  using directory = new TestDirectory();
  await selfSigned(directory, "rsa", "/O=Company/CN=rsa", ["rsa:2048"]);
  await selfSigned(directory, "ec", "/O=Company/CN=ec", curve("secp384r1"));
  await selfSigned(directory, "client", "/O=Company/CN=client", curve("prime256v1"));
  await using ours = new HeaderSink();
  const site = await siteOf(directory, await ours.listen());
  await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", site.text), { workers: 1 });
  await visit(site.ports, directory);

  await using theirs = new HeaderSink();
  const { ports, text } = await siteOf(directory, await theirs.listen());
  using place = new TestDirectory();
  const haproxy = await startHaproxy(place.path, `global\n  stats socket DIRECTORY/admin.sock\n${text}`, [
    "admin.sock",
  ]);
  try {
    await visit(ports, directory);
  } finally {
    await haproxy.dispose();
  }
  assert.ok(theirs.fields.flat().some((field) => field.includes("EC384")));
  assert.deepEqual(ours.fields, theirs.fields);
});
