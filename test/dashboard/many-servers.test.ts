// Two thousand servers in the dashboard: the page holds as many rows as fit on the screen, wherever one
// scrolls to, and finding one takes a word or some keys.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { untilIs, untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, manyServers } from "./dashboard.fixture.ts";

const BACKENDS = 4;
const SERVERS = 500;
const LAST = `s${BACKENDS * SERVERS - 1}`;
const HEIGHT = 900;
/** In a window of this height, and some above and below it. */
const ROWS_MAX = 60;

describe("two thousand servers in a browser", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() => world.serve((bind) => manyServers(bind, BACKENDS, SERVERS)));
  after(() => world.close());

  async function openServers(): Promise<Page> {
    const page = await world.page({ viewport: { width: 1400, height: HEIGHT } });
    await page.goto(`${world.origin}/servers`);
    await page.getByRole("button", { name: "s0", exact: true }).waitFor();
    return page;
  }

  test("few rows are there wherever one scrolls to, each where it belongs, down to the last", async () => {
    const page = await openServers();
    const length = (await page.evaluate("document.documentElement.scrollHeight")) as number;
    for (let top = 0; top < length; top += HEIGHT * 7) {
      await page.evaluate(`scrollTo(0, ${top})`);
      await untilTrue(page, IS_FILLED);
      const { count, faults } = (await page.evaluate(ROWS)) as { count: number; faults: string[] };
      assert.ok(count > 5 && count <= ROWS_MAX, `${count} rows at ${top}`);
      assert.deepEqual(faults, [], `at ${top}`);
    }
    // A browser that gets no time may leave the scrolling of a key on its way.
    const last = page.getByRole("button", { name: LAST, exact: true });
    await untilIs(() => page.keyboard.press("End").then(() => last.isVisible()), true);
    const end = (await page.evaluate("document.documentElement.scrollHeight")) as number;
    assert.equal(end, length, "the page does not grow or shrink under who scrolls");
    await page.context().close();
  });

  test("one is found by its name, and opened and left by the keyboard", async () => {
    const page = await openServers();
    await page.getByRole("searchbox", { name: "Find a server" }).fill("s1234");
    const button = page.getByRole("button", { name: "s1234", exact: true });
    await button.waitFor();
    await untilIs(() => page.getByRole("row").count(), 2, "the heads, and it");
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "app2/s1234" });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await untilIs(() => page.evaluate("document.activeElement.textContent"), "s1234");
    await page.context().close();
  });

  test("from anywhere one goes to a server by its name alone", async () => {
    const page = await openServers();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Page or server" }).fill(LAST);
    await page.getByRole("option").filter({ hasText: LAST }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: LAST, exact: true }).waitFor();
    await page.waitForURL(new RegExp(`find=.*${LAST}`));
    await page.context().close();
  });

  test("the browser complained of nothing", () => {
    assert.deepEqual(world.faults, []);
  });
});

/** The middle of the screen shows a server, and no empty place. */
const IS_FILLED = `document.elementsFromPoint(innerWidth / 2, innerHeight / 2)
  .some((one) => one.matches("tr:has(th button) *"))
  || scrollY + innerHeight >= document.documentElement.scrollHeight`;

/** How many there are, and which of them do not stand where the length of the page says that they stand. */
const ROWS = `{
  const rows = [...document.querySelectorAll("tbody tr:has(th)")];
  const number = (row) => Number(row.querySelector("button").textContent.slice(1));
  const top = document.querySelector("tbody").getBoundingClientRect().top;
  const height = document.querySelector("tbody").getBoundingClientRect().height / ${BACKENDS * SERVERS};
  const faults = rows.filter((row) =>
    Math.abs(row.getBoundingClientRect().top - top - number(row) * height) > 2);
  ({ count: rows.length, faults: faults.map((row) => row.textContent) });
}`;
