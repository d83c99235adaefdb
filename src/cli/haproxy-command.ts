// Sallyport called as if it were HAProxy: `sallyport -W -f haproxy.cfg -p /run/haproxy.pid`.
import { release, type as systemType } from "node:os";
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import { evaluateBuildCondition } from "../language/haproxy/build-condition.ts";
import { FEATURES, LANGUAGE_VERSION, OPENSSL_VERSION } from "../language/haproxy/environment.ts";
import { lexLine } from "../language/haproxy/lexer.ts";
import type { StatsSocket } from "../model/global-settings.ts";
import { daemonTerminal, isDaemonChild, startDaemon, tellServing } from "./daemon.ts";
import { HAPROXY_USAGE, type HaproxyFlags, readHaproxyFlags } from "./haproxy-flags.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";
import { describeVersion } from "./version.ts";

/** As of HAProxy: what `-cc` and `-c` end with when the question itself makes no sense. */
const EXIT_SENSELESS = 2;
/** As of HAProxy's master after SIGINT, whatever its workers ended with. */
const EXIT_INTERRUPTED = 130;

export async function runAsHaproxy(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readHaproxyFlags(args);
  if (!reading.ok) {
    complain(terminal, reading.message);
    terminal.error(HAPROXY_USAGE);
    return 1;
  }
  const { flags } = reading;
  switch (flags.action) {
    case "version":
      terminal.write(`${describeVersion()}\n`);
      return 0;
    case "build":
      terminal.write(await describeBuild());
      return 0;
    case "condition":
      return evaluate(flags.condition, terminal);
  }
  return readAndServe(args, flags, terminal);
}

async function readAndServe(
  args: readonly string[],
  flags: HaproxyFlags,
  terminal: Terminal,
): Promise<number> {
  if (flags.files.length === 0) {
    terminal.error(HAPROXY_USAGE);
    return 1;
  }
  // A background child begins where its parent has gone already.
  if (flags.directory !== null && !isDaemonChild()) {
    try {
      process.chdir(flags.directory);
    } catch (error) {
      return complain(terminal, `cannot change to ${flags.directory}: ${(error as Error).message}`);
    }
  }
  if (flags.localPeer !== null) process.env["HAPROXY_LOCALPEER"] = flags.localPeer;
  if (flags.isMasterWorker) process.env["HAPROXY_MWORKER"] = "1";
  process.env["HAPROXY_CFGFILES"] = flags.files.join(";");
  if (!flags.isQuiet) for (const note of flags.notes) terminal.error(`sallyport: ${note}\n`);
  const { loadConfiguration } = await import("../server/prepare.ts");
  const { diagnostics, sources, loaded } = loadConfiguration(flags.files, { environment: process.env });
  const hasWarnings = diagnostics.some(({ severity }) => severity === "warning");
  const isRefused = loaded === null || (flags.failsOnWarning && hasWarnings);
  const isCheck = flags.action === "check";
  // What is served is read again by the master, which shows its own diagnostics.
  if (isCheck || isRefused) {
    const shown = flags.isQuiet ? diagnostics.filter(({ severity }) => severity === "error") : diagnostics;
    terminal.error(diagnosticsText(shown, sources, terminal.isErrorColour));
  }
  if (isRefused) {
    const why =
      loaded === null ? summarizeDiagnostics(diagnostics) : "there are warnings, and -dW forbids them";
    return complain(terminal, `the configuration is not valid: ${why}`);
  }
  const { global, proxies, logForwarders } = loaded.configuration;
  // A stats socket is a listener too: files that only check servers need no `bind`.
  const hasListener =
    global.statsSockets.length > 0 ||
    logForwarders.length > 0 ||
    proxies.some(({ isDisabled, frontend }) => !isDisabled && (frontend?.binds.length ?? 0) > 0);
  const masterSocket = await findMasterSocket(flags, global.masterWorker, terminal);
  if (typeof masterSocket === "string") return complain(terminal, `-S: ${masterSocket}`);
  if (isCheck) return concludeCheck(hasListener, hasWarnings, flags.isQuiet, terminal);
  if (!hasListener) return complain(terminal, "no enabled listener: there is no `bind` line to serve");
  const isDaemon = flags.isDaemon || (global.daemon && !flags.isForeground);
  if (isDaemon && !isDaemonChild()) return startDaemon(args, terminal);
  return serveAsHaproxy(flags, masterSocket, flags.isMasterWorker || global.masterWorker, terminal);
}

/** Null without `-S`, and where HAProxy does not open it; what is wrong with it. */
async function findMasterSocket(
  { masterSocket, isMasterWorker }: HaproxyFlags,
  isMasterWorkerInFile: boolean,
  terminal: Terminal,
): Promise<StatsSocket | string | null> {
  if (masterSocket === null) return null;
  const { readMasterSocket } = await import("../language/haproxy/master-socket.ts");
  const { proxyEnvironment } = await import("../server/proxy-files.ts");
  const socket = readMasterSocket(masterSocket, proxyEnvironment(process.env));
  if (typeof socket === "string" || isMasterWorker || isMasterWorkerInFile) return socket;
  terminal.error("sallyport: a master CLI socket was defined, but master-worker mode (-W) is not enabled\n");
  return null;
}

function concludeCheck(
  hasListener: boolean,
  hasWarnings: boolean,
  isQuiet: boolean,
  terminal: Terminal,
): number {
  const write = (text: string) => isQuiet || terminal.write(text);
  if (hasWarnings) write("Warnings were found.\n");
  if (hasListener) {
    write("Configuration file is valid\n");
    return 0;
  }
  write("Configuration file has no error but will not start (no listener) => exit(2).\n");
  return EXIT_SENSELESS;
}

async function serveAsHaproxy(
  flags: HaproxyFlags,
  masterSocket: StatsSocket | null,
  isMasterWorker: boolean,
  terminal: Terminal,
): Promise<number> {
  const { serve } = await import("./serve.ts");
  const options = {
    files: flags.files,
    engine: "auto",
    workerCount: null,
    pidFile: flags.pidFile,
    masterSocket,
    runsPrograms: isMasterWorker,
    ...(isMasterWorker ? { interruptCode: EXIT_INTERRUPTED } : {}),
    dashboard: null,
    isQuiet: flags.isQuiet,
    isDaemon: isDaemonChild(),
    handleServing: () => {
      signalOldProcesses(flags);
      if (isDaemonChild()) tellServing();
    },
  } as const;
  return serve(options, isDaemonChild() ? daemonTerminal(terminal) : terminal);
}

/** Who has gone already is no fault: pid files outlive their processes. */
function signalOldProcesses({ oldPids, oldSignal }: HaproxyFlags): void {
  for (const pid of oldPids) {
    try {
      process.kill(pid, oldSignal);
    } catch {}
  }
}

function evaluate(text: string, terminal: Terminal): number {
  const variable = (name: string) => (Object.hasOwn(process.env, name) ? (process.env[name] ?? null) : null);
  // As behind `.if`, quotes and environment variables are resolved first.
  const { words, problem } = lexLine(text, "-cc", 1, variable);
  if (problem !== null) {
    complain(terminal, `the condition is not understood: ${problem.message}`);
    return EXIT_SENSELESS;
  }
  const condition = words.map((word) => word.text).join(" ");
  const result = evaluateBuildCondition(condition, {
    variable,
    features: FEATURES,
    version: LANGUAGE_VERSION,
    opensslVersion: OPENSSL_VERSION,
  });
  if (result.ok) return result.value ? 0 : 1;
  complain(terminal, `the condition is not understood: ${result.message}`);
  terminal.error(`  ${condition}\n  ${" ".repeat(result.offset)}^\n`);
  return EXIT_SENSELESS;
}

async function describeBuild(): Promise<string> {
  const { createUringEngine } = await import("../io/uring/engine.ts");
  const uring = createUringEngine();
  const rows = [
    describeVersion(),
    `Running on: ${systemType()} ${release()} ${process.arch}`,
    `Built with: Node ${process.version}, OpenSSL ${process.versions.openssl}`,
    `Engines: ${uring.ok ? "uring (chosen by itself)" : `uring (not here: ${uring.error.message})`}, portable`,
    `Feature list : ${[...FEATURES].map((name) => `+${name}`).join(" ")}`,
    "Protocols: http/1.1, tcp, tls 1.2 and 1.3, PROXY v1 and v2, websocket and other upgrades",
  ];
  return `${rows.join("\n")}\n`;
}

function complain(terminal: Terminal, message: string): 1 {
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
  return 1;
}
