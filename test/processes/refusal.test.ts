// What cannot be served: one clear sentence each, exit 1, and nothing left behind; at a reload, the old
// configuration goes on. Where root may do what is to be refused, the program runs as another user.
import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { makeSelfSigned } from "../../src/server/certificates/self-signed.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { ask } from "./load.ts";
import { Origin } from "./origin.ts";
import {
  askSocket,
  ENGINES,
  masterDirectories,
  RunningSallyport,
  type RunOptions,
  TestDirectory,
} from "./running-sallyport.ts";

/** Nobody on any machine, so that what is left behind can be told from what belongs to others. */
const STRANGER = 54321;
const AS_STRANGER = ["setpriv", `--reuid=${STRANGER}`, `--regid=${STRANGER}`, "--clear-groups"];
const needsRoot = process.getuid?.() === 0 ? requires("setpriv") : "needs root, to run as somebody else";

const DEFAULTS = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

/** A test's directory that another user may read. */
function openDirectory(): TestDirectory {
  const directory = new TestDirectory();
  chmodSync(directory.path, 0o755);
  return directory;
}

/**
 * Runs until it gives up. What it said; asserts that it ended well and said it in sentences, not in stack
 * traces.
 */
async function refuse(file: string, options: RunOptions): Promise<string> {
  await using sallyport = RunningSallyport.launch(file, options);
  const ended = await sallyport.ended;
  assert.deepEqual(ended, { code: 1, signal: null }, sallyport.text);
  assert.doesNotMatch(sallyport.text, /^\s+at /m);
  return sallyport.text;
}

function assertNothingLeft(directory: TestDirectory, files: readonly string[]): void {
  const left = masterDirectories().filter(
    (path) => statSync(path, { throwIfNoEntry: false })?.uid === STRANGER,
  );
  assert.deepEqual(left, []);
  assert.deepEqual(readdirSync(directory.path).sort(), [...files].sort());
}

async function listenOn(port: number): Promise<Server & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server as Server & AsyncDisposable;
}

for (const engine of ENGINES) {
  describe(`refusals on the ${engine} engine`, () => {
    const options: RunOptions = { engine, workers: 2, through: AS_STRANGER };

    test("a port that somebody else listens on", { skip: needsRoot }, async () => {
      using directory = openDirectory();
      const port = await freePort();
      await using _other = await listenOn(port);
      const file = directory.file("x.cfg", `${DEFAULTS}listen web\n  bind 127.0.0.1:${port}\n`);
      const text = await refuse(file, options);
      assert.match(
        text,
        new RegExp(`x.cfg:8: frontend web cannot listen on 127.0.0.1:${port}: .*EADDRINUSE`),
      );
      assert.equal(text.split("cannot listen").length, 2, "said once, though two workers failed");
      assertNothingLeft(directory, ["x.cfg"]);
    });

    test("a port that only root may have", { skip: needsRoot }, async () => {
      using directory = openDirectory();
      const file = directory.file("x.cfg", `${DEFAULTS}listen web\n  bind 127.0.0.1:81\n`);
      assert.match(
        await refuse(file, options),
        /x.cfg:8: frontend web cannot listen on 127.0.0.1:81: .*EACCES/,
      );
      assertNothingLeft(directory, ["x.cfg"]);
    });

    test("a unix socket in a directory that may not be written", { skip: needsRoot }, async () => {
      using directory = openDirectory();
      const path = directory.file("web.sock");
      const file = directory.file("x.cfg", `${DEFAULTS}listen web\n  bind unix@${path}\n`);
      assert.match(await refuse(file, options), /x.cfg:8: frontend web cannot listen on unix@.*EACCES/);
      assertNothingLeft(directory, ["x.cfg"]);
    });

    test("a stats socket in a directory that may not be written", { skip: needsRoot }, async () => {
      using directory = openDirectory();
      const port = await freePort();
      const file = directory.file(
        "x.cfg",
        `global\n  stats socket ${directory.file("admin.sock")}\n${DEFAULTS}listen web\n  bind 127.0.0.1:${port}\n`,
      );
      assert.match(await refuse(file, options), /x.cfg:2: cannot listen on the stats socket: .*EACCES/);
      assertNothingLeft(directory, ["x.cfg"]);
    });

    test("a certificate that is missing, unreadable, or not of its key", { skip: needsRoot }, async () => {
      using directory = openDirectory();
      const one = makeSelfSigned(["one"]);
      const two = makeSelfSigned(["two"]);
      directory.file("secret.pem", one.certificatePem + one.keyPem, 0o600);
      directory.file("mixed.pem", one.certificatePem + two.keyPem);
      const binds = ["missing", "secret", "mixed"].map(
        (name) => `  bind 127.0.0.1:8443 ssl crt ${directory.file(`${name}.pem`)}\n`,
      );
      const file = directory.file("x.cfg", `${DEFAULTS}listen web\n${binds.join("")}`);
      const text = await refuse(file, options);
      assert.match(text, /x.cfg:8:\d+: error.*missing\.pem/);
      assert.match(text, /x.cfg:9:\d+: error.*(secret\.pem.*permission|permission.*secret\.pem)/i);
      assert.match(text, /x.cfg:10:\d+: error.*(key)/);
      assertNothingLeft(directory, ["x.cfg", "secret.pem", "mixed.pem"]);
    });

    test("a configuration file that is missing", async () => {
      using directory = openDirectory();
      assert.match(
        await refuse(directory.file("none.cfg"), { engine }),
        /error.* there is no file '.*none\.cfg'/,
      );
    });

    test("a broken file at a reload: the old configuration goes on, and the faults are shown", async () => {
      using directory = openDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const good = `global\n  stats socket ${directory.file("admin.sock")} level admin\n${DEFAULTS}listen web
  bind 127.0.0.1:${port}\n  server a 127.0.0.1:${origin.port}\n`;
      const file = directory.file("x.cfg", good);
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      writeFileSync(file, `${good}  balanse roundrobin\n`);
      await sallyport.reloadBySignal();
      assert.match(sallyport.text, /x.cfg:12:3: error/);
      assert.match(sallyport.text, /balance/);
      assert.match(sallyport.text, /not reloaded: the old configuration goes on/);
      const answer = await askSocket(directory.file("admin.sock"), "reload");
      assert.match(answer, /^Success=0\n--\n.*x.cfg:12:3: error/);
      assert.equal((await ask(port)).body, "a /\n");
      writeFileSync(file, "");
      assert.match(
        await askSocket(directory.file("admin.sock"), "reload"),
        /^Success=0\n--\nno enabled listener/,
      );
      assert.equal((await ask(port)).body, "a /\n");
      writeFileSync(file, good);
      await sallyport.reloadBySignal();
      assert.match(sallyport.text, /sallyport: reloaded/);
    });

    test("what a worker cannot open at a reload changes nothing on any worker", async () => {
      using directory = openDirectory();
      await using origin = await Origin.start("a");
      const [port, taken, extra] = [await freePort(), await freePort(), await freePort()];
      const admin = directory.file("admin.sock");
      const configuration = (note: string, binds: string, socket = admin) => `
global
  stats socket ${socket} level admin
${DEFAULTS}
listen web
  bind 127.0.0.1:${port}
  ${binds}
  http-response set-header X-Note ${note}
  server a 127.0.0.1:${origin.port}
`;
      const file = directory.file("x.cfg", configuration("old", ""));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      {
        await using _other = await listenOn(taken);
        const binds = `bind 127.0.0.1:${extra}\n  bind 127.0.0.1:${taken}`;
        writeFileSync(file, configuration("new", binds, directory.file("other.sock")));
        assert.match(
          await askSocket(admin, "reload"),
          new RegExp(`^Success=0\n--\n.*cannot listen on 127.0.0.1:${taken}: .*EADDRINUSE`),
        );
        for (let i = 0; i < 8; i++) assert.match((await ask(port)).head, /x-note: old\r/);
        await assert.rejects(ask(extra), "what was opened for it is closed again");
        assert.match(await askSocket(admin, "show version"), /\d/, "the old stats socket is there");
        await assert.rejects(askSocket(directory.file("other.sock"), "show version"));
      }
      await sallyport.reloadBySignal();
      assert.match((await ask(extra)).head, /x-note: new\r/, "once the port is free it can be had");
    });
  });
}
