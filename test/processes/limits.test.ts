// Limits of the whole program: the global maxconn, workers that do not stay alive, a machine without
// node:ffi.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask, Client } from "./load.ts";
import { Origin } from "./origin.ts";
import { askSocket, ENGINES, isAlive, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

async function withSite(
  globals: (directory: TestDirectory) => string,
  use: (site: { directory: TestDirectory; origin: Origin; port: number; file: string }) => Promise<void>,
): Promise<void> {
  using directory = new TestDirectory();
  await using origin = await Origin.start("a");
  const port = await freePort();
  const file = directory.file(
    "x.cfg",
    `
global
  stats socket ${directory.file("admin.sock")} level admin
  ${globals(directory)}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${port}
  server a 127.0.0.1:${origin.port}
`,
  );
  await use({ directory, origin, port, file });
}

for (const engine of ENGINES) {
  describe(`limits on the ${engine} engine`, () => {
    test("the global maxconn leaves further connections waiting, and room is used at once", async () => {
      await withSite(
        () => "maxconn 3",
        async ({ origin, port, file }) => {
          await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
          const clients = await Promise.all(Array.from({ length: 3 }, () => Client.open(port)));
          const slow = clients.map((client) => client.ask("/slow"));
          await sallyport.until(() => origin.heldCount === 3, "three requests are being served");
          const late = await Client.open(port);
          let isAnswered = false;
          const lateAnswer = late.ask("/late").then((answer) => {
            isAnswered = true;
            return answer;
          });
          // Whoever is served now would be so after this round trip through the master and the worker.
          await ask(origin.port);
          assert.equal(isAnswered, false);
          origin.releaseHeld();
          await Promise.all(slow);
          for (const client of clients) client.close();
          assert.equal((await lateAnswer).body, "a /late\n");
          late.close();
        },
      );
    });

    test("who comes beyond rate-limit sessions waits for the seconds after, and is served", async () => {
      await withSite(
        () => "",
        async ({ port, file }) => {
          const limited = readFileSync(file, "utf8").replace("listen web\n", "$&  rate-limit sessions 5\n");
          writeFileSync(file, limited);
          await using _sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
          const startMs = performance.now();
          for (let count = 0; count < 12; count++) assert.equal((await ask(port)).status, 200);
          // Five at once, and the others as the seconds pass. That it may take longer says nothing.
          assert.ok(performance.now() - startMs > 900);
        },
      );
    });

    test("maxconn of a bind line leaves its further connections waiting, and no other line's", async () => {
      await withSite(
        () => "",
        async ({ origin, port, file }) => {
          const second = await freePort();
          const limited = readFileSync(file, "utf8").replace(
            `bind 127.0.0.1:${port}\n`,
            `bind 127.0.0.1:${port} maxconn 1\n  bind 127.0.0.1:${second}\n`,
          );
          writeFileSync(file, limited);
          await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
          const first = await Client.open(port);
          const slow = first.ask("/slow");
          await sallyport.until(() => origin.heldCount === 1, "a request is being served");
          const late = await Client.open(port);
          let isAnswered = false;
          const lateAnswer = late.ask("/late").then((answer) => {
            isAnswered = true;
            return answer;
          });
          for (let count = 0; count < 3; count++) assert.equal((await ask(second)).status, 200);
          assert.equal(isAnswered, false);
          origin.releaseHeld();
          await slow;
          first.close();
          assert.equal((await lateAnswer).body, "a /late\n");
          late.close();
        },
      );
    });

    test("a worker that dies again and again right after its start is given up, the others go on", async () => {
      await withSite(
        () => "",
        async ({ port, file }) => {
          await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
          const steady = sallyport.workerPids[0]!;
          for (let deaths = 1; !sallyport.text.includes("is given up"); deaths++) {
            assert.ok(deaths <= 12, "it must end");
            await sallyport.until(
              () =>
                sallyport.workerPids.some((pid) => pid !== steady) || sallyport.text.includes("is given up"),
              "there is a second worker again",
            );
            const victim = sallyport.workerPids.find((pid) => pid !== steady);
            if (victim === undefined) break;
            process.kill(victim, "SIGKILL");
            await sallyport.until(() => !isAlive(victim), "it is dead");
            await sallyport.until(() => sallyport.text.includes(`(pid ${victim})`), "that was noticed");
          }
          assert.match(
            sallyport.text,
            /worker \d \(pid \d+\) was killed by SIGKILL; that was 5 times in a row/,
          );
          assert.equal((await ask(port)).status, 200);
          assert.deepEqual(sallyport.workerPids, [steady]);
          await sallyport.reloadBySignal();
          assert.match(sallyport.text, /sallyport: reloaded/);
        },
      );
    });
  });
}

test("without node:ffi one worker serves on the portable engine, says so once, and counts", async () => {
  await withSite(
    () => "",
    async ({ directory, port, file }) => {
      // The launcher's first word is the flag that switches node:ffi on.
      const node = directory.file(
        "node",
        `#!/bin/sh\nshift\nexec ${process.execPath} --no-experimental-ffi "$@"\n`,
        0o755,
      );
      await using sallyport = await RunningSallyport.start(file, {
        workers: 2,
        environment: { SALLYPORT_NODE: node },
      });
      assert.equal(sallyport.count("serving with the portable engine: "), 1);
      assert.equal(sallyport.count("so there is one worker"), 1);
      assert.equal(sallyport.workerPids.length, 1);
      for (let i = 0; i < 3; i++) assert.equal((await ask(port)).body, "a /\n");
      const requestsOf = async () => {
        const lines = (await askSocket(directory.file("admin.sock"), "show stat")).split("\n");
        const index = lines[0]!.replace("# ", "").split(",").indexOf("req_tot");
        return lines.find((line) => line.startsWith("web,FRONTEND,"))!.split(",")[index];
      };
      await sallyport.until(async () => (await requestsOf()) === "3", "the master knows of the requests");
      await sallyport.reloadBySignal();
      assert.match(sallyport.text, /sallyport: reloaded/);
      assert.equal((await ask(port)).body, "a /\n");
      assert.equal((await sallyport.stop("SIGUSR1")).code, 0);
    },
  );
});

test("descriptors: the soft limit is raised to the hard one in master and workers", async () => {
  await withSite(
    () => "",
    async ({ file }) => {
      const through = ["sh", "-c", 'ulimit -S -n 256 && exec "$@"', "sh"];
      await using sallyport = await RunningSallyport.start(file, { workers: 1, through });
      for (const pid of [sallyport.pid, ...sallyport.workerPids]) {
        const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
        const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits)!;
        assert.equal(soft, hard);
      }
    },
  );
});
