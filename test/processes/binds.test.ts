// What is listened on beside TCP ports: sockets that were inherited, paths and abstract names, which have
// one socket and not one for each worker. And servers that are named by host name.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, connect as netConnect, type Server } from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask } from "./load.ts";
import { Origin } from "./origin.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const DEFAULTS = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

/** One request over a unix socket; the whole answer. */
function askPath(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = netConnect(path, () =>
      socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    );
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
  });
}

function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

for (const engine of ENGINES) {
  describe(`binds on the ${engine} engine`, () => {
    test("an inherited socket is served by all workers, also after a reload", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const parent = createServer();
      await new Promise<void>((resolve) => parent.listen(0, "127.0.0.1", resolve));
      const { port } = parent.address() as { port: number };
      const configuration = (note: string) =>
        `${DEFAULTS}listen web\n  bind fd@3\n  http-response set-header X-Note ${note}
  server a 127.0.0.1:${origin.port}\n`;
      const file = directory.file("x.cfg", configuration("one"));
      try {
        const extraFds = [descriptorOf(parent)];
        await using sallyport = await RunningSallyport.start(file, { engine, workers: 2, extraFds });
        // The parent must not answer in its place.
        parent.close();
        for (let i = 0; i < 4; i++) assert.match((await ask(port)).head, /x-note: one\r/);
        writeFileSync(file, configuration("two"));
        await sallyport.reloadBySignal();
        for (let i = 0; i < 4; i++) assert.match((await ask(port)).head, /x-note: two\r/);
      } finally {
        parent.close();
      }
    });

    test("a path and an abstract name are served, also after the worker that has them was replaced", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const name = `sallyport-test-${process.pid}-${engine}`;
      const path = directory.file("web.sock");
      const file = directory.file(
        "x.cfg",
        `${DEFAULTS}listen web\n  bind unix@${path} mode 600\n  bind abns@${name}\n  server a 127.0.0.1:${origin.port}\n`,
      );
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      assert.match(await askPath(path), /\r\n\r\na \/\n$/);
      assert.match(await askPath(`\0${name}`), /\r\n\r\na \/\n$/);
      for (const victim of sallyport.workerPids) {
        process.kill(victim, "SIGKILL");
        await sallyport.until(
          () => sallyport.workerPids.filter((pid) => pid !== victim).length === 2,
          "there are two workers again",
        );
        await sallyport.until(async () => {
          const answers = await Promise.allSettled([askPath(path), askPath(`\0${name}`)]);
          return answers.every(({ status }) => status === "fulfilled");
        }, "both are served again");
      }
      await sallyport.reloadBySignal();
      assert.match(await askPath(path), /\r\n\r\na \/\n$/);
    });

    test("a server that is named by host name is found, and one whose name has no address gets no traffic", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const port = await freePort();
      const file = directory.file(
        "x.cfg",
        `global\n  stats socket ${directory.file("admin.sock")} level admin\n${DEFAULTS}listen web
  bind 127.0.0.1:${port}\n  server good localhost:${origin.port}\n  server bad no-such-host.invalid:80\n`,
      );
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      assert.match(sallyport.text, /warning.*'no-such-host.invalid' does not resolve/);
      for (let i = 0; i < 6; i++) assert.equal((await ask(port)).status, 200);
      const answer = await askSocket(directory.file("admin.sock"), "show stat");
      assert.match(answer, /^web,bad,.*,MAINT \(resolution\),/m);
    });
  });
}
