// Listens at all devices of a namespace at once, by one tcpdump or dumpcap: every cable of the network ends
// in the namespace of the switches, so that nothing that is sent goes unseen.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { decodeCookedCapture } from "../../wire/cooked-capture.ts";
import { programEnvironment } from "./program-path.ts";

export interface SeenFrame {
  /** Name of the device that saw it. */
  readonly link: string;
  /** As the device has it: "in" is what came to it by the cable. */
  readonly direction: "in" | "out";
  readonly frame: Uint8Array;
}

/** Headers are enough. */
const SNAP_BYTES = "256";
const ANY = ["-i", "any", "-y", "LINUX_SLL2", "-s", SNAP_BYTES, "-w", "-"] as const;
/**
 * tcpdump gives up rights that root of a user namespace without further users does not have to give
 * (setgroups), and ends; dumpcap does not try.
 */
const PROGRAMS = [
  {
    words: ["tcpdump", ...ANY, "-B", "16384", "-Z", "root", "-n", "--immediate-mode", "-U"],
    ready: "listening on",
  },
  { words: ["dumpcap", ...ANY, "-q", "-P"], ready: "File:" },
] as const;

export class FrameCapture {
  readonly #enter: readonly string[];
  #chunks: Uint8Array[] = [];
  #child: ChildProcess | null = null;

  /** `namespace` null: the one that this program is in. */
  constructor(namespace: string | null) {
    this.#enter = namespace === null ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
  }

  /** Null when it listens; else why nobody does. */
  async start(): Promise<string | null> {
    const faults: string[] = [];
    for (const { words, ready } of PROGRAMS) {
      const fault = await this.#startProgram(words, ready);
      if (fault === null) return null;
      faults.push(fault);
    }
    return faults.join("; ");
  }

  #startProgram(words: readonly string[], ready: string): Promise<string | null> {
    const [command, ...rest] = [...this.#enter, ...words];
    const child = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"], env: programEnvironment() });
    this.#child = child;
    // Who gave up may have written the beginning of a file.
    const chunks: Uint8Array[] = [];
    this.#chunks = chunks;
    child.stdout.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    const { promise, resolve } = Promise.withResolvers<string | null>();
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
      if (errors.includes(ready)) resolve(null);
    });
    child.on("error", ({ message }) => resolve(message));
    child.on("close", () => resolve(errors.trim().split("\n").at(-1) || `${words[0]} ended`));
    return promise;
  }

  /** What was seen so far, in order. */
  frames(): readonly SeenFrame[] {
    const decoded = decodeCookedCapture(Buffer.concat(this.#chunks));
    if (!decoded.ok) return [];
    const names = this.#linkNames();
    return decoded.value.flatMap(({ device, direction, frame }): SeenFrame[] => {
      const link = names.get(device);
      return link === undefined ? [] : [{ link, direction, frame }];
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.on("close", () => resolve());
    child.kill("SIGKILL");
    await promise;
  }

  #linkNames(): ReadonlyMap<number, string> {
    const [command, ...words] = [...this.#enter, "ip", "-json", "link", "show"];
    const { stdout } = spawnSync(command!, words, { encoding: "utf8", env: programEnvironment() });
    const links = JSON.parse(stdout || "[]") as { readonly ifindex: number; readonly ifname: string }[];
    return new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  }
}
