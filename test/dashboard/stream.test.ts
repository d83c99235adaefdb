// The page when its program goes and comes again: it says so, asks less and less often, and shows what is
// true when there is somebody who answers. On the page's own clock, which the test moves.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, manyServers } from "./dashboard.fixture.ts";

const FIRST_MS = 500;
const MAX_MS = 30_000;
/** In which the clock is moved over the longest wait. */
const STEPS = 10;
const ATTEMPTS = 8;

function longestMs(attempt: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** attempt);
}

describe("a dashboard whose program is restarted", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() => world.serve((bind) => manyServers(bind, 1, 2)));
  after(() => world.close());

  test("it waits longer each time, up to half a minute, and goes on where the new one is", async (t) => {
    const page = await world.page();
    await page.clock.install();
    await page.addInitScript(`{
      window.attemptsMs = [];
      const own = window.fetch;
      window.fetch = (asked, options) => {
        if (String(asked).includes("/events")) window.attemptsMs.push(Date.now());
        return own(asked, options);
      };
    }`);
    await page.goto(`${world.origin}/servers`);
    await page.getByRole("button", { name: "s1", exact: true }).waitFor();
    await page.getByText("requests/s").waitFor();
    // From here on time passes only when it is told to.
    await page.clock.pauseAt(((await page.evaluate("Date.now()")) as number) + 1000);

    await world.stop();
    await page.getByText("No connection.").waitFor();
    const waits: number[] = [];
    while (waits.length < ATTEMPTS) {
      const before = (await page.evaluate("attemptsMs.length")) as number;
      const sinceMs = (await page.evaluate("Date.now()")) as number;
      await page.getByText("No connection.").waitFor();
      const stepMs = longestMs(waits.length) / STEPS;
      while ((await page.evaluate("attemptsMs.length")) === before) await page.clock.runFor(stepMs);
      waits.push(((await page.evaluate("attemptsMs.at(-1)")) as number) - sinceMs);
    }
    t.diagnostic(`waits of ${waits.join(", ")} ms`);
    for (const [index, wait] of waits.entries()) {
      const most = longestMs(index);
      assert.ok(wait >= most / 2 && wait <= most + most / STEPS, `attempt ${index}: ${waits.join(", ")}`);
    }

    await world.serveAgain();
    await page.getByText("No connection.").waitFor();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByText("requests/s").waitFor();
    await untilTrue(page, `document.querySelector(".now .dot.good, .now .dot.bad") !== null`);
    // Another break begins with a short wait again.
    await world.stop();
    await page.getByText("No connection.").waitFor();
    const count = (await page.evaluate("attemptsMs.length")) as number;
    await page.clock.runFor(FIRST_MS);
    await untilTrue(page, `attemptsMs.length > ${count}`);
    await page.context().close();
  });

  test("what was complained of are the missing answers alone", () => {
    // How it misses them depends on how far a connection had come when the program went.
    const missing = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED)/;
    assert.deepEqual(
      world.faults.filter((fault) => !missing.test(fault)),
      [],
    );
  });
});
