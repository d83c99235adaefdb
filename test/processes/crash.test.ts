// A worker that dies takes only its own connections with it, and is replaced.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask, Client } from "./load.ts";
import { Origin } from "./origin.ts";
import {
  askSocket,
  ENGINES,
  isAlive,
  masterDirectories,
  RunningSallyport,
  TestDirectory,
  untilGone,
} from "./running-sallyport.ts";

/** The frontend tells in each answer which worker gave it. */
function configurationOf(directory: TestDirectory, port: number, origin: number): string {
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${port}
  http-response set-header X-Worker %pid
  default_backend web
backend web
  server a 127.0.0.1:${origin}
`;
}

/** A worker has the shared memory of its master open or mapped, and learns its place from its environment. */
function isDirectoryOf(path: string, workerPid: number): boolean {
  return readFileSync(`/proc/${workerPid}/environ`, "latin1").includes(path);
}

function workerOf(head: string): number {
  return Number(/^x-worker: (\d+)\r$/m.exec(head)?.[1]);
}

/** Columns of a line of `show stat`, by name. */
async function statistics(
  directory: TestDirectory,
  proxy: string,
  server: string,
): Promise<Record<string, string>> {
  const lines = (await askSocket(directory.file("admin.sock"), "show stat")).split("\n");
  const names = lines[0]!.replace("# ", "").split(",");
  const values = lines.find((line) => line.startsWith(`${proxy},${server},`))!.split(",");
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

for (const engine of ENGINES) {
  describe(`a crash on the ${engine} engine`, () => {
    test("SIGKILL of a worker under load harms its own connections only, and another one takes its place", async (t) => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const file = directory.file("test.cfg", configurationOf(directory, port, origin.port));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const clients = await Promise.all(Array.from({ length: 64 }, () => Client.open(port)));
      const owners = await Promise.all(clients.map(async (client) => workerOf((await client.ask("/")).head)));
      const victim = owners[0]!;
      const survivor = sallyport.workerPids.find((pid) => pid !== victim)!;
      const ofOthers = clients.filter((_, index) => owners[index] !== victim);
      assert.ok(ofOthers.length > 0 && ofOthers.length < clients.length, "both workers have connections");
      let isOver = false;
      const failures: string[] = [];
      const traffic = ofOthers.map(async (client, number) => {
        for (let turn = 0; !isOver; turn++) {
          const { status, body } = await client.ask(`/${number}/${turn}`);
          if (status !== 200 || body !== `a /${number}/${turn}\n`) failures.push(body);
        }
      });
      const beginMs = Date.now();
      process.kill(victim, "SIGKILL");
      await sallyport.until(
        () => sallyport.workerPids.some((pid) => pid !== victim && pid !== survivor),
        "it is replaced",
      );
      const replacement = sallyport.workerPids.find((pid) => pid !== victim && pid !== survivor)!;
      // Connections are spread by the kernel, so a few are needed until one meets the new worker. While it
      // takes the dead one's ring apart, the kernel may still accept one for it, and close it.
      await sallyport.until(async () => {
        const client = await Client.open(port).catch(() => null);
        const answer = await client?.ask("/", true).catch(() => null);
        client?.close();
        return answer != null && workerOf(answer.head) === replacement;
      }, "the new worker serves");
      const replacedMs = Date.now() - beginMs;
      isOver = true;
      await Promise.all(traffic);
      assert.deepEqual(failures, []);
      assert.ok(ofOthers.every((client) => client.isOpen));
      assert.match(sallyport.text, new RegExp(`worker \\d \\(pid ${victim}\\) was killed by SIGKILL`));
      for (const client of clients) client.close();
      await sallyport.until(async () => {
        const [frontend, server] = [
          await statistics(directory, "web", "FRONTEND"),
          await statistics(directory, "web", "a"),
        ];
        return frontend["scur"] === "0" && server["scur"] === "0" && server["qcur"] === "0";
      }, "nothing is counted as present any more");
      t.diagnostic(`a new worker served ${replacedMs} ms after the old one was killed`);
    });

    test("a reload right after a crash reaches the new worker as well", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const first = configurationOf(directory, port, origin.port);
      const file = directory.file("test.cfg", first);
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      for (let number = 1; number <= 3; number++) {
        const victim = sallyport.workerPids[0]!;
        process.kill(victim, "SIGKILL");
        directory.file("test.cfg", `${first}\n  http-response set-header X-Number ${number}\n`);
        await sallyport.reloadBySignal();
        assert.match(sallyport.text, /reloaded/);
        await sallyport.until(
          () => sallyport.workerPids.filter((pid) => pid !== victim).length === 2,
          "both run",
        );
        // A worker that died during the reload has it refused: then the old configuration goes on everywhere.
        if (sallyport.text.includes("not reloaded")) await sallyport.reloadBySignal();
        const seen = new Set<number>();
        await sallyport.until(async () => {
          const client = await Client.open(port);
          const { head } = await client.ask("/", true);
          client.close();
          assert.match(head, new RegExp(`^x-number: ${number}\r$`, "m"));
          seen.add(workerOf(head));
          return seen.size === 2;
        }, "both workers answer by the new configuration");
      }
    });

    test("the death of the master ends its workers, and the next master clears up", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const file = directory.file("test.cfg", configurationOf(directory, port, origin.port));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const own = masterDirectories().filter((path) => isDirectoryOf(path, sallyport.workerPids[0]!));
      assert.equal(own.length, 1);
      const workers = sallyport.workerPids;
      assert.equal(workers.length, 2);
      assert.ok(workers.every(isAlive));
      sallyport.signal("SIGKILL");
      await Promise.all(workers.map(untilGone));
      assert.equal((await sallyport.ended).signal, "SIGKILL");
      await using next = await RunningSallyport.start(file, { engine, workers: 1 });
      await next.until(() => !existsSync(own[0]!), "what the dead master had is removed");
      assert.equal((await ask(port)).status, 200);
    });
  });
}
