// Rings at work: lines of requests go to their servers and stay for `show events`, whatever a server does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask } from "../processes/load.ts";
import {
  askSocket,
  ENGINES,
  type EngineName,
  RunningSallyport,
  TestDirectory,
} from "../processes/running-sallyport.ts";
import { StreamReceiver } from "./receivers.fixture.ts";

interface Site {
  readonly sallyport: RunningSallyport;
  readonly web: number;
  readonly socket: string;
  rewrite(change: (text: string) => string): Promise<void>;
}

function configuration(web: number, socket: string, counted: number, plain: number): string {
  return `
global
  stats socket ${socket} level admin
  log ring@counted format raw local0
  log ring@plain local0
defaults
  mode http
  timeout client 30s
frontend web
  bind 127.0.0.1:${web}
  log global
  log-format "%HP"
  http-request return status 200
ring counted
  description "Each with its length"
  size 16384
  maxlen 100
  timeout connect 5s
  server one 127.0.0.1:${counted} log-proto octet-count
ring plain
  format priority
  server one 127.0.0.1:${plain}
`;
}

async function withSite(
  engine: EngineName,
  ports: readonly [counted: number, plain: number],
  run: (site: Site) => Promise<void>,
): Promise<void> {
  using directory = new TestDirectory();
  const web = await freePort();
  const socket = directory.file("admin.sock");
  const text = configuration(web, socket, ...ports);
  const file = directory.file("x.cfg", text);
  await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
  const rewrite = async (change: (text: string) => string) => {
    directory.file("x.cfg", change(text));
    await sallyport.reloadBySignal();
  };
  await run({ sallyport, web, socket, rewrite });
}

/** Asks for /1, /2 and so on, so many together. */
async function askMany(web: number, count: number, prefix = ""): Promise<void> {
  for (let i = 1; i <= count; i += 20)
    await Promise.all(
      Array.from({ length: Math.min(20, count - i + 1) }, async (_, k) => {
        assert.match((await ask(web, `/${prefix}${i + k}`)).head, / 200 /);
      }),
    );
}

for (const engine of ENGINES) {
  describe(`rings on the ${engine} engine`, () => {
    test("lines of all workers go to servers and are kept, as each ring says", async () => {
      await using counted = await StreamReceiver.start();
      await using plain = await StreamReceiver.start();
      await withSite(engine, [counted.port, plain.port], async ({ web, socket }) => {
        await askMany(web, 5);
        await ask(web, `/${"x".repeat(200)}`);
        const text = await counted.until(/^[\s\S]{124}/);
        const events = ["2 /1", "2 /2", "2 /3", "2 /4", "2 /5", `100 /${"x".repeat(99)}`];
        for (const event of events) assert.ok(text.includes(event), text);
        assert.equal(text.length, events.join("").length);
        await plain.until(/(?=[\s\S]*<134>\/1\n)(?=[\s\S]*<134>\/x{200}\n)/);
        assert.match(await askSocket(socket, "show events counted"), /^(?:\/\d\n|\/x{99}\n){6}\n$/);
        assert.equal(await askSocket(socket, "show events plain -n"), "\n");
        const list = await askSocket(socket, "show events");
        assert.match(list, /^ {4}counted {4}: type=buffer, 0 dropped, Each with its length$/m);
        assert.match(list, /^ {4}plain {6}: type=buffer, 0 dropped, plain$/m);
        assert.equal(await askSocket(socket, "show events none"), "No such event sink\n\n");
        assert.equal(await askSocket(socket, "show events plain -x"), "unknown option\n\n");
      });
    });

    test("who waits for events gets them as they come, until it says something", async () => {
      await withSite(engine, [1, 1], async ({ web, socket }) => {
        await ask(web, "/before");
        const client = connect(socket);
        const parts: string[] = [];
        client.on("data", (bytes) => parts.push(bytes.toString()));
        client.write("show events counted -w\n");
        while (parts.join("") !== "/before\n") await once(client, "data");
        await ask(web, "/after");
        while (parts.join("") !== "/before\n/after\n") await once(client, "data");
        client.write("enough\n");
        await once(client, "close");
        assert.equal(parts.join(""), "/before\n/after\n\n");
      });
    });

    test("a server that is away gets what is left of its ring when it comes", async () => {
      const port = await freePort();
      await withSite(engine, [port, 1], async ({ sallyport, web }) => {
        await askMany(web, 3);
        await sallyport.until(() => /ring counted: server one .*refused/i.test(sallyport.text), "it is told");
        await using server = await StreamReceiver.start(port);
        const text = await server.until(/2 \/3/);
        assert.deepEqual([text.includes("2 /1"), text.includes("2 /2")], [true, true]);
        server.cutAll();
        await askMany(web, 3, "again");
        await server.until(/\/again3/);
        assert.equal(server.connectionCount, 2);
      });
    });

    test("a server that takes nothing holds nobody up, and the newest lines are kept", async () => {
      await using server = await StreamReceiver.start();
      server.isDeaf = true;
      await withSite(engine, [server.port, 1], async ({ web, socket, sallyport }) => {
        await askMany(web, 400, "x".repeat(100));
        await sallyport.until(
          async () => (await askSocket(socket, "show events counted")).length > 15_000,
          "the ring is full",
        );
        assert.ok((await askSocket(socket, "show events counted")).length <= 16_384);
      });
    });

    test("a reload keeps what is in a ring, and the connection to its server", async () => {
      await using server = await StreamReceiver.start();
      await withSite(engine, [server.port, 1], async ({ web, socket, rewrite }) => {
        await ask(web, "/before");
        await rewrite((text) => `${text}backend more\n  mode http\n`);
        await ask(web, "/after");
        await server.until(/7 \/before6 \/after/);
        assert.equal(server.connectionCount, 1);
        await rewrite((text) => text.replace("size 16384", "size 32768"));
        assert.equal(await askSocket(socket, "show events counted"), "/before\n/after\n\n");
        // The connection is another one, and goes on where the first has ended.
        await ask(web, "/more");
        assert.equal(await server.until(/more/), "7 /before6 /after5 /more");
        await rewrite((text) => text.replace("log ring@counted format raw local0", ""));
        await ask(web, "/elsewhere");
        assert.equal(await askSocket(socket, "show events counted"), "/before\n/after\n/more\n\n");
      });
    });
  });
}
