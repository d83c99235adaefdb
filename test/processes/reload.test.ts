// Reloads under load: whatever changes, no request fails, and what has been learned and what is open lives
// on.
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { makeSelfSigned } from "../../src/server/certificates/self-signed.ts";
import { freePort } from "../free-port.ts";
import { ask, Client, Load } from "./load.ts";
import { EchoServer, Origin } from "./origin.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const RELOAD_COUNT = 200;

const WEBSOCKET_REQUEST = [
  "GET /chat HTTP/1.1",
  "Host: test",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n");

interface Site {
  readonly directory: TestDirectory;
  readonly http: number;
  readonly https: number;
  readonly extra: number;
  readonly tcp: number;
  readonly echo: number;
  readonly servers: readonly Origin[];
}

/**
 * What differs between one reload and the next: a server, a rule, a certificate, a `bind`; each every fifth
 * time. Nothing is said in the tunnels until all are done, for which a slow machine takes a minute.
 */
function configurationOf(site: Site, number: number): string {
  const { directory, http, https, extra, tcp, echo, servers } = site;
  const [a, b, c] = servers;
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 10m
  timeout server 10m
frontend web
  bind 127.0.0.1:${http}
  bind 127.0.0.1:${https} ssl crt ${directory.file("site.pem")}
  ${number % 5 === 4 ? `bind 127.0.0.1:${extra}` : ""}
  ${number % 5 === 2 ? "http-request set-header X-Rule changed" : ""}
  http-response set-header X-Reload ${number}
  default_backend web
backend web
  balance roundrobin
  cookie SERVERID insert indirect nocache
  server a 127.0.0.1:${a!.port} cookie a
  server b 127.0.0.1:${b!.port} cookie b
  ${number % 5 === 1 ? `server c 127.0.0.1:${c!.port} cookie c` : ""}
listen tcp
  mode tcp
  bind 127.0.0.1:${tcp}
  server echo 127.0.0.1:${echo}
`;
}

function writeCertificate(site: Site): void {
  const { certificatePem, keyPem } = makeSelfSigned(["localhost"]);
  writeFileSync(site.directory.file("site.pem"), certificatePem + keyPem);
}

/** A tunnel through the proxy whose far end sends back what it gets. */
class Tunnel {
  readonly #socket: Socket;
  #received = "";
  #hasEnded = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
    });
    for (const event of ["end", "error", "close"] as const)
      socket.on(event, () => {
        this.#hasEnded = true;
      });
  }

  static async open(port: number): Promise<Tunnel> {
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Tunnel(socket);
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  async receives(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      assert.ok(!this.#hasEnded, `the tunnel ended before ${text}`);
      await new Promise((resolve) => this.#socket.once("data", resolve).once("close", resolve));
    }
    this.#received = "";
  }

  close(): void {
    this.#socket.destroy();
  }
}

for (const engine of ENGINES) {
  describe(`reloads on the ${engine} engine`, () => {
    test(`${RELOAD_COUNT} reloads under load from 64 connections fail no request`, async (t) => {
      using directory = new TestDirectory();
      await using a = await Origin.start("a");
      await using b = await Origin.start("b");
      await using c = await Origin.start("c");
      await using echo = await EchoServer.start();
      const [http, https, extra, tcp] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const site: Site = { directory, http, https, extra, tcp, echo: echo.port, servers: [a, b, c] };
      writeCertificate(site);
      const file = directory.file("test.cfg", configurationOf(site, 0));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const tunnel = await Tunnel.open(tcp);
      tunnel.send("before");
      await tunnel.receives("before");
      const webSocket = await Tunnel.open(http);
      webSocket.send(WEBSOCKET_REQUEST);
      await webSocket.receives("101 Switching");
      const load = new Load([
        { port: http, isTls: false, keepsAlive: true, count: 44 },
        { port: http, isTls: false, keepsAlive: false, count: 10 },
        { port: https, isTls: true, keepsAlive: true, count: 8 },
        { port: https, isTls: true, keepsAlive: false, count: 2 },
      ]);
      const beginMs = Date.now();
      for (let number = 1; number <= RELOAD_COUNT; number++) {
        if (number % 5 === 3) writeCertificate(site);
        writeFileSync(file, configurationOf(site, number));
        if (number % 2 === 0) await sallyport.reloadBySignal();
        else assert.match(await askSocket(directory.file("admin.sock"), "reload"), /^Success=1\n/);
        const port = number % 5 === 4 ? extra : http;
        const answer = await ask(port);
        assert.match(answer.head, new RegExp(`^x-reload: ${number}\r$`, "m"), "the new rules answer at once");
      }
      const seconds = (Date.now() - beginMs) / 1000;
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.ok(load.requestCount > RELOAD_COUNT, "there was load all the time");
      tunnel.send("after");
      await tunnel.receives("after");
      webSocket.send("still here");
      await webSocket.receives("still here");
      tunnel.close();
      webSocket.close();
      assert.equal((await sallyport.stop()).code, 0);
      t.diagnostic(
        `${load.requestCount} requests on ${load.connectionCount} connections during ${RELOAD_COUNT} reloads ` +
          `in ${seconds.toFixed(1)} s`,
      );
    });

    test("round robin goes on where it was, sticky clients stay, a server that is down stays down", async () => {
      using directory = new TestDirectory();
      await using a = await Origin.start("a");
      await using b = await Origin.start("b");
      const [http, gone] = [await freePort(), await freePort()];
      const configuration = (note: string) => `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${http}
  balance roundrobin
  cookie SERVERID insert indirect
  http-response set-header X-Note ${note}
  server a 127.0.0.1:${a.port} cookie a
  server b 127.0.0.1:${b.port} cookie b
  server gone 127.0.0.1:${gone} cookie gone check inter 1h fastinter 10ms fall 1
`;
      const file = directory.file("test.cfg", configuration("first"));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const isDown = async () =>
        /^web,gone,.*,DOWN,/m.test(await askSocket(directory.file("admin.sock"), "show stat"));
      await sallyport.until(isDown, "the missing server is down");
      let last = (await ask(http)).body[0];
      for (const note of ["second", "third", "fourth", "fifth"]) {
        writeFileSync(file, configuration(note));
        await sallyport.reloadBySignal();
        assert.ok(await isDown(), "no new check was needed to know");
        for (let i = 0; i < 3; i++) {
          const answer = await ask(http);
          assert.match(answer.head, new RegExp(`x-note: ${note}\r`));
          assert.notEqual(answer.body[0], last, "the other server has its turn");
          last = answer.body[0];
        }
        const sticky = await ask(http, "/", "Cookie: SERVERID=b\r\n");
        assert.equal(sticky.body[0], "b");
      }
    });

    test("what is asked for during a reload is done after it, so the newest file is served", async () => {
      using directory = new TestDirectory();
      await using a = await Origin.start("a");
      const port = await freePort();
      const configuration = (note: number) => `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${port}
  http-response set-header X-Note ${note}
  server a 127.0.0.1:${a.port}
`;
      const file = directory.file("test.cfg", configuration(0));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      for (let note = 1; note <= 10; note++) {
        const answers: Promise<string>[] = [];
        for (let i = 0; i < 3; i++) answers.push(askSocket(directory.file("admin.sock"), "reload"));
        sallyport.signal("SIGHUP");
        // As editors do: a reload sees the old file or the new one, never half of it.
        renameSync(directory.file("next.cfg", configuration(note)), file);
        answers.push(askSocket(directory.file("admin.sock"), "reload"));
        for (const answer of await Promise.all(answers)) assert.match(answer, /^Success=1\n/);
        assert.match((await ask(port)).head, new RegExp(`x-note: ${note}\r`));
      }
      assert.doesNotMatch(sallyport.text, /not reloaded/);
    });

    test("a kept connection goes from one configuration to the next between two requests", async () => {
      using directory = new TestDirectory();
      await using a = await Origin.start("a");
      const port = await freePort();
      const configuration = (note: string, binds: string) => `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  ${binds}
  http-response set-header X-Note ${note}
  server a 127.0.0.1:${a.port}
`;
      const other = await freePort();
      const file = directory.file(
        "test.cfg",
        configuration("one", `bind 127.0.0.1:${other}\n  bind 127.0.0.1:${port}`),
      );
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
      const client = await Client.open(port);
      assert.match((await client.ask("/1")).head, /x-note: one\r/);
      // The address that stays has another position now, so another number.
      writeFileSync(file, configuration("two", `bind 127.0.0.1:${port}`));
      await sallyport.reloadBySignal();
      assert.match((await client.ask("/2")).head, /x-note: two\r/);
      assert.match((await ask(port)).head, /x-note: two\r/);
      await assert.rejects(ask(other), /cannot connect/);
      client.close();
    });
  });
}
