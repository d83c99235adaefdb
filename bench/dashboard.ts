// `npm run bench:dashboard`: how long after the beginning of a navigation the dashboard can be used, in
// Chromium, over loopback, with nothing in the browser's cache: until its heading and first control are
// there, and until it shows its figures. Medians; the issue wants the first under a second.
//   npm run bench:dashboard -- [--loads N] [--json]
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { untilTrue } from "../test/browser.fixture.ts";
import { DashboardWorld, manyServers } from "../test/dashboard/dashboard.fixture.ts";
import { median } from "./summary.ts";

const { values } = parseArgs({
  options: {
    loads: { type: "string", default: "9" },
    json: { type: "boolean", default: false },
  },
});
const LOADS = Number(values.loads);

interface Case {
  readonly title: string;
  readonly path: string;
  /** The first thing that can be used, and the first figure. */
  readonly control: string;
  readonly content: string;
}

const DEMO: readonly Case[] = [
  { title: "overview", path: "/", control: "#page select, #page button", content: "#page canvas" },
  { title: "topology", path: "/topology", control: "#page button", content: "#page svg .node" },
];
const MANY: readonly Case[] = [
  { title: "2,000 servers", path: "/servers", control: "#page input", content: "#page tbody th button" },
];
const BACKENDS = 4;
const SERVERS = 500;

const results = [...(await measure(DEMO, (world) => world.start())), ...(await measure(MANY, serveMany))];
if (values.json) console.log(JSON.stringify({ loads: LOADS, results }, null, 2));
else
  for (const { title, usableMs, shownMs } of results)
    console.log(`${title.padEnd(14)} usable after ${round(usableMs)} ms, shown after ${round(shownMs)} ms`);
process.exit();

interface Result {
  readonly title: string;
  readonly usableMs: number;
  readonly shownMs: number;
}

async function measure(
  cases: readonly Case[],
  start: (world: DashboardWorld) => Promise<void>,
): Promise<Result[]> {
  const world = new DashboardWorld();
  await start(world);
  try {
    const measured: Result[] = [];
    for (const one of cases) {
      const times: Omit<Result, "title">[] = [];
      // The first load compresses the files and wakes the browser up: it is not counted.
      for (let load = 0; load <= LOADS; load++) times.push(await loadOnce(world, one));
      const counted = times.slice(1);
      measured.push({
        title: one.title,
        usableMs: median(counted.map(({ usableMs }) => usableMs)),
        shownMs: median(counted.map(({ shownMs }) => shownMs)),
      });
    }
    return measured;
  } finally {
    await world.close();
  }
}

/** A context of its own has a cache of its own, and it is empty. */
async function loadOnce(
  world: DashboardWorld,
  { path, control, content }: Case,
): Promise<Omit<Result, "title">> {
  const page = await world.page();
  await noteWhen(page, "usable", control);
  await noteWhen(page, "shown", content);
  await page.goto(world.origin + path);
  await page.locator(content).first().waitFor();
  await untilTrue(page, "window.usableMs > 0 && window.shownMs > 0");
  const [usableMs, shownMs] = (await page.evaluate("[window.usableMs, window.shownMs]")) as [number, number];
  await page.context().close();
  return { usableMs, shownMs };
}

/** In the page, by its own clock: what we would see by asking comes later. */
async function noteWhen(page: Page, name: string, selector: string): Promise<void> {
  await page.addInitScript(`{
    const watch = new MutationObserver(() => {
      const found = document.querySelector(${JSON.stringify(selector)});
      if (found === null || found.disabled === true) return;
      watch.disconnect();
      // With the next frame it is on the screen.
      requestAnimationFrame(() => { window.${name}Ms = performance.now(); });
    });
    watch.observe(document, { childList: true, subtree: true });
  }`);
}

function serveMany(world: DashboardWorld): Promise<void> {
  return world.serve((bind) => manyServers(bind, BACKENDS, SERVERS));
}

function round(ms: number): string {
  return ms.toFixed(0);
}
