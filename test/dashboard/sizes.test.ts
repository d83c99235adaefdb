// Every page on screens from a telephone to 4K: nothing is wider than the screen, and nothing that can be
// used is cut off.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, PAGES } from "./dashboard.fixture.ts";

const SIZES = [
  { width: 390, height: 844 },
  { width: 1024, height: 768 },
  { width: 3840, height: 2160 },
] as const;

describe("the dashboard on screens of all sizes", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(async () => {
    await world.start();
    await world.visit(`/a-long-path/${"with-many-words/".repeat(12)}?and=a-question`);
  });
  after(() => world.close());

  for (const viewport of SIZES) {
    test(`at ${viewport.width} pixels nothing is cut off`, async () => {
      const page = await world.page({ viewport });
      for (const [name, whole] of Object.entries(PAGES)) {
        await world.open(page, name, whole);
        const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert.ok((wide as number) <= 0, `${name} is ${wide} pixels too wide`);
        assert.deepEqual(await page.evaluate(CUT_OFF), [], name);
      }
      await page.context().close();
    });
  }

  test("on a telephone the drawing begins where the datacentre does, and all of it is a button away", async () => {
    const page = await world.page({ viewport: SIZES[0] });
    await world.open(page, "topology", PAGES.topology!);
    await untilTrue(page, isWithin("[data-id='external/internet']", ".map-frame"));
    await untilTrue(page, `!${isWithin("[data-id='machine/admin']", ".map-frame")}`);
    await page.getByRole("button", { name: "All", exact: true }).click();
    await untilTrue(page, isWithin("[data-id='external/internet']", ".map-frame"));
    await untilTrue(page, isWithin("[data-id='machine/admin']", ".map-frame"));
    await page.context().close();
  });

  test("on a telephone the navigation shows where one is, also the last of the pages", async () => {
    const page = await world.page({ viewport: SIZES[0] });
    await world.open(page, "consoles", PAGES.consoles!);
    await untilTrue(page, isWithin(".navigation [aria-current]", ".navigation"));
    await page.context().close();
  });

  test("the browser complained of nothing", () => {
    assert.deepEqual(world.faults, []);
  });
});

/** An expression for the page: one of its elements is there, and all of it within another. */
function isWithin(inner: string, outer: string): string {
  return `((one, around) => one !== null && one.left >= around.left - 1 && one.right <= around.right + 1 &&
    one.top >= around.top - 1 && one.bottom <= around.bottom + 1)(
    document.querySelector("${inner}")?.getBoundingClientRect() ?? null,
    document.querySelector("${outer}").getBoundingClientRect())`;
}

/**
 * What can be used, or is a heading, and stands beyond the side of the screen, where nothing around it
 * scrolls; and what has more words than there is room for, and does not say so by dots.
 */
const CUT_OFF = `[...document.querySelectorAll("a, button, input, select, h1, h2, h3, th, td, dt, dd, p")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.closest(".skip, svg, canvas") === null)
  .filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    const scrolls = (other) => other !== null &&
      (/auto|scroll/.test(getComputedStyle(other).overflowX) || scrolls(other.parentElement));
    const isBeyond = width > 0 && (left < -1 || right > innerWidth + 1) && !scrolls(one.parentElement);
    const isCut = style.overflowX === "hidden" && style.textOverflow !== "ellipsis" &&
      one.scrollWidth > one.clientWidth + 1;
    return isBeyond || isCut;
  })
  .map((one) => one.tagName + " " + (one.textContent || one.ariaLabel).slice(0, 60))`;
