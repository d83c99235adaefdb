// The ends of a program: soft and hard, by signal and by terminal, and the handover to a successor.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask, Client, Load } from "./load.ts";
import { Origin } from "./origin.ts";
import {
  ENGINES,
  type EngineName,
  isAlive,
  RunningSallyport,
  type RunOptions,
  TestDirectory,
} from "./running-sallyport.ts";

const HANDOVER_COUNT = 5;

class Site implements AsyncDisposable {
  readonly directory = new TestDirectory();
  readonly origin: Origin;
  readonly port: number;
  readonly file: string;

  private constructor(origin: Origin, port: number, extra: string) {
    this.origin = origin;
    this.port = port;
    this.file = this.directory.file(
      "test.cfg",
      `
global
  pidfile ${this.pidFile}
  ${extra}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${port}
  bind unix@${this.socketPath}
  server a 127.0.0.1:${origin.port}
`,
    );
  }

  static async open(extra = ""): Promise<Site> {
    return new Site(await Origin.start("a"), await freePort(), extra);
  }

  get pidFile(): string {
    return this.directory.file("test.pid");
  }

  get socketPath(): string {
    return this.directory.file("web.sock");
  }

  start(engine: EngineName, options: RunOptions = {}): Promise<RunningSallyport> {
    return RunningSallyport.start(this.file, { engine, workers: 2, ...options });
  }

  /** A request whose answer is under way. Resolves to the promise of its end. */
  async askSlowly(sallyport: RunningSallyport): Promise<{ readonly answer: Promise<string> }> {
    const client = await Client.open(this.port);
    const answer = client.ask("/slow").then(
      ({ body }) => body,
      (error: Error) => error.message,
    );
    const before = this.origin.heldCount;
    await sallyport.until(() => this.origin.heldCount > before, "the request has reached the server");
    return { answer: answer.finally(() => client.close()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.origin[Symbol.asyncDispose]();
    this.directory[Symbol.dispose]();
  }
}

/** Resolves when the peer has closed. */
function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => socket.once("end", resolve).once("close", () => resolve()));
}

async function untilRefused(sallyport: RunningSallyport, port: number): Promise<void> {
  await sallyport.until(async () => {
    try {
      (await Client.open(port)).close();
      return false;
    } catch {
      return true;
    }
  }, "new connections are refused");
}

for (const engine of ENGINES) {
  describe(`the end on the ${engine} engine`, () => {
    test("USR1 lets requests finish, closes idle connections, and leaves nothing behind", async () => {
      await using site = await Site.open();
      await using sallyport = await site.start(engine);
      assert.equal(readFileSync(site.pidFile, "utf8"), `${sallyport.pid}\n`);
      const workers = sallyport.workerPids;
      const idle = await Client.open(site.port);
      assert.equal((await idle.ask("/")).status, 200);
      const silent = connect(site.port, "127.0.0.1");
      const slow = await site.askSlowly(sallyport);
      const silentClosed = closed(silent);
      sallyport.signal("SIGUSR1");
      await untilRefused(sallyport, site.port);
      await sallyport.until(() => !idle.isOpen, "the idle connection is closed");
      await silentClosed;
      assert.ok(sallyport.workerPids.length > 0, "it waits for the request");
      site.origin.releaseHeld();
      assert.equal(await slow.answer, "halfwaythe end");
      assert.deepEqual(await sallyport.ended, { code: 0, signal: null });
      assert.ok(workers.every((pid) => !isAlive(pid)));
      assert.ok(!existsSync(site.pidFile), "the pid file is removed");
      assert.ok(!existsSync(site.socketPath), "the unix socket is removed");
    });

    test("TERM ends at once what is going on", async () => {
      await using site = await Site.open();
      await using sallyport = await site.start(engine);
      const workers = sallyport.workerPids;
      const slow = await site.askSlowly(sallyport);
      assert.deepEqual(await sallyport.stop("SIGTERM"), { code: 0, signal: null });
      assert.match(await slow.answer, /closed|gone|ECONNRESET/);
      assert.ok(workers.every((pid) => !isAlive(pid)));
      assert.ok(!existsSync(site.pidFile));
      assert.ok(!existsSync(site.socketPath));
    });

    test("hard-stop-after cuts what a soft stop would wait for", async () => {
      await using site = await Site.open("hard-stop-after 300ms");
      await using sallyport = await site.start(engine);
      const slow = await site.askSlowly(sallyport);
      const beginMs = Date.now();
      assert.deepEqual(await sallyport.stop("SIGUSR1"), { code: 0, signal: null });
      assert.ok(Date.now() - beginMs >= 300, "not before its time");
      assert.match(await slow.answer, /closed|gone|ECONNRESET/);
    });

    test("a worker that hangs does not hold up a hard stop", async () => {
      await using site = await Site.open();
      await using sallyport = await site.start(engine);
      const [hung] = sallyport.workerPids;
      process.kill(hung!, "SIGSTOP");
      assert.deepEqual(await sallyport.stop("SIGTERM"), { code: 0, signal: null });
      assert.ok(!isAlive(hung!));
    });

    test("Ctrl-C reaches the whole group, and only the master decides: requests finish", async () => {
      await using site = await Site.open();
      await using sallyport = await site.start(engine, { leadsGroup: true });
      const slow = await site.askSlowly(sallyport);
      process.kill(-sallyport.pid, "SIGINT");
      await untilRefused(sallyport, site.port);
      site.origin.releaseHeld();
      assert.equal(await slow.answer, "halfwaythe end");
      assert.deepEqual(await sallyport.ended, { code: 0, signal: null });
    });

    test("a second Ctrl-C ends it now", async () => {
      await using site = await Site.open();
      await using sallyport = await site.start(engine, { leadsGroup: true });
      const slow = await site.askSlowly(sallyport);
      process.kill(-sallyport.pid, "SIGINT");
      await untilRefused(sallyport, site.port);
      process.kill(-sallyport.pid, "SIGINT");
      assert.deepEqual(await sallyport.ended, { code: 0, signal: null });
      assert.match(await slow.answer, /closed|gone|ECONNRESET/);
    });

    test("a successor takes the ports over under load: no request fails", async (t) => {
      await using site = await Site.open();
      await using started = new AsyncDisposableStack();
      let present = started.use(await site.start(engine));
      const load = new Load(
        [
          { port: site.port, isTls: false, keepsAlive: true, count: 12 },
          { port: site.port, isTls: false, keepsAlive: false, count: 12 },
        ],
        { mayRetryKept: true },
      );
      for (let turn = 0; turn < HANDOVER_COUNT; turn++) {
        const next = started.use(await site.start(engine));
        assert.deepEqual(await present.stop("SIGUSR1"), { code: 0, signal: null });
        present = next;
        assert.ok(existsSync(site.socketPath), "the successor's unix socket stays");
        assert.equal((await ask(site.port)).status, 200);
      }
      await load.stop();
      const isReset = (failure: string) => /ECONNRESET/.test(failure);
      assert.deepEqual(
        load.failures.filter((failure) => !isReset(failure)),
        [],
      );
      // Node cannot take the last connections out of a listening socket and close it in one breath.
      const resetMax = engine === "portable" ? HANDOVER_COUNT * 2 : 0;
      assert.ok(load.failures.length <= resetMax, load.failures.join("\n"));
      await present.stop();
      t.diagnostic(
        `${load.requestCount} requests on ${load.connectionCount} connections over ${HANDOVER_COUNT} handovers`,
      );
    });
  });
}
