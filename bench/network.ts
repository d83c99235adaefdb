// `npm run bench:network`: how long reading, resolving, checking and explaining take for a large datacentre:
// 10,000 machines in 500 networks on one switch, behind 50 edges. Each figure is the median of several
// rounds, in milliseconds.
//   npm run bench:network -- [--machines N] [--networks N] [--rounds N] [--json]
import process from "node:process";
import { parseArgs } from "node:util";
import { readDatacenter } from "../src/language/datacenter/reader.ts";
import type { TraceQuestion } from "../src/model/trace.ts";
import { checkDatacenter } from "../src/network/check/check.ts";
import { compileNetwork, explain } from "../src/network/explain/explain.ts";
import { resolveDatacenter } from "../src/network/resolve/resolve.ts";
import { readPacketWords } from "../src/server/explain/packet-words.ts";
import { largeDatacenter } from "./network/large-datacenter.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "10000" },
    networks: { type: "string", default: "500" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});

const text = largeDatacenter(Number(values.machines), Number(values.networks));
const timings = new Map<string, number[]>();

for (let round = 0; round < Number(values.rounds); round++) {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const reading = timed("read", () => readDatacenter([{ name: "large.yaml", text }], environment));
  const datacenter = reading.datacenter!;
  const { resolved, diagnostics } = timed("resolve", () => resolveDatacenter(datacenter));
  const network = timed("build topology", () => compileNetwork(resolved));
  const findings = timed("check rules", () => checkDatacenter({ datacenter, resolved }));
  for (const [name, question] of questions()) {
    const trace = timed(`explain ${name}`, () => explain(network, question, { back: true }));
    if ("kind" in trace || trace.there.disposition !== "delivered")
      throw new Error(`${name} does not arrive`);
  }
  const faults = [...reading.diagnostics, ...diagnostics, ...findings].filter(
    ({ severity }) => severity === "error",
  );
  if (faults[0] !== undefined) throw new Error(`the large datacentre has a fault: ${faults[0].message}`);
}

const medians = [...timings].map(([name, all]) => ({
  name,
  medianMs: median(all),
  minMs: Math.min(...all),
  maxMs: Math.max(...all),
}));
if (values.json) console.log(JSON.stringify(medians, null, 2));
else {
  console.log(
    `${values.machines} machines in ${values.networks} networks, ${(text.length / 1024).toFixed(0)} KiB`,
  );
  for (const { name, medianMs, minMs, maxMs } of medians)
    console.log(
      `${name.padEnd(32)} ${medianMs.toFixed(1).padStart(8)} ms   (${minMs.toFixed(1)}–${maxMs.toFixed(1)})`,
    );
  const check = ["read", "resolve", "build topology", "check rules"].map((name) =>
    median(timings.get(name)!),
  );
  console.log(
    `${"check, all together".padEnd(32)} ${check
      .reduce((sum, one) => sum + one, 0)
      .toFixed(1)
      .padStart(8)} ms`,
  );
}
process.exitCode = 0;

function questions(): [string, TraceQuestion][] {
  const lines = {
    "same network": "m-0 to m-500 tcp 80",
    "other network": "m-0 to m-1 tcp 80",
    "from outside": "internet to 203.0.113.10 tcp 8001",
  };
  return Object.entries(lines).map(([name, line]) => {
    const words = readPacketWords(line.split(" "));
    if (words.kind !== "packet") throw new Error(line);
    return [name, words.question];
  });
}

function timed<T>(name: string, work: () => T): T {
  const start = performance.now();
  const result = work();
  const list = timings.get(name) ?? [];
  list.push(performance.now() - start);
  timings.set(name, list);
  return result;
}

function median(all: readonly number[]): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
