// The pages of consoles in a real browser: what fits the window, what keys and buttons reach, what is said
// when the line is lost, and that it is had again. The back ends are sockets of this test.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { ConsoleWorld } from "../../src/server/console/console.fixture.ts";
import { axeFindings, launchChromium, PATIENCE_MS, untilIs, untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";

const WIDTH = 320;
const HEIGHT = 200;

/** A VNC server without password, and a screen of one colour. It notes the keys that it is sent. */
function vncServer(keys: string[], onKey: () => void) {
  const init = Buffer.alloc(24);
  init.writeUInt16BE(WIDTH, 0);
  init.writeUInt16BE(HEIGHT, 2);
  Buffer.of(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0).copy(init, 4);
  return (socket: Socket) => {
    socket.write("RFB 003.008\n");
    let stage = 0;
    socket.on("data", (bytes: Buffer) => {
      if (stage === 0) socket.write(Buffer.of(1, 1));
      else if (stage === 1) socket.write(Buffer.alloc(4));
      else if (stage === 2) socket.write(init);
      stage++;
      if (stage <= 3) return;
      // Of all messages only those of keys are told apart: what the page sends comes in few pieces.
      for (let at = 0; at + 8 <= bytes.length; at++) {
        if (bytes[at] !== 4 || bytes[at + 1]! > 1 || bytes.readUInt16BE(at + 2) !== 0) continue;
        keys.push(`${bytes[at + 1] === 1 ? "+" : "-"}${bytes.readUInt32BE(at + 4).toString(16)}`);
        at += 7;
      }
      onKey();
    });
  };
}

describe("the pages of consoles", { skip: requires("chromium") }, () => {
  const world = new ConsoleWorld();
  const keys: string[] = [];
  const lines: Socket[] = [];
  let typed = "";
  let wake: () => void = () => {};
  let browser: Browser;

  before(async () => {
    const serial = await world.backend("serial", (socket) => {
      lines.push(socket);
      socket.write("login: ");
      socket.on("data", (bytes: Buffer) => {
        typed += bytes.toString();
        wake();
      });
    });
    const vnc = await world.backend(
      "vnc",
      vncServer(keys, () => wake()),
    );
    await world.start({ web: { vnc, serial } });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await world.close();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }

  async function open(
    kind: "vnc" | "serial",
    more: BrowserContextOptions = {},
    isViewOnly = false,
  ): Promise<Page> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ["clipboard-read", "clipboard-write"],
      ...more,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const ticket = world.ticket({ kind, isViewOnly });
    await page.goto(`${world.server.origin}/${kind}${isViewOnly ? "?view-only" : ""}#${ticket}`);
    await page.locator('html[data-state="open"]').waitFor();
    return page;
  }

  for (const kind of ["vnc", "serial"] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`axe finds nothing on the page of a ${kind} console in ${colorScheme} colours, wide and narrow`, async () => {
        const page = await open(kind, { colorScheme, bypassCSP: true });
        for (const width of [1400, 390]) {
          await page.setViewportSize({ width, height: 844 });
          await untilTrue(page, `innerWidth === ${width}`);
          assert.deepEqual(await axeFindings(page), []);
          const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          assert.ok((wide as number) <= 0, `${wide} pixels too wide at ${width}`);
        }
        await page.context().close();
      });
    }
  }

  test("a terminal follows the window and keeps its text; the other end is told when somebody asks for it", async () => {
    const page = await open("serial", { viewport: { width: 1200, height: 700 } });
    await page.locator(".xterm-accessibility-tree").getByText("login:").waitFor();
    const rows = () => page.locator(".xterm-accessibility-tree > div").count();
    await untilIs(async () => (await rows()) > 24, true);
    const wide = await rows();
    const fits =
      "document.querySelector('.xterm-screen').clientHeight <= document.getElementById('console').clientHeight";
    await untilTrue(page, fits);
    await page.setViewportSize({ width: 600, height: 400 });
    await untilIs(async () => (await rows()) < wide, true);
    await untilTrue(page, fits);
    await page.locator(".xterm-accessibility-tree").getByText("login:").waitFor();
    assert.equal(typed, "", "nothing was typed by that");
    await page.getByRole("button", { name: "Send size (stty)" }).click();
    await until(() => typed.endsWith("\r"));
    assert.match(typed, /^stty rows \d+ cols \d+\r$/);
    await untilIs(rows, Number(typed.split(" ")[2]));
    await page.context().close();
  });

  test("keys lead out of a terminal to its buttons, and text is pasted", async () => {
    typed = "";
    const page = await open("serial");
    await page.evaluate('navigator.clipboard.writeText("from outside")');
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.press("Control+Alt+Shift");
    await untilTrue(page, "document.activeElement.id === 'copy'");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await until(() => typed.includes("outside"));
    assert.equal(typed, "from outside");
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("status").getByText("Nothing is selected.").waitFor();
    await page.context().close();
  });

  test("a screen fits the window, and Ctrl+Alt+Del and the clipboard go to the machine as keys", async () => {
    const page = await open("vnc", { viewport: { width: 1000, height: 700 } });
    const width = async () => (await page.locator("canvas").first().boundingBox())!.width;
    await untilTrue(page, `document.querySelector("canvas")?.clientWidth > ${2 * WIDTH}`);
    const scale = page.getByRole("button", { name: "Fit to window" });
    await scale.click();
    await untilIs(() => scale.getAttribute("aria-pressed"), "false");
    await untilIs(width, WIDTH);
    keys.length = 0;
    await page.getByRole("button", { name: "Ctrl+Alt+Del" }).click();
    await until(() => keys.length >= 6);
    assert.deepEqual(keys, ["+ffe3", "+ffe9", "+ffff", "-ffff", "-ffe9", "-ffe3"]);
    keys.length = 0;
    await page.evaluate('navigator.clipboard.writeText("aB\\n")');
    await page.getByRole("button", { name: "Type the clipboard" }).click();
    await until(() => keys.length >= 8);
    assert.deepEqual(keys, ["+61", "-61", "+ffe1", "+42", "-42", "-ffe1", "+ff0d", "-ff0d"]);
    await page.context().close();
  });

  test("who may only look has no button that types", async () => {
    const page = await open("vnc", {}, true);
    await untilIs(() => page.getByRole("button").allInnerTexts(), ["Fit to window", "Full screen"]);
    await page.getByRole("status").getByText("You may only look.").waitFor();
    await page.getByRole("heading", { name: "web" }).waitFor();
    await untilIs(() => page.title(), "web · Console");
    await page.context().close();
  });

  test("the button for the full screen can be pressed again to leave it", async () => {
    const page = await open("serial");
    const button = page.getByRole("button", { name: "Full screen" });
    await button.click();
    await page.locator('#full[aria-pressed="true"]').waitFor();
    await button.press("Enter");
    await page.locator('#full[aria-pressed="false"]').waitFor();
    await page.context().close();
  });

  test("a line that the machine drops is told of and had again, without the text twice; who is kicked stays out", async () => {
    const page = await open("serial");
    const text = page.locator(".xterm-accessibility-tree");
    await text.getByText("login:").waitFor();
    const opened = world.audit.filter(({ event }) => event === "open").length;
    // It tries again when its clock goes on, and not while one looks.
    await page.clock.install();
    await page.clock.pauseAt(((await page.evaluate("Date.now()")) as number) + 1000);
    lines.at(-1)!.destroy();
    await page.locator('html[data-state="waiting"]').waitFor();
    await page.getByRole("status").getByText("The machine has closed its console. Trying again").waitFor();
    await untilIs(() => page.getByRole("button", { name: "Paste" }).isDisabled(), true);
    await page.clock.resume();
    await page.locator('html[data-state="open"]').waitFor();
    assert.equal(world.audit.filter(({ event }) => event === "open").length, opened + 1);
    await text.getByText("login:").waitFor();
    assert.equal(await text.getByText("login: login:").count(), 0);
    world.server.kick("anna");
    await page.locator('html[data-state="closed"]').waitFor();
    await page.getByRole("status").getByText("Closed by an administrator").waitFor();
    await page.context().close();
  });
});
