// `npm run bench`: HAProxy, nginx and Sallyport on the same work in interleaved rounds. What counts is CPU
// time per request of all processes of each, and its ratio to HAProxy's in the same round; above 1 is cheaper
// than HAProxy.
//   npm run bench -- [--quick] [--json FILE] [--dashboard] [--case NAME]...
// With --dashboard also Sallyport with its dashboard open in a browser, and what that costs in the same
// rounds: the data path must not notice, which is up to 3 %.
import { type ChildProcess, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { makeSelfSigned } from "../src/server/certificates/self-signed.ts";
import { findCommand } from "../test/requirements.ts";
import { type BenchCase, CASES } from "./cases.ts";
import {
  type Contender,
  startHaproxy,
  startLooking,
  startNginx,
  startOrigin,
  startSallyport,
  startWatched,
  waitForPort,
} from "./contenders.ts";
import { treeCpuNs } from "./cpu-time.ts";
import { type CaseResult, renderSurplus, renderTable, summarise } from "./summary.ts";

const CONTENDER_CORE = 0;
const LOAD_CORE = 1;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean" },
    json: { type: "string" },
    dashboard: { type: "boolean" },
    case: { type: "string", multiple: true },
  },
});
const rounds = values.quick === true ? 3 : 7;
const seconds = values.quick === true ? 2 : 4;

await main();

async function main(): Promise<void> {
  for (const command of ["haproxy", "nginx", "wrk", "taskset"]) {
    if (findCommand(command) === null) {
      console.error(`npm run bench needs ${command} (Debian: apt-get install haproxy nginx wrk util-linux)`);
      process.exit(1);
    }
  }
  const chosen = CASES.filter(({ name }) => values.case === undefined || values.case.includes(name));
  const cases = chosen.filter(({ streams }) => streams === 0 || findCommand("h2load") !== null);
  for (const { name } of chosen.filter((each) => !cases.includes(each)))
    console.error(`without ${name}: it needs h2load (Debian: apt-get install nghttp2-client)`);
  const directory = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  const syslog = createSocket("udp4");
  await new Promise<void>((resolve) => syslog.bind(0, "127.0.0.1", resolve));
  const [originPort, ...ports] = await freePorts(10);
  const { certificatePem, keyPem } = makeSelfSigned(["localhost"]);
  const certificatePath = join(directory, "site.pem");
  writeFileSync(certificatePath, certificatePem + keyPem, { mode: 0o600 });
  const site = {
    directory,
    originPort: originPort!,
    syslogPort: syslog.address().port,
    certificatePath,
    core: CONTENDER_CORE,
  };
  const origin = startOrigin(site, cases, LOAD_CORE);
  const contenders = [
    startHaproxy(site, ports[0]!, ports[1]!),
    startNginx(site, ports[2]!, ports[3]!),
    startSallyport(site, ports[4]!, ports[5]!),
    ...(values.dashboard === true ? [startWatched(site, ports[6]!, ports[7]!, ports[8]!)] : []),
  ];
  let looking: ChildProcess | null = null;
  try {
    await waitForPort(site.originPort, 5000);
    for (const { clearPort } of contenders) await waitForPort(clearPort, 10_000);
    if (values.dashboard === true) {
      await waitForPort(ports[8]!, 5000);
      looking = startLooking(ports[8]!, LOAD_CORE);
    }
    const results = cases.map((benchCase) => measureCase(benchCase, contenders));
    console.log(renderTable(results));
    for (const { title, dashboard } of results)
      if (dashboard !== null) console.log(renderSurplus(`the open dashboard, ${title}`, dashboard));
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ rounds, seconds, results }, null, 2)}\n`);
  } finally {
    for (const { process: child } of contenders) child.kill("SIGTERM");
    origin.kill("SIGTERM");
    looking?.kill("SIGTERM");
    syslog.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    rmSync(directory, { recursive: true, force: true });
  }
}

function measureCase(benchCase: BenchCase, contenders: readonly Contender[]): CaseResult {
  process.stderr.write(`${benchCase.title} `);
  // The first round warms caches and compilers and is thrown away.
  for (const contender of contenders) measure(benchCase, contender, Math.max(1, seconds / 2));
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    // There and back, so that a machine that gets slower within a round favours nobody.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const list = samples[contender.name] ?? [];
      list.push(measure(benchCase, contender, seconds));
      samples[contender.name] = list;
    }
    process.stderr.write(".");
  }
  process.stderr.write("\n");
  return summarise(benchCase, samples);
}

/** Microseconds of CPU per unit of the case. */
function measure(benchCase: BenchCase, contender: Contender, durationSeconds: number): number {
  const port = benchCase.isTls ? contender.tlsPort : contender.clearPort;
  const url = `${benchCase.isTls ? "https" : "http"}://127.0.0.1:${port}${benchCase.path}`;
  const words = benchCase.streams > 0 ? h2loadWords(benchCase) : wrkWords(benchCase);
  const load = ["-c", String(LOAD_CORE), ...words, String(Math.ceil(durationSeconds)), url];
  const before = treeCpuNs(contender.process.pid!);
  const { stdout } = spawnSync("taskset", load, { encoding: "utf8" });
  const used = treeCpuNs(contender.process.pid!) - before;
  const [requests, failed] = benchCase.streams > 0 ? readH2load(stdout) : readWrk(stdout);
  if (requests === 0 || failed > 0)
    throw new Error(`${contender.name} failed in case ${benchCase.name}:\n${stdout}`);
  const units = benchCase.per === "request" ? requests : (requests * benchCase.bodyBytes) / (1024 * 1024);
  return used / 1000 / units;
}

/** Up to how long. */
function wrkWords({ connections, closesEach }: BenchCase): string[] {
  const close = closesEach ? ["-H", "Connection: close"] : [];
  return ["wrk", "-t1", `-c${connections}`, ...close, "-d"];
}

function h2loadWords({ connections, streams }: BenchCase): string[] {
  return ["h2load", "-t1", `-c${connections}`, `-m${streams}`, "-D"];
}

/** Requests that were answered, and of them those that failed. */
function readWrk(text: string): [requests: number, failed: number] {
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  return [requests, Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)];
}

/** What is still on its way at the end is none of the failed. */
function readH2load(text: string): [requests: number, failed: number] {
  const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0);
  const others = /2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(text)?.slice(1) ?? [];
  return [good, others.reduce((sum, count) => sum + Number(count), 0)];
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
