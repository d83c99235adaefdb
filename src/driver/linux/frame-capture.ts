// Listens at all devices of a namespace at once, by one tcpdump: every cable of the network ends in the
// namespace of the switches, so that nothing that is sent goes unseen.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { decodeCookedCapture } from "../../wire/cooked-capture.ts";

export interface SeenFrame {
  /** Name of the device that saw it. */
  readonly link: string;
  /** As the device has it: "in" is what came to it by the cable. */
  readonly direction: "in" | "out";
  readonly frame: Uint8Array;
}

/** Headers are enough. */
const SNAP_BYTES = 256;
const BUFFER_KIB = 16_384;

export class FrameCapture {
  readonly #child: ChildProcess;
  readonly #enter: readonly string[];
  readonly #chunks: Uint8Array[] = [];
  #errors = "";

  /** `namespace` null: the one that this program is in. */
  constructor(namespace: string | null) {
    this.#enter = namespace === null ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
    const listen = ["tcpdump", "-i", "any", "-y", "LINUX_SLL2", "-s", `${SNAP_BYTES}`, "-B", `${BUFFER_KIB}`];
    const [command, ...words] = [
      ...this.#enter,
      ...listen,
      "-Z",
      "root",
      "-n",
      "--immediate-mode",
      "-U",
      "-w",
      "-",
    ];
    this.#child = spawn(command!, words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout!.on("data", (chunk: Uint8Array) => this.#chunks.push(chunk));
  }

  /** Null when it listens; else why it does not. */
  async listening(): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      if (this.#errors.includes("listening on")) resolve(null);
    });
    this.#child.on("error", ({ message }) => resolve(message));
    this.#child.on("close", () => resolve(this.#errors.trim() || "tcpdump ended"));
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
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.on("close", () => resolve());
    this.#child.kill("SIGKILL");
    await promise;
  }

  #linkNames(): ReadonlyMap<number, string> {
    const [command, ...words] = [...this.#enter, "ip", "-json", "link", "show"];
    const { stdout } = spawnSync(command!, words, { encoding: "utf8" });
    const links = JSON.parse(stdout || "[]") as { readonly ifindex: number; readonly ifname: string }[];
    return new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  }
}
