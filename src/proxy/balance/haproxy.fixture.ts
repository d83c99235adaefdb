// A real HAProxy 2.6 beside us, for tests that compare. Everything goes over unix sockets in a directory of
// its own; `dispose` ends the processes and removes the directory.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const HAPROXY = "/usr/sbin/haproxy";
/** False skips the comparisons: they need HAProxy 2.6 itself. */
export const HAS_HAPROXY: boolean = existsSync(HAPROXY);

export interface Haproxy {
  /** Where the sockets are: the configuration names them by `DIRECTORY`. */
  readonly directory: string;
  /** What HAProxy wrote to stdout (its logs, when a log target is stdout) and stderr. */
  readonly output: string[];
  dispose(): Promise<void>;
}

/**
 * Starts HAProxy with a configuration in which DIRECTORY stands for the directory of the sockets, and waits
 * until each of `sockets` (file names in it) accepts connections.
 */
export async function startHaproxy(
  directory: string,
  configuration: string,
  sockets: readonly string[],
): Promise<Haproxy> {
  const file = path.join(directory, "haproxy.cfg");
  writeFileSync(file, configuration.replaceAll("DIRECTORY", directory));
  const child = spawn(HAPROXY, ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("latin1").on("data", (text: string) => output.push(text));
  for (const socket of sockets) await waitForSocket(path.join(directory, socket), child, output);
  return { directory, output, dispose: () => endProcess(child) };
}

export function makeDirectory(): string {
  return mkdtempSync(path.join(tmpdir(), "sallyport-test-"));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

export interface PlainResponse {
  readonly status: number;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** One request over a unix socket. `headers` go out as given, in order and with repetitions. */
export function request(
  socketPath: string,
  options: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: readonly (readonly [string, string])[];
    readonly agent?: http.Agent;
  },
): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    const headers = [["host", "example.com"], ...(options.headers ?? [])].flat();
    const { method = "GET", path: target = "/" } = options;
    const outgoing = http.request(
      { socketPath, method, path: target, headers, setHost: false, agent: options.agent ?? false },
      (incoming) => {
        let body = "";
        incoming.setEncoding("latin1").on("data", (text: string) => (body += text));
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, rawHeaders: incoming.rawHeaders, body }),
        );
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function waitForSocket(
  socketPath: string,
  child: ChildProcess,
  output: readonly string[],
): Promise<void> {
  while (!(await accepts(socketPath))) {
    if (child.exitCode !== null) throw new Error(`HAProxy ended: ${output.join("")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
