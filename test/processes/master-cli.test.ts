// HAProxy's master CLI (`-S`) and `program` sections, as scripts that know HAProxy use them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.ts";
import { askSocket, isAlive, pause, TestDirectory } from "./running-sallyport.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));
/** Ends a hung test; measures nothing. */
const PATIENCE_MS = 20_000;

/** A program that writes its process id to a file of its name and waits. */
function program(directory: TestDirectory, name: string, words = ""): string {
  return `program ${name}\n  command sh -c "echo \\$\\$ > ${directory.file(name)}; exec sleep 600"\n${words}`;
}

async function untilTrue(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(Date.now() < deadlineMs, `${what}: not in ${PATIENCE_MS} ms`);
    await pause();
  }
}

async function withMaster(
  sections: (directory: TestDirectory) => string,
  run: (site: {
    readonly directory: TestDirectory;
    readonly file: string;
    readonly ended: Promise<number | null>;
    command(line: string): Promise<string>;
    interrupt(): void;
    pidOf(name: string): Promise<number>;
  }) => Promise<void>,
): Promise<void> {
  using directory = new TestDirectory();
  const port = await freePort();
  const web = `listen web\n  mode http\n  bind 127.0.0.1:${port}\n  http-request return status 200\n`;
  const file = directory.file("x.cfg", `${web}${sections(directory)}`);
  const socket = directory.file("master.sock");
  const child = spawn(LAUNCHER, ["-W", "-S", `${socket},mode,600`, "-f", file], { stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    await untilTrue(() => existsSync(socket), "the master CLI is there");
    await run({
      directory,
      file,
      ended,
      command: (line) => askSocket(socket, line),
      interrupt: () => void child.kill("SIGINT"),
      pidOf: async (name) => {
        await untilTrue(() => existsSync(directory.file(name)), `${name} runs`);
        await untilTrue(() => readFileSync(directory.file(name), "utf8").endsWith("\n"), `${name} says so`);
        return Number(readFileSync(directory.file(name), "utf8"));
      },
    });
  } finally {
    child.kill("SIGTERM");
    const last = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await ended;
    clearTimeout(last);
  }
}

test("the master CLI answers for workers, counts reloads and ends as HAProxy's master does", async () => {
  await withMaster(
    () => "",
    async ({ file, command, interrupt, ended }) => {
      assert.match(await command("@1 show info"), /^Process_num: 1$/m);
      assert.match(await command("show info"), /^Unknown command/);
      assert.match(await command("reload"), /^Success=1/);
      writeFileSync(file, "nonsense\n");
      assert.match(await command("reload"), /^Success=0/);
      const list = await command("show proc");
      assert.match(list, /^\d+ +master +1 \[failed: 1\] +0d00h/m);
      assert.match(list, /^\d+ +worker +1 +0d00h/m);
      interrupt();
      assert.equal(await ended, 130);
    },
  );
});

test("programs begin with the start, begin anew with a reload where they may, and end with the end", async () => {
  await withMaster(
    (directory) => program(directory, "foo") + program(directory, "bar", "  no option start-on-reload\n"),
    async ({ command, pidOf, directory, interrupt, ended }) => {
      const [foo, bar] = [await pidOf("foo"), await pidOf("bar")];
      assert.match(await command("show proc"), new RegExp(`^${foo} +foo +0 .*\n${bar} +bar +0 `, "m"));
      writeFileSync(directory.file("foo"), "");
      await command("reload");
      const next = await pidOf("foo");
      assert.notEqual(next, foo);
      await untilTrue(() => !isAlive(foo) && !isAlive(bar), "those of before are gone");
      const list = await command("show proc");
      assert.match(list, new RegExp(`^${next} +foo +0 `, "m"));
      assert.doesNotMatch(list, / bar /);
      interrupt();
      await ended;
      await untilTrue(() => !isAlive(next), "the program is gone");
    },
  );
});

test("the end of a program ends everything with its code, unless the file says otherwise", async () => {
  await withMaster(
    (directory) => program(directory, "foo"),
    async ({ pidOf, ended }) => {
      process.kill(await pidOf("foo"), "SIGKILL");
      assert.equal(await ended, 137);
    },
  );
  await withMaster(
    (directory) => `global\n  master-worker no-exit-on-failure\n${program(directory, "foo")}`,
    async ({ pidOf, command }) => {
      const foo = await pidOf("foo");
      process.kill(foo, "SIGKILL");
      await untilTrue(() => !isAlive(foo), "it is gone");
      assert.match(await command("show proc"), / worker /);
    },
  );
});
