// The state of a network of one's own, which only a process inside can see: `sallyport status --watch` runs
// in there while somebody looks, and each of its lines is the present state.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { launcher } from "../../base/program-files.ts";
import type { InsideWords } from "../../driver/linux/rootless.ts";
import type { LiveCounters } from "../datacenter/live-counters.ts";

export interface StatusLine extends Pick<LiveCounters, "ports" | "cards" | "services"> {
  /** What differs from what was made, in words. */
  readonly drift: readonly string[];
}

/** Nobody has asked for so long: nobody looks any more. */
const IDLE_MS = 20_000;
const PATIENCE_MS = 15_000;
const ERRORS_KEPT = 500;

export class RootlessStatus {
  readonly #file: string;
  #child: ChildProcess | null = null;
  #last: StatusLine | null = null;
  #waiting: ((status: StatusLine | string) => void)[] = [];
  #idle: NodeJS.Timeout | null = null;

  /** `file`: the datacentre's. */
  constructor(file: string) {
    this.#file = file;
  }

  /** The newest state; a sentence when it cannot be told. */
  async read(): Promise<StatusLine | string> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
    if (this.#child === null) {
      const { wordsInside } = await import("../../driver/linux/rootless.ts");
      const words = wordsInside([launcher(), "status", this.#file, "--json", "--ports", "--watch"]);
      if (words === null) return "the network of one's own has ended";
      this.#start(words);
    }
    return this.#last ?? (await this.#nextLine());
  }

  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#child?.kill();
  }

  #start({ words, environment }: InsideWords): void {
    const [program = "", ...rest] = words;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env: environment });
    this.#child = child;
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(0, ERRORS_KEPT);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const status = readLine(line);
      if (status === null) return;
      this.#last = status;
      this.#tell(status);
    });
    const end = (reason: string) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#last = null;
      this.#tell(reason);
    };
    child.on("error", (error) => end(error.message));
    child.on("close", () => end(errors.trim() || "the network of one's own does not answer"));
  }

  #nextLine(): Promise<StatusLine | string> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve("the network of one's own does not answer"), PATIENCE_MS);
      this.#waiting.push((status) => {
        clearTimeout(late);
        resolve(status);
      });
    });
  }

  #tell(status: StatusLine | string): void {
    for (const one of this.#waiting.splice(0)) one(status);
  }
}

/** Null: it is something else that the program has said. */
function readLine(text: string): StatusLine | null {
  try {
    const { drift, ports, cards, services } = JSON.parse(text) as Partial<StatusLine>;
    if (drift === undefined || ports === undefined || cards === undefined || services === undefined)
      return null;
    return { drift, ports, cards, services };
  } catch {
    return null;
  }
}
