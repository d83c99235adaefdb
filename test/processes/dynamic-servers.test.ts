// Servers that come and go at run time, in all workers, while others are served.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask, Load } from "./load.ts";
import { Origin } from "./origin.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

interface Site {
  readonly sallyport: RunningSallyport;
  readonly port: number;
  readonly stay: Origin;
  readonly come: Origin;
  command(line: string): Promise<string>;
}

async function withSite(engine: (typeof ENGINES)[number], run: (site: Site) => Promise<void>): Promise<void> {
  using directory = new TestDirectory();
  await using stay = await Origin.start("stay");
  await using come = await Origin.start("come");
  const port = await freePort();
  const file = directory.file(
    "x.cfg",
    `
global
  stats socket ${directory.file("admin.sock")} level admin
  set-var proc.word str(first)
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${port}
  http-request set-var(proc.word) str(changed) if { path /change }
  http-response set-header x-word %[var(proc.word)]
  server stay 127.0.0.1:${stay.port}
`,
  );
  await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
  const command = async (line: string) => (await askSocket(directory.file("admin.sock"), line)).trim();
  await run({ sallyport, port, stay, come, command });
}

/** Which servers answer `count` requests on connections of their own, so that every worker has some. */
async function answering(port: number, count = 12): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < count; i++) names.add((await ask(port)).body.split(" ")[0]!);
  return [...names].toSorted().join(" ");
}

for (const engine of ENGINES) {
  describe(`servers at run time on the ${engine} engine`, () => {
    test("one comes in maintenance, serves when it is enabled, and goes without a request lost", async () => {
      await withSite(engine, async ({ sallyport, port, come, command }) => {
        const load = new Load([{ port, isTls: false, keepsAlive: true, count: 2 }], { mayRetryKept: true });
        assert.equal(await command(`add server web/come 127.0.0.1:${come.port}`), "New server registered.");
        assert.equal(await answering(port), "stay");
        assert.match(await command("show servers state web"), /^\d+ web 2 come 127\.0\.0\.1 0 1 1 1 /m);
        await command("enable server web/come");
        assert.equal(await answering(port), "come stay");
        assert.match(await command("show stat"), /^web,come,.*,no check,/m);
        assert.equal(
          await command("del server web/come"),
          "Only servers in maintenance mode can be deleted.",
        );
        await command("disable server web/come");
        // A request may still be on its way.
        await sallyport.until(
          async () => (await command("del server web/come")) === "Server deleted.",
          "it can go",
        );
        assert.equal(await answering(port), "stay");
        assert.equal(await command("del server web/come"), "No such server.");
        await load.stop();
        assert.deepEqual(load.failures, []);
      });
    });

    test("one that still serves is not taken away", async () => {
      await withSite(engine, async ({ sallyport, port, come, command }) => {
        await command(`add server web/come 127.0.0.1:${come.port}`);
        await command("enable server web/come; disable server web/stay");
        const slow = ask(port, "/slow");
        await sallyport.until(() => come.heldCount === 1, "the request has come");
        await command("enable server web/stay; disable server web/come");
        const refusal = "Server still has connections attached to it, cannot remove it.";
        assert.equal(await command("del server web/come"), refusal);
        come.releaseHeld();
        assert.equal((await slow).body, "halfwaythe end");
        await sallyport.until(
          async () => (await command("del server web/come")) === "Server deleted.",
          "it can go",
        );
      });
    });

    test("addresses and counters that changed at run time stay, and a name that comes again is new", async () => {
      await withSite(engine, async ({ port, come, command }) => {
        await command(`set server web/stay addr 127.0.0.1 port ${come.port}`);
        assert.equal(await answering(port), "come");
        await command("add server web/other 127.0.0.1:9 weight 7 check");
        assert.equal(await answering(port), "come");
        await command("set server web/other weight 3");
        assert.match(await command("show stat"), /^web,other,.*,MAINT,3,/m);
        await command("del server web/other");
        await command("add server web/other 127.0.0.1:9 weight 7");
        assert.match(await command("show stat"), /^web,other,.*,MAINT,7,/m);
      });
    });

    test("what rules have made of variables of the process stays", async () => {
      await withSite(engine, async ({ port, command }) => {
        // Enough for every worker to have had one.
        for (let i = 0; i < 24; i++) await ask(port, "/change");
        assert.equal(await command("add server web/other 127.0.0.1:9"), "New server registered.");
        for (let i = 0; i < 12; i++) assert.match((await ask(port)).head, /^x-word: changed\r$/m);
      });
    });

    test("checks begin when they are told to, and a reload takes away what the file does not have", async () => {
      await withSite(engine, async ({ sallyport, port, stay, command }) => {
        await command(`add server web/checked 127.0.0.1:${stay.port} check inter 20ms`);
        await command("enable server web/checked; enable health web/checked");
        await sallyport.until(
          async () => /^web,checked,.*,L4OK,/m.test(await command("show stat")),
          "it is checked",
        );
        assert.match(await command("reload"), /^Success=1/);
        assert.doesNotMatch(await command("show stat"), /^web,checked,/m);
        assert.equal(await answering(port), "stay");
      });
    });

    test("a worker that takes the place of a dead one knows them", async () => {
      await withSite(engine, async ({ sallyport, port, come, command }) => {
        await command(`add server web/come 127.0.0.1:${come.port}`);
        await command("enable server web/come; disable server web/stay");
        const dead = sallyport.workerPids;
        for (const pid of dead) process.kill(pid, "SIGKILL");
        await sallyport.until(
          async () =>
            sallyport.workerPids.length === 2 &&
            sallyport.workerPids.every((pid) => !dead.includes(pid)) &&
            (await answering(port).catch(() => "")) === "come",
          "new workers serve",
        );
      });
    });
  });
}
