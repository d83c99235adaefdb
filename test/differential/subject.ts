// One proxy under test with everything around it: its own servers, its own ports, its own log socket, a
// process.
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket as LogSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePorts } from "../free-port.ts";
import { findCommand } from "../requirements.ts";
import { type Origin, type SharedRecords, startOrigin } from "./origin.ts";

export type SubjectName = "haproxy" | "uring" | "portable";

/**
 * "{front1}" … in a configuration become ports: fronts of the proxy, servers "{a}", "{b}", "{c}", and one
 * where nobody listens.
 */
const FRONTS = ["front1", "front2", "front3", "front4", "front5", "front6"] as const;
const SERVERS = ["A", "B", "C"] as const;
const START_MS = 30_000;

export interface Subject {
  readonly name: SubjectName;
  readonly origins: readonly Origin[];
  readonly turns: SharedRecords;
  /** "{directory}" of its configuration. */
  readonly directory: string;
  portOf(front: string): number;
  /** Log lines since the last call. */
  takeLogs(): string[];
  readonly logCount: number;
  /** Takes out what must differ between two subjects: ports, dates, times. */
  normalise(text: string): string;
  stop(): Promise<void>;
}

/** Throws, and leaves nothing behind, when the proxy does not come up. */
export async function startSubject(
  name: SubjectName,
  configuration: string,
  holePort: number,
): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), `sallyport-${name}-`));
  const turns: SharedRecords = { turn: 0, round: 0, records: [] };
  const origins = await Promise.all(SERVERS.map((server) => startOrigin(server, turns)));
  const logs: string[] = [];
  const log = await openLog(logs);
  const ports = await choosePorts(origins, log.address().port, holePort);
  const text = configuration
    .replaceAll(/\{([a-z0-9]+)\}/g, (whole, key: string) => String(ports.get(key) ?? whole))
    .replaceAll("{directory}", directory);
  const file = join(directory, "haproxy.cfg");
  writeFileSync(file, text);
  writeFileSync(join(directory, "503.http"), ERROR_FILE);
  const child = start(name, file);
  const stop = async () => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
    child.kill("SIGTERM");
    await gone;
    log.close();
    await Promise.all(origins.map((origin) => origin.close()));
    rmSync(directory, { recursive: true });
  };
  try {
    await untilServing(
      child,
      FRONTS.filter((front) => configuration.includes(`{${front}}`)).map((front) => ports.get(front)!),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    origins,
    turns,
    directory,
    portOf: (front) => ports.get(front)!,
    takeLogs: () => logs.splice(0),
    get logCount() {
      return logs.length;
    },
    normalise: (value) => normalise(value, ports),
    stop,
  };
}

async function choosePorts(
  origins: readonly Origin[],
  logPort: number,
  holePort: number,
): Promise<Map<string, number>> {
  const free = await freePorts(FRONTS.length + 1);
  const ports = new Map<string, number>([
    ["log", logPort],
    ["hole", holePort],
    ["dead", free.pop()!],
  ]);
  for (const origin of origins) ports.set(origin.name.toLowerCase(), origin.port);
  for (const [index, front] of FRONTS.entries()) ports.set(front, free[index]!);
  return ports;
}

async function untilServing(child: ChildProcess, ports: readonly number[]): Promise<void> {
  const complaints: string[] = [];
  child.stderr!.on("data", (data) => complaints.push(String(data)));
  for (const port of ports) await untilListening(port, child, complaints);
}

const ERROR_FILE =
  "HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n" +
  "X-Own: yes\r\n\r\n<html>our own page</html>\n";

/** Ended with the test, however that ends. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
process.once("SIGTERM", () => process.exit(1));

function start(name: SubjectName, file: string): ChildProcess {
  const [command, ...words] =
    name === "haproxy" ? [findCommand("haproxy")!, "-db", "-f", file] : sallyport(name, file);
  const child = spawn(command!, words, { stdio: ["ignore", "ignore", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

function sallyport(engine: string, file: string): string[] {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const flags = ["--experimental-ffi", "--disable-warning=ExperimentalWarning"];
  return [process.execPath, ...flags, main, "run", file, "--engine", engine, "--workers", "1"];
}

async function openLog(logs: string[]): Promise<LogSocket> {
  const socket = createSocket("udp4");
  socket.on("message", (message) => logs.push(message.toString("latin1")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** Looks at the kernel's table: connecting would leave a line in the log. */
async function untilListening(
  port: number,
  child: ChildProcess,
  complaints: readonly string[],
): Promise<void> {
  const deadline = Date.now() + START_MS;
  const entry = new RegExp(`: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
  while (Date.now() < deadline && child.exitCode === null) {
    if (entry.test(readFileSync("/proc/net/tcp", "latin1"))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it does not listen: ${complaints.join("")}`);
}

function normalise(text: string, ports: ReadonlyMap<string, number>): string {
  // A process and the client's own port may have any number, also one of ours.
  let result = text.replace(/^(<\d+>)\w{3} [ \d]\d [\d:]{8} (.*?)\[\d+\]: /, "$1date $2[pid]: ");
  result = result.replaceAll(/\b(127\.0\.0\.\d+):\d+ (?=\[\d\d\/)/g, "$1:port ");
  result = result.replaceAll(/(PROXY TCP4 127\S+ 127\S+) \d+ /g, "$1 port ");
  for (const [name, port] of ports) result = result.replaceAll(new RegExp(`\\b${port}\\b`, "g"), `{${name}}`);
  return (
    result
      .replaceAll(/\[\d\d\/\w{3}\/\d{4}:[\d:.]+\]/g, "[date]")
      // Of times, known or not is all that can be equal.
      .replace(/(?<= )[+-]?\d+(\/[+-]?\d+){2,4} /, (times) => times.replaceAll(/(?<![\d-])\d+/g, "n"))
      // Whether the client before has left is a matter of moments; retries are not.
      .replace(/(?<= )\d+\/\d+\/\d+\/\d+(?=\/[+\d]+ \d+\/\d+ )/, "c/c/c/c")
      // HAProxy counts its internal form of a message (names and values without separators, a fixed size for
      // the first line), we what went to the client; that ours is the truth is checked apart.
      .replace(LOGGED_BYTES, (whole, count: string) => whole.replace(` ${count} `, " bytes "))
  );
}

/** %B in httplog and tcplog. */
export const LOGGED_BYTES: RegExp =
  / \+?(\d+) (?=(?:\S+ \S+ )?[-CSPLRIDUKcs][-RQCHDLT][-A-Z]{0,2} [\dc]+\/[\dc]+)/;
