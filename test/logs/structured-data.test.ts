// `log-format-sd`: the same requests through HAProxy and us, their lines compared to the byte.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask } from "../processes/load.ts";
import { RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { findCommand, requires } from "../requirements.ts";
import { DatagramReceiver } from "./receivers.fixture.ts";

/** As they stand between double quotes. */
const FORMATS: readonly string[] = [
  "%{+Q,+E}o [exampleSDID@1234 bytes=%B header=%[capture.req.hdr(0)] status=%ST]",
  '[exampleSDID@1234 bytes=\\"%B\\" status=\\"%ST\\"]',
  '[a@1 x=\\"%{+E}[capture.req.hdr(0)]\\"][b@1 method=\\"%HM\\" uri=\\"%{+E}HU\\"]',
  "%{+E}[capture.req.hdr(0)]",
  "-",
];

const VALUES: readonly string[] = ["plain", 'quo"te', "brack]et", "back\\slash", '"]\\', "", "x".repeat(900)];

function configuration(web: number, receiver: number, format: string): string {
  return `
defaults
  mode http
  timeout client 30s
frontend web
  bind 127.0.0.1:${web}
  log 127.0.0.1:${receiver} format rfc5424 local0
  log-format "%HM %ST"
  log-format-sd "${format}"
  http-request capture req.hdr(x-value) len 1000
  http-request return status 200
`;
}

function alike(text: string): string {
  return text.replace(/ \d{4}-\S+ - haproxy \d+ /, " DATE - haproxy PID ");
}

test("HAProxy writes the same structured data", { skip: requires("haproxy"), timeout: 30_000 }, async () => {
  using directory = new TestDirectory();
  for (const format of FORMATS) {
    await using stack = new AsyncDisposableStack();
    const theirs = stack.use(await DatagramReceiver.start());
    const ours = stack.use(await DatagramReceiver.start());
    const [theirWeb, ourWeb] = [await freePort(), await freePort()];
    const file = directory.file("haproxy.cfg", configuration(theirWeb, theirs.port, format));
    const ourFile = directory.file("sallyport.cfg", configuration(ourWeb, ours.port, format));
    const haproxy = spawn(findCommand("haproxy")!, ["-db", "-f", file], { stdio: "ignore" });
    stack.defer(async () => {
      haproxy.kill("SIGKILL");
      await once(haproxy, "exit");
    });
    const sallyport = stack.use(await RunningSallyport.start(ourFile, { engine: "portable", workers: 1 }));
    await sallyport.until(async () => (await ask(theirWeb).catch(() => null)) !== null, "HAProxy serves");
    await theirs.next();
    for (const value of VALUES) {
      const headers = `x-value: ${value}\r\n`;
      await Promise.all([ask(theirWeb, "/p", headers), ask(ourWeb, "/p", headers)]);
      const expected = alike(await theirs.next());
      // The lengths of our answers' heads are our own.
      assert.equal(
        alike(await ours.next()).replace(/bytes="?\d+/, ""),
        expected.replace(/bytes="?\d+/, ""),
        format,
      );
    }
  }
});
