// What a browser that has nothing yet must fetch before the first page is there: how much, how many, and how
// many behind each other. How long it takes is `npm run bench:dashboard`.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { untilIs } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, PAGES } from "./dashboard.fixture.ts";

const BYTES_MAX = 300 * 1024;
const FETCHED_MAX = 16;
/** The page, its program, what that loads, and what this asks. */
const CHAIN_MAX = 4;

interface Fetched {
  readonly url: string;
  /** How many had to come one after the other before this was asked for, it among them. */
  readonly depth: number;
  /** On the wire, with headers; null: it has not ended. */
  bytes: number | null;
}

describe("the first load of the dashboard", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() => world.start());
  after(() => world.close());

  test("the overview and all that it needs is under 300 KiB, in few requests, of which few wait for another", async (t) => {
    const page = await world.page();
    const fetched = await watchFetching(page);
    await page.goto(`${world.origin}/`);
    await page.getByRole("row").filter({ hasText: "https-in" }).waitFor();
    await page.locator("#page canvas").first().waitFor();
    await untilIs(async () => stillOpen(fetched), ["/api/v1/events"], "only the stream goes on");
    const all = [...fetched.values()];
    const bytes = all.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
    const told = all.map(({ url, depth, bytes: own }) => `${depth} ${own ?? "open"} ${url}`).join("\n");
    t.diagnostic(`${bytes} bytes, ${all.length} requests`);
    assert.ok(bytes > 10_000 && bytes < BYTES_MAX, `${bytes} bytes\n${told}`);
    assert.ok(all.length <= FETCHED_MAX, told);
    assert.ok(Math.max(...all.map(({ depth }) => depth)) <= CHAIN_MAX, told);
    assert.doesNotMatch(told, /elk|novnc|xterm|topology/);
    await page.context().close();
  });

  test("a page's program is not kept waiting by the question who is logged in", async () => {
    const page = await world.page();
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/v1/session", async (route) => {
      await held;
      await route.continue();
    });
    const program = page.waitForResponse(/\/assets\/servers-[\w-]+\.js$/);
    await page.goto(`${world.origin}/servers`);
    await program;
    answer();
    await page.getByRole("heading", { name: "Servers" }).waitFor();
    await page.context().close();
  });

  test("who comes again fetches none of the programs and styles", async () => {
    const page = await world.page();
    const first = await watchFetching(page);
    await world.open(page, "servers", PAGES.servers!);
    await untilIs(async () => stillOpen(first), ["/api/v1/events"]);
    const fetched = await watchFetching(page);
    await world.open(page, "servers?sort=errors", PAGES.servers!);
    await untilIs(async () => stillOpen(fetched), ["/api/v1/events"]);
    const assets = [...fetched.values()].filter(({ url }) => url.includes("/assets/"));
    assert.ok(assets.length > 0);
    assert.deepEqual(
      assets.filter(({ bytes }) => bytes !== 0),
      [],
    );
    await page.context().close();
  });
});

/** Paths of what has been asked for and has not come yet. */
function stillOpen(fetched: ReadonlyMap<string, Fetched>): string[] {
  const open = [...fetched.values()].filter(({ bytes }) => bytes === null);
  return open.map(({ url }) => new URL(url).pathname);
}

/** By request, as the browser's own tools count. */
async function watchFetching(page: Page): Promise<ReadonlyMap<string, Fetched>> {
  const tools: CDPSession = await page.context().newCDPSession(page);
  const fetched = new Map<string, Fetched>();
  const depths = new Map<string, number>();
  tools.on("Network.requestWillBeSent", ({ requestId, request, initiator }) => {
    const asker = initiator.url ?? initiator.stack?.callFrames[0]?.url ?? "";
    const depth = (depths.get(asker) ?? 0) + 1;
    depths.set(request.url, depth);
    fetched.set(requestId, { url: request.url, depth, bytes: null });
  });
  tools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const one = fetched.get(requestId);
    if (one !== undefined) one.bytes = encodedDataLength;
  });
  // Of a page that was left.
  tools.on("Network.loadingFailed", ({ requestId }) => fetched.delete(requestId));
  await tools.send("Network.enable");
  return fetched;
}
