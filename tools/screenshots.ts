// `npm run screenshots`: the pictures of the dashboard in docs/images/, made of the demo with visitors, so
// that they show what there is. Needs Debian's chromium.
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DashboardWorld } from "../test/dashboard/dashboard.fixture.ts";

const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
const VISIT_EVERY_MS = 12;
const LOOK_AFTER_MS = 45_000;
const SIZE = { width: 1360, height: 800 };

const SHOTS = [
  { name: "overview", path: "/overview?seconds=60", colorScheme: "light" },
  { name: "servers", path: "/servers", colorScheme: "dark" },
  { name: "requests", path: "/requests", colorScheme: "light" },
  { name: "topology", path: "/topology", colorScheme: "light" },
  { name: "explain", path: "/explain?from=internet&to=203.0.113.10&port=8001", colorScheme: "light" },
] as const;

const world = new DashboardWorld();
await world.start();
const stop = new AbortController();
const visitors = visit(stop.signal);
await pause(LOOK_AFTER_MS);
for (const { name, path, colorScheme } of SHOTS) {
  const page = await world.page({ colorScheme, viewport: SIZE, reducedMotion: "reduce" });
  await page.goto(world.origin + path);
  await page.locator("#page h1").waitFor();
  // Figures, charts and drawings have come, and rates, which take two looks.
  await pause(8000);
  await page.screenshot({ path: join(IMAGES, `dashboard-${name}.png`) });
  await page.context().close();
}
stop.abort();
await visitors;
await world.close();
process.exit();

/** A few people with cookies, some without, and now and then somebody who asks for what is not there. */
async function visit(signal: AbortSignal): Promise<void> {
  const cookies = ["", "", "", "SERVERID=A", "SERVERID=B", "SERVERID=B"];
  const paths = ["/", "/?page=2", "/", "/?login", "/?basket&item=7", "/?search=shoes", "/"];
  for (let count = 0; !signal.aborted; count++) {
    const path = count % 61 === 60 ? "/old-page" : paths[count % paths.length]!;
    await world.visit(path, cookies[count % cookies.length]).catch(() => {});
    await pause(VISIT_EVERY_MS * (1 + Math.sin(count / 90)));
  }
}
