// One proxy under test with everything around it: its own servers, its own ports, its own log socket, a process.
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket as LogSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findCommand } from "../requirements.ts";
import { type Origin, type SharedRecords, startOrigin } from "./origin.ts";

export type SubjectName = "haproxy" | "uring" | "portable";

/** "{front1}" … in a configuration become ports: fronts of the proxy, servers "{a}", "{b}", "{c}", and one where nobody listens. */
const FRONTS = ["front1", "front2", "front3", "front4", "front5", "front6"] as const;
const SERVERS = ["A", "B", "C"] as const;
const START_MS = 10_000;

export interface Subject {
  readonly name: SubjectName;
  readonly origins: readonly Origin[];
  readonly turns: SharedRecords;
  portOf(front: string): number;
  /** Log lines since the last call. */
  takeLogs(): string[];
  readonly logCount: number;
  /** Takes out what must differ between two subjects: ports, dates, times. */
  normalise(text: string): string;
  stop(): Promise<void>;
}

export async function startSubject(
  name: SubjectName,
  configuration: string,
  holePort: number,
): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), `sallyport-${name}-`));
  const turns: SharedRecords = { turn: 0, records: [] };
  const origins = await Promise.all(SERVERS.map((server) => startOrigin(server, turns)));
  const logs: string[] = [];
  const log = await openLog(logs);
  const free = await freePorts(FRONTS.length + 1);
  const ports = new Map<string, number>([
    ["log", log.address().port],
    ["hole", holePort],
    ["dead", free.pop()!],
  ]);
  for (const origin of origins) ports.set(origin.name.toLowerCase(), origin.port);
  for (const [index, front] of FRONTS.entries()) ports.set(front, free[index]!);
  const text = configuration
    .replaceAll(/\{([a-z0-9]+)\}/g, (whole, key: string) => String(ports.get(key) ?? whole))
    .replaceAll("{directory}", directory);
  const file = join(directory, "haproxy.cfg");
  writeFileSync(file, text);
  writeFileSync(join(directory, "503.http"), ERROR_FILE);
  const child = start(name, file);
  const complaints: string[] = [];
  child.stderr!.on("data", (data) => complaints.push(String(data)));
  const used = FRONTS.filter((front) => configuration.includes(`{${front}}`));
  for (const front of used) await untilListening(ports.get(front)!, child, complaints);
  await untilQuiet(logs);
  return {
    name,
    origins,
    turns,
    portOf: (front) => ports.get(front)!,
    takeLogs: () => logs.splice(0),
    get logCount() {
      return logs.length;
    },
    normalise: (value) => normalise(value, ports),
    stop: async () => {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
      child.kill("SIGTERM");
      await gone;
      log.close();
      await Promise.all(origins.map((origin) => origin.close()));
      rmSync(directory, { recursive: true });
    },
  };
}

const ERROR_FILE =
  "HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n" +
  "X-Own: yes\r\n\r\n<html>our own page</html>\n";

function start(name: SubjectName, file: string): ChildProcess {
  if (name === "haproxy")
    return spawn(findCommand("haproxy")!, ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const flags = ["--experimental-ffi", "--disable-warning=ExperimentalWarning"];
  const words = ["run", file, "--engine", name, "--workers", "1"];
  return spawn(process.execPath, [...flags, main, ...words], { stdio: ["ignore", "ignore", "pipe"] });
}

async function openLog(logs: string[]): Promise<LogSocket> {
  const socket = createSocket("udp4");
  socket.on("message", (message) => logs.push(message.toString("latin1")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

async function untilListening(
  port: number,
  child: ChildProcess,
  complaints: readonly string[],
): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it does not listen: ${complaints.join("")}`);
}

/** What is logged about our first look at the ports belongs to no case. */
async function untilQuiet(logs: string[]): Promise<void> {
  for (let before = -1; before !== logs.length; ) {
    before = logs.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  logs.length = 0;
}

function normalise(text: string, ports: ReadonlyMap<string, number>): string {
  let result = text;
  for (const [name, port] of ports) result = result.replaceAll(new RegExp(`\\b${port}\\b`, "g"), `{${name}}`);
  return (
    result
      .replace(/^(<\d+>)\w{3} [ \d]\d [\d:]{8} (.*?)\[\d+\]: /, "$1date $2[pid]: ")
      .replaceAll(/\[\d\d\/\w{3}\/\d{4}:[\d:.]+\]/g, "[date]")
      .replaceAll(/\b(127\.0\.0\.\d+):\d{4,5}\b/g, "$1:port")
      // Of times, known or not is all that can be equal.
      .replace(/(?<= )[+-]?\d+(\/[+-]?\d+){4} /, (times) => times.replaceAll(/(?<![\d-])\d+/g, "n"))
      // HAProxy counts its internal form of a message (names and values without separators, a fixed size for the
      // first line), we what went to the client; that ours is the truth is checked apart.
      .replace(LOGGED_BYTES, (whole, count: string) => whole.replace(` ${count} `, " bytes "))
  );
}

/** %B in httplog and tcplog. */
export const LOGGED_BYTES: RegExp = / \+?(\d+) (?=(?:\S+ \S+ )?[-CSPLRIDUKcs][-RQCHDLT][-A-Z]{0,2} \d+\/\d+)/;
