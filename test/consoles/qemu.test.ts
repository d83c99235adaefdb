// A real machine through a real browser: QEMU without a disk shows its firmware, and Chromium sees it through
// the program as anybody would, with a ticket from the command line.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type RunningProgram, World } from "../../src/cli/program.fixture.ts";
import { makeSelfSigned } from "../../src/server/certificates/self-signed.ts";
import { launchChromium, PATIENCE_MS } from "../browser.fixture.ts";
import { freePort } from "../free-port.ts";
import { findCommand, requires } from "../requirements.ts";

const PASSWORD = "geheim12";

/** In the page, whose types the compiler does not know: resolves when the canvas has more than one colour. */
const IS_ALIVE = `new Promise((resolve) => {
  const look = () => {
    const canvas = document.querySelector("canvas");
    const colours = new Set();
    if (canvas !== null && canvas.width >= 300 && canvas.clientWidth >= 300) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) colours.add(data[i] + "," + data[i + 1] + "," + data[i + 2]);
    }
    if (colours.size > 1) resolve();
    else requestAnimationFrame(look);
  };
  look();
})`;

describe("a machine of QEMU", { skip: requires("qemu-system-x86_64", "chromium") }, () => {
  const world = new World();
  const file = world.path("datacenter.yaml");
  let machine: ChildProcess;
  let program: RunningProgram;
  let browser: Browser;

  before(async () => {
    const port = await freePort();
    const { certificatePem, keyPem } = makeSelfSigned(["127.0.0.1"], Date.now());
    writeFileSync(world.path("console.pem"), certificatePem + keyPem);
    writeFileSync(world.path("web.password"), `${PASSWORD}\n`);
    writeFileSync(
      file,
      `datacenter: d
networks: {org: {subnet: 192.168.10.0/24}}
machines: {web: {network: org, address: 192.168.10.11}}
consoles:
  proxy: {address: "127.0.0.1:${port}", certificate: console.pem}
  backends:
    web: {vnc: "unix:${world.path("vnc")}", password-file: web.password, serial: "unix:${world.path("serial")}"}
  audit: audit.log
`,
    );
    machine = await startMachine(world);
    program = world.start(["console", "serve", file]);
    const socket = untilThere(world.folder, "consoles.sock");
    const end = program.ended.then(({ complaints }) => assert.fail(complaints));
    await Promise.race([socket, end]);
    end.catch(() => {});
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    machine?.kill("SIGKILL");
    program?.signal("SIGTERM");
    await world.close();
  });

  async function open(words: readonly string[]): Promise<{ page: Page; url: string; faults: string[] }> {
    const { output, complaints } = await world.run(["console", "open", file, "web", ...words]);
    assert.equal(complaints, "");
    const url = output.trim();
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const faults: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    page.on("pageerror", ({ message }) => faults.push(message));
    await page.goto(url);
    return { page, url, faults };
  }

  test("its firmware's screen is alive in noVNC, and its ticket is good for nobody else", async () => {
    const { page, url, faults } = await open([]);
    await page.evaluate(IS_ALIVE);
    const shot = await page.locator("#console").screenshot();
    assert.ok(shot.length > 2000, `a screenshot of ${shot.length} bytes is of one colour`);
    assert.deepEqual(faults, []);
    assert.doesNotMatch(page.url(), /#/);
    await page.goto("about:blank");
    await page.goto(url);
    await page.locator('html[data-state="closed"]').waitFor();
    await page.locator("#message").getByText("no longer good").waitFor();
    await page.context().close();
    assert.match(readFileSync(world.path("audit.log"), "utf8"), /"event":"ticket-refused"/);
  });

  test("what is typed into its serial line comes back from what listens there", async () => {
    const { page, faults } = await open(["--serial"]);
    await page.locator('html[data-state="open"]').waitFor();
    // The firmware's monitor on the line: QEMU's own, which answers what it is asked.
    await page.locator(".xterm-helper-textarea").focus();
    const answer = page.getByText("sallyport-test").first();
    // On a busy machine QEMU may not listen to its line yet: who gets no answer asks again.
    for (let attempt = 0; attempt < 20 && (await answer.count()) === 0; attempt++) {
      await page.keyboard.type("info name\n");
      await answer.waitFor({ state: "attached", timeout: 3000 }).catch(() => {});
    }
    await answer.waitFor({ state: "attached" });
    assert.deepEqual(faults, []);
    await page.context().close();
  });
});

/** Its serial socket carries the monitor, for a machine without a disk has nobody who would answer. */
async function startMachine(world: World): Promise<ChildProcess> {
  const qemu = spawn(
    findCommand("qemu-system-x86_64")!,
    [
      ...[
        "-name",
        "sallyport-test",
        "-m",
        "64",
        "-nodefaults",
        "-vga",
        "std",
        "-display",
        "none",
        "-accel",
        "tcg",
      ],
      ...["-object", `secret,id=password,data=${PASSWORD}`],
      ...["-vnc", `unix:${world.path("vnc")},password-secret=password`],
      ...["-chardev", `socket,id=line,path=${world.path("serial")},server=on,wait=off`],
      ...["-mon", "chardev=line,mode=readline"],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  await untilThere(world.folder, "serial");
  await untilThere(world.folder, "vnc");
  return qemu;
}

/** Waits for a file to appear in a folder. */
async function untilThere(folder: string, name: string): Promise<void> {
  const watcher = watch(folder);
  try {
    while (!existsSync(`${folder}/${name}`)) await once(watcher, "change");
  } finally {
    watcher.close();
  }
}
