// Workers give up root when they serve: user, group and root directory are what the file says, and a reload
// can still open a port that only root may have.
import assert from "node:assert/strict";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask } from "./load.ts";
import { Origin } from "./origin.ts";
import { ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const CAP_NET_BIND_SERVICE = 1n << 10n;
const NOBODY_USER_ID = 65534;
const needsRoot = process.getuid?.() === 0 ? false : "needs root";

/** A field of /proc/PID/status. */
function statusOf(pid: number, field: string): string {
  return new RegExp(`^${field}:[ \\t]*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!;
}

/** A port below 1024 of this machine that is free. */
async function freeLowPort(): Promise<number> {
  for (let port = 1023; port > 512; port--) {
    try {
      await ask(port);
    } catch {
      return port;
    }
  }
  throw new Error("there is no free port below 1024");
}

for (const engine of ENGINES) {
  describe(`privileges on the ${engine} engine`, { skip: needsRoot }, () => {
    test("user, group and chroot are in force in every worker, and a low port can still be opened", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const lowPort = await freeLowPort();
      const configuration = (binds: string) => `
global
  user nobody
  group nogroup
  chroot ${directory.path}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind 127.0.0.1:${port}
  ${binds}
  http-response set-header X-Time %t
  server a 127.0.0.1:${origin.port}
`;
      const file = directory.file("x.cfg", configuration(""));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      assert.equal(sallyport.workerPids.length, 2);
      for (const pid of sallyport.workerPids) {
        assert.match(statusOf(pid, "Uid"), new RegExp(`^(${NOBODY_USER_ID}\\s*){4}$`));
        assert.match(statusOf(pid, "Gid"), new RegExp(`^(${NOBODY_USER_ID}\\s*){4}$`));
        assert.equal(statusOf(pid, "Groups"), "");
        assert.equal(readlinkSync(`/proc/${pid}/root`), directory.path);
        assert.equal(BigInt(`0x${statusOf(pid, "CapEff")}`), CAP_NET_BIND_SERVICE);
        assert.equal(BigInt(`0x${statusOf(pid, "CapPrm")}`), CAP_NET_BIND_SERVICE);
      }
      assert.equal((await ask(port)).body, "a /\n");
      writeFileSync(file, configuration(`bind 127.0.0.1:${lowPort}`));
      await sallyport.reloadBySignal();
      assert.match(sallyport.text, /sallyport: reloaded/);
      assert.equal((await ask(lowPort)).body, "a /\n");
      assert.equal((await sallyport.stop("SIGUSR1")).code, 0);
    });

    test("a root directory that does not exist refuses the start", async () => {
      using directory = new TestDirectory();
      const file = directory.file(
        "x.cfg",
        `global\n  chroot ${directory.file("none")}\nlisten web\n  bind 127.0.0.1:${await freePort()}\n`,
      );
      await using sallyport = RunningSallyport.launch(file, { engine, workers: 2 });
      assert.deepEqual(await sallyport.ended, { code: 1, signal: null });
      assert.match(sallyport.text, /chroot to '.*none'/);
      assert.doesNotMatch(sallyport.text, /takes its place/);
    });
  });
}
