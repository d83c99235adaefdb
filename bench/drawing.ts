// `npm run bench:drawing`: how fluid the drawing of a large datacentre is in Chromium. The drawing is moved a
// step at each frame, and the time from one frame to the next is what somebody feels who drags it: 16.7 ms is
// all that a screen shows. First 10,000 machines as they are drawn, with everything in sight and from near;
// then all of one network's 10,000 drawn one by one.
//   npm run bench:drawing -- [--machines N] [--frames N] [--json]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium, type Page } from "playwright-core";
import { World } from "../src/cli/program.fixture.ts";
import type { TopologyAnswer, TopologyLink, TopologyNode } from "../src/model/dashboard-datacenter.ts";
import { findCommand } from "../test/requirements.ts";
import { buildDashboard, isDashboardBuilt } from "../tools/dashboard.ts";
import { largeDatacenter } from "./network/large-datacenter.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "10000" },
    frames: { type: "string", default: "360" },
    json: { type: "boolean", default: false },
  },
});
const MACHINES = Number(values.machines);
const FRAMES = Number(values.frames);
const NETWORKS = 500;
const SIZE = { width: 1600, height: 1000 };
const PROXY = `defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend web
  bind 127.0.0.1:0
`;

interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly longestMs: number;
  /** Of the page, in the drawing. */
  readonly elements: number;
}

const executablePath = findCommand("chromium");
if (executablePath === null) throw new Error("there is no chromium");
const fault = isDashboardBuilt() ? null : buildDashboard();
if (fault !== null) throw new Error(fault);
const world = new World();
writeFileSync(world.path("datacenter.yaml"), largeDatacenter(MACHINES, NETWORKS));
writeFileSync(world.path("haproxy.cfg"), PROXY);
const program = world.start([
  ...["run", "--dashboard", "localhost:0", "--datacenter", world.path("datacenter.yaml")],
  world.path("haproxy.cfg"),
]);
const [, origin = ""] = await program.saw(/dashboard: (http:\/\/localhost:\d+)\//);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const measured: Measured[] = [];

const page = await browser.newPage({ viewport: SIZE });
const begin = performance.now();
await page.goto(`${origin}/topology`);
await page.locator("svg .node").first().waitFor();
const firstDrawingMs = performance.now() - begin;
measured.push(await move(page, "all in sight", 12));
for (let step = 0; step < 14; step++) await page.getByRole("button", { name: "Larger" }).click();
measured.push(await move(page, "from near", 12));

const flat = await browser.newPage({ viewport: SIZE });
await flat.route("**/api/v1/topology", (route) => route.fulfill({ json: oneNetwork(MACHINES) }));
await flat.goto(`${origin}/topology`);
await flat.getByRole("button", { name: /^group/ }).click();
await flat.getByRole("button", { name: "Draw them all" }).click();
await flat.locator("svg .crowd-boxes").waitFor();
await flat.getByRole("button", { name: "All", exact: true }).click();
measured.push(await move(flat, "one by one, all in sight", 12));
for (let step = 0; step < 14; step++) await flat.getByRole("button", { name: "Larger" }).click();
measured.push(await move(flat, "one by one, from near", 12));

await browser.close();
program.signal("SIGTERM");
await world.close();
if (values.json) console.log(JSON.stringify({ firstDrawingMs, measured }, null, 2));
else {
  console.log(
    `${MACHINES} machines, drawn ${(firstDrawingMs / 1000).toFixed(1)} s after the page was asked for`,
  );
  for (const { name, medianMs, p95Ms, longestMs, elements } of measured) {
    const times = [medianMs, p95Ms, longestMs].map((ms) => ms.toFixed(1).padStart(6)).join("");
    console.log(`${name.padEnd(26)}${times} ms a frame: median, 95 %, longest; ${elements} elements`);
  }
}
process.exit();

/** Drags it far to and fro, `pixels` at each frame, so that more of it has to be made again and again. */
async function move(on: Page, name: string, pixels: number): Promise<Measured> {
  const times = (await on.evaluate(`(async () => {
    const svg = document.querySelector(".map svg");
    const { left, top, width, height } = svg.getBoundingClientRect();
    let x = left + width / 2;
    const y = top + height / 2;
    const tell = (type) => svg.dispatchEvent(new PointerEvent(type, { pointerId: 1, bubbles: true, clientX: x, clientY: y }));
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    tell("pointerdown");
    const times = [];
    let before = await frame();
    for (let count = 0; count < ${FRAMES}; count++) {
      x += count % 180 < 90 ? ${pixels} : -${pixels};
      tell("pointermove");
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    tell("pointerup");
    return times;
  })()`)) as number[];
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
  const elements = (await on.evaluate(`document.querySelectorAll(".map svg *").length`)) as number;
  return { name, medianMs: at(0.5), p95Ms: at(0.95), longestMs: sorted.at(-1)!, elements };
}

function oneNetwork(machines: number): TopologyAnswer {
  const span = { file: "large.yaml", line: 1, column: 1, endColumn: 2 };
  const plain = { inside: null, reference: null, vlan: 7, services: [], details: [], span };
  const network: TopologyNode = {
    ...plain,
    id: "network/n",
    kind: "network",
    name: "n",
    layer: 4,
    lines: [],
  };
  const all = Array.from({ length: machines }, (_, index): TopologyNode => {
    const address = `10.0.${index >> 8}.${index & 255}`;
    return {
      ...plain,
      id: `machine/m-${index}`,
      kind: "machine",
      name: `m-${index}`,
      layer: 7,
      lines: [address],
    };
  });
  const links = all.map(
    ({ id }): TopologyLink => ({
      ...{ id, from: "network/n", to: id, kind: "interface", vlan: 7, carries: [], label: "", span },
    }),
  );
  return {
    ...{ name: "flat", file: "large.yaml", version: "1", isUsable: true },
    nodes: [network, ...all],
    links,
    vlans: [{ vlan: 7, label: "VLAN 7", networks: ["n"] }],
  };
}
