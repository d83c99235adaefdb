// Drawings of the examples: nothing lies on anything else, all of it is there, and Graphviz reads its part.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { dotText } from "../../src/network/draw/dot.ts";
import { type DrawnNode, drawTopology } from "../../src/network/draw/drawing.ts";
import { svgText } from "../../src/network/draw/svg.ts";
import { findCommand, requires } from "../requirements.ts";
import { resolved } from "./ask.ts";

const EXAMPLES = globSync(fileURLToPath(new URL("../../examples/{company,network}/*.yaml", import.meta.url)));

function linesOf(file: string): string {
  // The helper says the name itself.
  return readFileSync(file, "utf8").replace(/^[\s\S]*?^datacenter: .*$/m, "");
}

function overlap(a: DrawnNode, b: DrawnNode): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

for (const file of EXAMPLES) {
  const name = file.split("/").at(-1)!;
  test(`${name} is drawn without overlap, whole, and the same each time`, () => {
    const datacenter = resolved(linesOf(file));
    const drawing = drawTopology(datacenter);
    for (const [index, a] of drawing.nodes.entries()) {
      for (const b of drawing.nodes.slice(index + 1)) {
        const isWithin = a.inside === b.id || b.inside === a.id;
        assert.ok(isWithin || !overlap(a, b), `${a.id} and ${b.id}`);
      }
      assert.ok(a.x >= 0 && a.x + a.width <= drawing.width && a.y + a.height <= drawing.height, a.id);
      const outer = drawing.nodes.find(({ id }) => id === a.inside);
      if (outer !== undefined) assert.ok(a.x > outer.x && a.x + a.width < outer.x + outer.width, a.id);
    }
    const ids = new Set(drawing.nodes.map(({ id }) => id));
    for (const machine of datacenter.machines) assert.ok(ids.has(`machine ${machine.name}`), machine.name);
    for (const edge of datacenter.edges) assert.ok(ids.has(`edge ${edge.name}`), edge.name);
    assert.equal(svgText(drawing), svgText(drawTopology(resolved(linesOf(file)))));
  });
}

test("300 machines fit, and more are counted", () => {
  const machines = Array.from(
    { length: 300 },
    (_, i) => `  m-${i}: {network: n${i % 3}, address: 10.${i % 3}.1.${Math.floor(i / 3) + 1}}\n`,
  );
  const networks = [0, 1, 2].map((i) => `  n${i}: {subnet: 10.${i}.0.0/16}\n`);
  const drawing = drawTopology(resolved(`\nnetworks:\n${networks.join("")}machines:\n${machines.join("")}`));
  assert.ok(drawing.nodes.some(({ lines }) => lines[0]?.text === "and 40 more"));
});

test("text in names cannot break the picture", () => {
  const drawing = drawTopology(resolved("\nnetworks:\n  lan: {subnet: 10.0.0.0/24}\n"));
  const svg = svgText({ ...drawing, name: `a<script>"&` });
  assert.ok(svg.includes("a&lt;script&gt;&quot;&amp;"));
});

test("Graphviz draws its text", { skip: requires("dot") }, () => {
  for (const file of EXAMPLES) {
    const run = spawnSync(findCommand("dot")!, ["-Tsvg"], {
      input: dotText(drawTopology(resolved(linesOf(file)))),
      encoding: "utf8",
    });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stderr, "");
  }
});
