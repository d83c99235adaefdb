// Peers that take what we have: memory, descriptors, lines of the log.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { Origin } from "../processes/origin.ts";
import { ENGINES, pause, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { assertUnharmed, converse, latin1, RawOrigin, residentBytes } from "./attack-stage.ts";

/** Ends a hung test; measures nothing. */
const PATIENCE_MS = 30_000;

function configurationOf(
  directory: TestDirectory,
  port: number,
  originPort: number,
  frontendLines = "",
): string {
  return `
global
  stats socket ${directory.file("stats")} level admin
defaults
  mode http
  timeout connect 1s
  timeout client 20s
  timeout server 20s
  retries 1
frontend web
  bind 127.0.0.1:${port}
${frontendLines}
  default_backend web
backend web
  server a 127.0.0.1:${originPort}
`;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadlineMs = Date.now() + PATIENCE_MS; !condition(); await pause())
    assert(Date.now() < deadlineMs, `${what}: not in ${PATIENCE_MS} ms`);
}

function openClient(port: number, request: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(request);
  return socket;
}

for (const engine of ENGINES)
  describe(`exhaustion on the ${engine} engine`, () => {
    test("an expression that could try more ways than there are atoms does not keep a worker", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("one");
      const port = await freePort();
      const lines = [
        "  http-request deny if { path_reg ^/(a|a?)+$ }",
        "  http-request set-var(txn.a) \"path,regsub('^/(([a-z])+.)+[0-9]\\$',x,i)\"",
        "  http-request deny if { req.hdr(x-word) -m reg -i ^(\\w+\\s?)+$ }",
      ];
      const path = directory.file("x.cfg", configurationOf(directory, port, origin.port, lines.join("\n")));
      await using sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
      const workers = sallyport.workerPids;
      const word = "a".repeat(2000);
      const request = `GET /${word}! HTTP/1.1\r\nHost: a\r\nX-Word: ${word}!\r\nConnection: close\r\n\r\n`;
      assert.match(await converse(port, [latin1(request)]), /^HTTP\/1\.1 200 /);
      await assertUnharmed(sallyport, workers, directory.file("stats"));
    });

    test("interim responses without end wait for a client that does not read", async () => {
      using directory = new TestDirectory();
      const burst = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000);
      let takenCount = 0;
      await using origin = await RawOrigin.start((socket) => {
        const send = (): void => {
          socket.write(burst, (error) => {
            if (error) return;
            takenCount++;
            send();
          });
        };
        socket.once("data", send);
      });
      const port = await freePort();
      const path = directory.file("x.cfg", configurationOf(directory, port, origin.port));
      await using sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
      const workers = sallyport.workerPids;
      const bytesBefore = residentBytes(workers[0]!);
      const client = openClient(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").pause();
      await until(() => takenCount > 0, "the origin sends");
      // Held back for good: the origin's socket takes no more.
      for (let seen = -1; seen !== takenCount; ) {
        seen = takenCount;
        for (let i = 0; i < 100; i++) await pause();
        assert(residentBytes(workers[0]!) - bytesBefore < 100e6, "memory grows without end");
      }
      client.destroy();
      await assertUnharmed(sallyport, workers, directory.file("stats"));
    });

    test("more clients than descriptors do not keep the served ones from the servers, and leave no trace", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const path = directory.file("x.cfg", configurationOf(directory, port, origin.port));
      const through = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"];
      await using sallyport = await RunningSallyport.start(path, { engine, workers: 1, through });
      const workers = sallyport.workerPids;
      let answer = "";
      const clients = Array.from({ length: 150 }, () => {
        const client = openClient(port, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        client.on("data", (bytes: Buffer) => {
          answer += bytes.toString("latin1");
        });
        return client;
      });
      await until(() => answer !== "", "somebody is served");
      // Node accepts a whole queue at once, so there the first may have taken all descriptors.
      if (engine === "uring") assert.match(answer, /^HTTP\/1\.1 200 /);
      for (const client of clients) client.destroy();
      const request = [latin1("GET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")];
      let last = "";
      const deadlineMs = Date.now() + PATIENCE_MS;
      while (!last.endsWith("a /y\n") && Date.now() < deadlineMs) last = await converse(port, request);
      assert.match(last, /a \/y\n$/);
      await assertUnharmed(sallyport, workers, directory.file("stats"));
    });

    test("what a client sends stays on the line of the log that tells of it", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const lines: string[] = [];
      const log = createSocket("udp4").on("message", (bytes) => lines.push(bytes.toString("latin1")));
      await new Promise<void>((resolve) => log.bind(0, "127.0.0.1", resolve));
      const port = await freePort();
      const frontendLines = `
  log 127.0.0.1:${log.address().port} local0
  http-request set-var(txn.asked) url_param(q),url_dec
  http-request capture var(txn.asked) len 60
  log-format "%[var(txn.asked)] %[capture.req.hdr(0)] %hr %{+Q}[var(txn.asked)] %HU"`;
      const path = directory.file("x.cfg", configurationOf(directory, port, origin.port, frontendLines));
      await using _sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
      const request = "GET /?q=a%0d%0a<134>fake%1b[2J HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      await converse(port, [latin1(request)]);
      await until(() => lines.length > 0, "a line is logged");
      log.close();
      const line = lines[0]!.replace(/\n$/, "");
      assert.doesNotMatch(line, /[\x00-\x1f\x7f]/);
      assert.match(line, /: a#0D#0A<134>fake#1B\[2J a#0D#0A/);
    });
  });
