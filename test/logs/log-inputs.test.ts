// What receives log lines of others, under clients that mean ill, and through TLS in both directions.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { createTestAuthority } from "../../src/io/test-certificates.ts";
import { toPem } from "../../src/server/certificates/read-certificate.ts";
import { freePorts } from "../free-port.ts";
import { ask } from "../processes/load.ts";
import { askSocket, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { DatagramReceiver } from "./receivers.fixture.ts";

interface Site {
  readonly sallyport: RunningSallyport;
  readonly receiver: DatagramReceiver;
  readonly stream: number;
  readonly datagrams: number;
  readonly web: number;
  readonly socket: string;
  rewrite(change: (text: string) => string): Promise<void>;
}

async function withSite(words: string, run: (site: Site) => Promise<void>): Promise<void> {
  using directory = new TestDirectory();
  await using receiver = await DatagramReceiver.start();
  const [stream = 0, datagrams = 0, web = 0] = await freePorts(3);
  const socket = directory.file("admin.sock");
  const text = `
global
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 30s
frontend web
  bind 127.0.0.1:${web}
  http-request return status 200
log-forward all
  bind 127.0.0.1:${stream}
  dgram-bind 127.0.0.1:${datagrams}
  log 127.0.0.1:${receiver.port} local0
${words}
`;
  await using sallyport = await RunningSallyport.start(directory.file("x.cfg", text), { workers: 1 });
  const rewrite = async (change: (text: string) => string) => {
    directory.file("x.cfg", change(text));
    await sallyport.reloadBySignal();
  };
  await run({ sallyport, receiver, stream, datagrams, web, socket, rewrite });
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("clients that send garbage, or lines without end, are cut off, and the others are served", async () => {
  await withSite("", async ({ stream, receiver, web }) => {
    for (const text of ["garbage", "\0", "<34>".padEnd(17_000, "x"), "99999 <34>", "0 ", "12345678"]) {
      const socket = await open(stream);
      socket.resume();
      socket.write(text);
      await once(socket, "close");
    }
    const good = await open(stream);
    good.write("<34>still here\n");
    assert.equal(await receiver.next(), "<34>still here\n");
    good.destroy();
    assert.match((await ask(web)).head, / 200 /);
  });
});

test("as many clients as `maxconn` says are served, and the next one when one of them has gone", async () => {
  await withSite("  maxconn 2", async ({ stream, receiver }) => {
    const clients: Socket[] = [];
    for (let i = 1; i <= 3; i++) {
      const client = await open(stream);
      client.write(`<34>client ${i}\n`);
      clients.push(client);
      if (i < 3) assert.equal(await receiver.next(), `<34>client ${i}\n`);
    }
    clients[0]!.write("<34>again\n");
    assert.equal(await receiver.next(), "<34>again\n");
    clients[0]!.end();
    assert.equal(await receiver.next(), "<34>client 3\n");
    for (const client of clients) client.destroy();
  });
});

test("a client that is silent for longer than `timeout client` is let go", async () => {
  await withSite("  timeout client 50ms", async ({ stream, receiver }) => {
    const client = await open(stream);
    client.resume();
    client.write("<34>last words\n");
    assert.equal(await receiver.next(), "<34>last words\n");
    await once(client, "close");
  });
});

test("messages are counted, levels and samples choose, and a reload changes the targets of open connections", async () => {
  await withSite("", async ({ stream, datagrams, receiver, socket, rewrite }) => {
    await using other = await DatagramReceiver.start();
    const client = await open(stream);
    client.write("<34>one\n");
    assert.equal(await receiver.next(), "<34>one\n");
    const line = `log 127.0.0.1:${other.port} sample 2:2 format priority local1 warning crit`;
    await rewrite((text) => text.replace(/log 127.0.0.1:\d+ local0/, line));
    // Debug is too little, every second one of the others is taken, and an emergency is called critical.
    client.write("<39>debug\n<34>first\n<32>second\n<33>third\n<35>fourth\n");
    assert.equal(await other.next(), "<34>second\n");
    assert.equal(await other.next(), "<35>fourth\n");
    const sender = createSocket("udp4");
    for (const text of ["<34>fifth", "<34>sixth"]) sender.send(text, datagrams, "127.0.0.1");
    assert.match(await other.next(), /^<34>(fifth|sixth)\n$/);
    sender.close();
    assert.match(await askSocket(socket, "show info"), /^CumRecvLogs: 8$/m);
    const closed = once(client.resume(), "close");
    await rewrite((text) => text.replace(/log-forward all[\s\S]*/, ""));
    await closed;
  });
});

test("log lines come in, and rings send them on, through TLS", async () => {
  using directory = new TestDirectory();
  const authority = createTestAuthority("Test Authority");
  const own = authority.issue({ commonName: "localhost", names: ["localhost"] });
  const pem = directory.file("site.pem", toPem(own));
  const ca = directory.file("ca.pem", authority.certificatePem);
  const received: string[] = [];
  const server = createTlsServer({ key: own.keyPem, cert: own.certificatePem }, (socket) => {
    socket.on("data", (bytes) => {
      received.push(bytes.toString());
      server.emit("received");
    });
    socket.on("error", () => {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const words = `
log-forward secure
  bind 127.0.0.1:SECURE ssl crt ${pem}
  log ring@secure local0
ring secure
  timeout connect 5s
  server one localhost:${port} ssl verify required ca-file ${ca} log-proto octet-count
`;
  const [secure = 0] = await freePorts(1);
  await withSite(words.replace("SECURE", String(secure)), async () => {
    const client = connectTls({
      host: "127.0.0.1",
      port: secure,
      ca: authority.certificatePem,
      servername: "localhost",
    });
    await once(client, "secureConnect");
    client.write("<34>secret\n");
    while (received.join("") !== "10 <34>secret") await once(server, "received");
    client.destroy();
  });
  server.close();
});
