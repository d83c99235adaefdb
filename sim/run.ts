// `npm run sim`: simulations from the command line.
//
//   npm run sim -- --seed 17              one run, with its configuration and trace on standard output
//   npm run sim -- --seeds 1-5000         many; prints the seeds that fail
//   npm run sim -- --seconds 3600         new seeds for as long (nightly)
import process from "node:process";
import { parseArgs } from "node:util";
import { drawScenario } from "./scenario.ts";
import { type RunResult, runScenario } from "./world.ts";

const FAILURE_COUNT_MAX = 10;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    seconds: { type: "string" },
    quiet: { type: "boolean", default: false },
  },
});

if (values.seed !== undefined) showOne(Number(values.seed), values.quiet);
else runMany(seedsOf(values.seeds, values.seconds));

function showOne(seed: number, isQuiet: boolean): void {
  const scenario = drawScenario(seed);
  if (!isQuiet) {
    for (const { atMs, text } of scenario.generations) console.log(`# from ${atMs} ms\n${text}`);
    console.log(JSON.stringify({ ...scenario, generations: undefined, base: undefined }, null, 1));
  }
  const lines: string[] = [];
  const result = runScenario(scenario, isQuiet ? {} : { onTrace: (line) => lines.push(line) });
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  report(seed, result);
  console.log(JSON.stringify({ ...result, violations: result.violations.length }));
}

function runMany(seeds: Iterable<number>): void {
  const total = {
    runs: 0,
    failures: 0,
    clean: 0,
    requests: 0,
    responses: 0,
    streams: 0,
    virtualMs: 0,
    steps: 0,
  };
  const startMs = performance.now();
  for (const seed of seeds) {
    const scenario = drawScenario(seed);
    const result = runScenario(scenario);
    total.runs++;
    if (scenario.isClean) total.clean++;
    total.requests += result.requestsSent;
    total.responses += result.responses;
    total.streams += result.streams;
    total.virtualMs += result.virtualMs;
    total.steps += result.steps;
    if (result.violations.length === 0) continue;
    report(seed, result);
    if (++total.failures >= FAILURE_COUNT_MAX) break;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const hours = (total.virtualMs / 3_600_000).toFixed(1);
  console.log(
    `${total.runs} runs (${total.clean} clean) in ${seconds} s: ${total.failures} failed; ${total.requests} requests, ` +
      `${total.responses} responses, ${total.streams} streams logged, ${hours} virtual hours, ${total.steps} events`,
  );
}

function report(seed: number, { violations }: RunResult): void {
  if (violations.length === 0) return;
  process.exitCode = 1;
  console.log(`seed ${seed} fails (npm run sim -- --seed ${seed}):`);
  for (const violation of violations) console.log(`  ${violation}`);
}

function* seedsOf(range: string | undefined, seconds: string | undefined): Generator<number> {
  const [first, last] = (range ?? "1-1000").split("-").map(Number);
  if (seconds === undefined) {
    for (let seed = first!; seed <= (last ?? first!); seed++) yield seed;
    return;
  }
  const untilMs = performance.now() + Number(seconds) * 1000;
  // Other seeds each night.
  for (let seed = Math.floor(Date.now() / 1000); performance.now() < untilMs; seed++) yield seed;
}
