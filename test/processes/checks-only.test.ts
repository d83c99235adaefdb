// A file that only checks servers: a stats socket is enough to begin with, and lines about it carry the
// process id that its user knows.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask } from "./load.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

function configurationOf(directory: TestDirectory, rest: string): string {
  return `
global
  stats socket ${directory.file("admin.sock")} level admin
  log stdout format rfc3164 local0
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
backend checked
  server a 127.0.0.1:1 check inter 100ms
${rest}`;
}

for (const engine of ENGINES) {
  describe(`without a bind line on the ${engine} engine`, () => {
    test("a stats socket is enough to check servers and to be asked", async () => {
      using directory = new TestDirectory();
      const file = directory.file("x.cfg", configurationOf(directory, ""));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
      await sallyport.until(() => sallyport.text.includes("Server checked/a is DOWN"), "it checks");
      assert.match(await askSocket(directory.file("admin.sock"), "show stat"), /^checked,a,.*DOWN/m);
    });

    test("a reload to no bind line at all is refused while something is served", async () => {
      using directory = new TestDirectory();
      const port = await freePort();
      const web = `listen web\n  bind 127.0.0.1:${port}\n  http-request return status 200\n`;
      const file = directory.file("x.cfg", configurationOf(directory, web));
      await using _sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
      writeFileSync(file, configurationOf(directory, ""));
      const answer = await askSocket(directory.file("admin.sock"), "reload");
      assert.match(answer, /^Success=0\n--\nno enabled listener/);
      assert.equal((await ask(port)).status, 200);
    });
  });

  test(`log lines of every process carry the pid that was started, on the ${engine} engine`, async () => {
    using directory = new TestDirectory();
    const port = await freePort();
    const web = `listen web\n  bind 127.0.0.1:${port}\n  option httplog\n  http-request return status 200\n`;
    const file = directory.file("x.cfg", configurationOf(directory, web));
    await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
    await ask(port);
    await sallyport.until(
      () => /DOWN/.test(sallyport.text) && /GET \/ HTTP/.test(sallyport.text),
      "both log",
    );
    const pids = [...sallyport.text.matchAll(/ haproxy\[(\d+)\]: /g)].map((match) => Number(match[1]));
    assert.deepEqual([...new Set(pids)], [sallyport.child.pid]);
  });
}
