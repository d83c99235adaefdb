// `sallyport demo`: three small web servers in this process, and a load balancer in front as a child
// process, as it would run in earnest. Needs no rights, changes nothing but its own state directory, and
// ends with Ctrl-C.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { entryFile, IS_CHECKOUT, launcher } from "../base/program-files.ts";
import { type CommandLine, complainOfUsage, readCommandLine } from "./command-line.ts";
import { demoDirectory, ensureCertificate } from "./demo/demo-certificate.ts";
import { demoConfiguration } from "./demo/demo-configuration.ts";
import { openDemoNetwork } from "./demo/demo-network.ts";
import { choosePort, localAddresses } from "./demo/free-port.ts";
import { formatRequestLine, requestLineTitle } from "./demo/request-lines.ts";
import { DemoWebServer } from "./demo/web-server.ts";
import { readEngine } from "./run.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport demo [options]

Three small web servers, and a load balancer in front of them: TLS with a certificate made for the occasion, sticky
sessions by cookie, health checks, a page of statistics, and a dashboard that also shows the network of an example,
with consoles of its machines. Requests are shown as they come. Ctrl-C ends it.

Options:
  --port N            port of https://localhost (default: 8443, another one when it is taken)
  --dashboard-port N  port of the dashboard (default: 8404, likewise)
  --stats-port N      port of the statistics (default: 8405, likewise)
  --console-port N    port of the consoles of the example's machines (default: 8406, likewise)
  --datacenter FILE   the network that the dashboard shows (default: a copy of the example, company)
  --for TIME          end by itself: 30s, 5m
  --workers N         worker processes (default: 2)
  --engine NAME       auto, uring or portable (default: auto)
  -h, --help          show this

Examples:
  sallyport demo
  sallyport demo --port 9443 --for 5m

Exit codes: 0 ended as it was told, 1 it could not start, with the reason.
`;

const OPTIONS = [
  { name: "port", takesValue: true },
  { name: "dashboard-port", takesValue: true },
  { name: "stats-port", takesValue: true },
  { name: "console-port", takesValue: true },
  { name: "datacenter", takesValue: true },
  { name: "for", takesValue: true },
  { name: "workers", takesValue: true },
  { name: "engine", takesValue: true },
] as const;

const PORT_DEFAULT = 8443;
const DASHBOARD_PORT_DEFAULT = 8404;
const STATISTICS_PORT_DEFAULT = 8405;
const CONSOLE_PORT_DEFAULT = 8406;
const WORKERS_DEFAULT = "2";
/** Ctrl-C ends everything within a second, whatever hangs. */
const KILL_AFTER_MS = 800;
const DAY_MS = 86_400_000;

interface DemoOptions {
  readonly port: number;
  readonly statisticsPort: number;
  readonly dashboardPort: number;
  readonly consolePort: number;
  /** Null: the example. */
  readonly datacenterFile: string | null;
  readonly durationMs: number | null;
  /** Passed on to `sallyport run`. */
  readonly runOptions: readonly string[];
}

export async function demo(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "demo", reading.message, reading.help);
  const options = readDemoOptions(reading.line);
  if (typeof options === "string") return complainOfUsage(terminal, "demo", options);
  const servers = [
    new DemoWebServer("WEB-001", "A", "#2563c9"),
    new DemoWebServer("WEB-002", "B", "#b4432e"),
    new DemoWebServer("WEB-003", "C", "#2d7d46"),
  ];
  try {
    await Promise.all(servers.map((server) => server.open()));
    return await balance(servers, options, terminal);
  } catch (error) {
    terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const server of servers) server.close();
  }
}

/** The options, or what is wrong with them. */
function readDemoOptions(line: CommandLine): DemoOptions | string {
  const { words } = line;
  if (words.length > 0) return `what is ${words[0]}?`;
  const port = readPort(line.valueOf("port"), PORT_DEFAULT);
  const statisticsPort = readPort(line.valueOf("stats-port"), STATISTICS_PORT_DEFAULT);
  const dashboardPort = readPort(line.valueOf("dashboard-port"), DASHBOARD_PORT_DEFAULT);
  const consolePort = readPort(line.valueOf("console-port"), CONSOLE_PORT_DEFAULT);
  if (port === null || statisticsPort === null || dashboardPort === null || consolePort === null)
    return "a port is a number from 1 to 65535, or 0 for any";
  const durationText = line.valueOf("for");
  const durationMs = durationText === null ? null : readDuration(durationText);
  if (durationText !== null && durationMs === null)
    return `--for takes a time such as 30s or 5m, not ${durationText}`;
  if (readEngine(line.valueOf("engine")) === null)
    return `there is no engine ${line.valueOf("engine")}: auto, uring or portable`;
  const workers = line.valueOf("workers") ?? WORKERS_DEFAULT;
  const runOptions = ["--engine", line.valueOf("engine") ?? "auto", "--workers", workers];
  const datacenterFile = line.valueOf("datacenter");
  return { port, statisticsPort, dashboardPort, consolePort, datacenterFile, durationMs, runOptions };
}

/** Starts the load balancer and watches it to its end. */
async function balance(
  servers: readonly DemoWebServer[],
  options: DemoOptions,
  terminal: Terminal,
): Promise<number> {
  const addresses = await localAddresses();
  const port = await choosePort(options.port, addresses);
  const dashboardPort = await choosePort(options.dashboardPort, addresses);
  const statisticsPort = await choosePort(options.statisticsPort, addresses);
  const directory = demoDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const certificate = ensureCertificate(directory, Date.now());
  const configurationPath = join(directory, `haproxy-${port}.cfg`);
  const hosts = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const ports = { port, dashboardPort, statisticsPort };
  const configuration = { hosts, port, statisticsPort, certificatePath: certificate.path, servers };
  writeFileSync(configurationPath, demoConfiguration(configuration), { mode: 0o600 });
  const consolePort = await choosePort(options.consolePort, addresses);
  const places = { directory, servers, port: consolePort, certificatePath: certificate.path };
  const network = options.datacenterFile === null ? await openDemoNetwork(places) : null;
  const datacenterFile = options.datacenterFile ?? network?.file ?? null;
  const runOptions = [
    ...options.runOptions,
    ...["--demo", "--dashboard", `localhost:${dashboardPort}`],
    ...(datacenterFile === null ? [] : ["--datacenter", datacenterFile]),
  ];
  const child = startBalancer(configurationPath, runOptions, terminal);
  const notes = [
    ...portNotes(options, port, dashboardPort, statisticsPort),
    certificate.isNew ? `made a certificate for localhost: ${certificate.path}` : null,
  ].filter((note) => note !== null);
  const shows = new RequestView(child, terminal);
  const welcome = () => {
    for (const note of notes) terminal.write(`${colour(terminal.isColour, "warning", "note")}: ${note}\n`);
    terminal.write(welcomeText(ports, configurationPath, terminal.isColour));
    shows.begin();
  };
  try {
    return await watch(child, options.durationMs, welcome);
  } finally {
    network?.close();
  }
}

function portNotes(
  options: DemoOptions,
  port: number,
  dashboardPort: number,
  statisticsPort: number,
): (string | null)[] {
  const note = (wanted: number, chosen: number) =>
    wanted === 0 || wanted === chosen ? null : `port ${wanted} is taken, so it is ${chosen}`;
  return [
    note(options.port, port),
    note(options.dashboardPort, dashboardPort),
    note(options.statisticsPort, statisticsPort),
  ];
}

function startBalancer(path: string, runOptions: readonly string[], terminal: Terminal): ChildProcess {
  const main = entryFile("cli/main.ts");
  return spawn(process.execPath, [...process.execArgv, main, "run", ...runOptions, path], {
    // The channel tells when it serves, and takes it along when this process ends in whatever way.
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // The terminal's Ctrl-C is for this process, which then ends that one.
    detached: true,
    env: { ...process.env, ...(terminal.isErrorColour ? { FORCE_COLOR: "1" } : {}) },
  });
}

/** Until the time is over, a signal comes, or the load balancer ends by itself. */
function watch(child: ChildProcess, durationMs: number | null, handleServing: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    let isStopping = false;
    const stop = () => {
      if (isStopping) return;
      isStopping = true;
      child.kill("SIGTERM");
      timers.push(setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS));
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    child.once("message", () => {
      handleServing();
      if (durationMs !== null) timers.push(setTimeout(stop, durationMs));
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      for (const timer of timers) clearTimeout(timer);
      resolve(isStopping ? 0 : (code ?? 1));
    });
  });
}

/** Shows requests under the welcome, also those that came before it. */
class RequestView {
  readonly #terminal: Terminal;
  #waiting: string[] | null = [];

  constructor(child: ChildProcess, terminal: Terminal) {
    this.#terminal = terminal;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const text = formatRequestLine(line, terminal.isColour);
      if (text === null) return;
      if (this.#waiting === null) terminal.write(`${text}\n`);
      else this.#waiting.push(text);
    });
  }

  begin(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.#terminal.write(`${requestLineTitle(this.#terminal.isColour)}\n`);
    for (const text of waiting) this.#terminal.write(`${text}\n`);
  }
}

interface DemoPorts {
  readonly port: number;
  readonly dashboardPort: number;
  readonly statisticsPort: number;
}

function welcomeText(ports: DemoPorts, path: string, isColour: boolean): string {
  const url = `https://localhost:${ports.port}/`;
  const statisticsUrl = `http://localhost:${ports.statisticsPort}/`;
  const dashboardUrl = `http://localhost:${ports.dashboardPort}/`;
  const place = (text: string) => colour(isColour, "place", text);
  const program = programName();
  const trials = [
    [`curl -k ${url}`, "again and again: three servers in turn"],
    [`curl -k -c jar -b jar ${url}`, "with a cookie jar: always the same"],
    [`curl -k -b SERVERID=B -X POST ${url}stop`, "WEB-002 is out for 20 s, its visitors move"],
    [`curl ${statisticsUrl}metrics`, "for Prometheus"],
    [`${program} status`, "servers, sessions, checks"],
    [`${program} reload`, `after a change of ${path}`],
  ].map(([command = "", meaning = ""]) => [`  ${command}`, colour(isColour, "faint", meaning)]);
  return `
${colour(isColour, "title", "Sallyport is serving")} ${place(url)} with statistics on ${place(statisticsUrl)}

Its dashboard is on ${place(dashboardUrl)}: what is served, the servers, requests and why they went where they went, and
the network of an example.

Try in a second terminal:
${columns(trials).join("\n")}

The browser warns of the certificate, which vouches for itself. Ctrl-C ends the demo.

`;
}

/** How the program is called from here. */
function programName(): string {
  const isOnPath = (process.env["npm_command"] ?? "") === "" && !IS_CHECKOUT;
  return isOnPath ? "sallyport" : relative(process.cwd(), launcher()) || launcher();
}

function readPort(text: string | null, standard: number): number | null {
  if (text === null) return standard;
  const port = Number(text);
  return /^\d+$/.test(text) && port <= 65535 ? port : null;
}

/** Milliseconds; null when it is no time of up to a day. */
function readDuration(text: string): number | null {
  const [, digits, unit = "s"] = /^(\d+)(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const durationMs = Number(digits) * units[unit]!;
  return durationMs <= DAY_MS ? durationMs : null;
}
