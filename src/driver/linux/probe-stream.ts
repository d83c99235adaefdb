// Pings from one namespace through a switch, more than a hundred a second, and the count of those that nobody
// answered. The answers come in order over a bridge, so a gap between two of them is a loss; what was sent
// behind the last answer may still be on its way, and only silence that lasts tells that it is not.
import { type ChildProcess, spawn } from "node:child_process";
import type { Probe } from "../../network/plan/probe-state.ts";
import { programEnvironment } from "./program-path.ts";

/** A hundred a second are promised, and ping rounds up to ticks of the kernel: at 250 Hz 10 ms become 16. */
const INTERVAL_MS = 5;
/** Numbers of pings are 16 bits long. */
const NUMBER_COUNT = 65_536;

export class ProbeStream {
  readonly probe: Probe;
  readonly #child: ChildProcess;
  readonly #missing = new Set<number>();
  #rest = "";
  /** The last that it said besides answers. */
  #said: string | null = null;
  #end: string | null = null;
  #highest = 0;
  #lastAtMs = 0;
  #begun = 0;
  #begunAtMs = 0;

  constructor(probe: Probe) {
    this.probe = probe;
    const { namespace, address } = probe;
    const ping = ["ping", "-n", "-i", `${INTERVAL_MS / 1000}`, address];
    this.#child = spawn("nsenter", [`--net=/run/netns/${namespace}`, ...ping], {
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C is for us: a change that is interrupted is still watched until it is taken back.
      detached: true,
      env: programEnvironment(),
    });
    this.#child.on("error", ({ message }) => {
      this.#end = `ping cannot be started: ${message}`;
    });
    this.#child.on("close", (status, signal) => {
      this.#end = `ping ended with ${signal ?? `exit code ${status}`}`;
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => this.#receive(text));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
  }

  /** Counts from now on: what came before was only to see that there are answers. */
  begin(): void {
    this.#missing.clear();
    this.#begun = this.#highest;
    this.#begunAtMs = performance.now();
  }

  /** How many were answered, or lost before one that was. */
  get sent(): number {
    return this.#highest - this.#begun;
  }

  get perSecond(): number {
    return (this.sent * 1000) / Math.max(1, this.#lastAtMs - this.#begunAtMs);
  }

  /** Before an answer that came. */
  get lost(): number {
    return this.#missing.size;
  }

  /**
   * What would have been answered since the last answer: lost, once that is sure. A busy machine may let ping
   * wait, and then nothing was sent.
   */
  get unanswered(): number {
    return Math.floor((performance.now() - this.#lastAtMs) / INTERVAL_MS);
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  /** What ping has said besides answers, and how it has ended; null: nothing, and it runs. */
  get complaint(): string | null {
    const said = this.#said === null ? null : `ping says "${this.#said}"`;
    return [this.#end, said].filter((one) => one !== null).join(", ") || null;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const number = /bytes from .*icmp_seq=(\d+)/.exec(line)?.[1];
      if (number !== undefined) this.#answered(Number(number));
      else if (!line.startsWith("PING ")) this.#hear(line);
    }
  }

  #hear(text: string): void {
    this.#said = text.trim().split("\n").at(-1) || this.#said;
  }

  #answered(number: number): void {
    this.#lastAtMs = performance.now();
    const behind = (this.#highest - number) % NUMBER_COUNT;
    // The nearest of all that have this number.
    const ahead = (NUMBER_COUNT - behind) % NUMBER_COUNT;
    const sequence = ahead < NUMBER_COUNT / 2 ? this.#highest + ahead : this.#highest + ahead - NUMBER_COUNT;
    this.#missing.delete(sequence);
    for (let lost = this.#highest + 1; lost < sequence; lost++) this.#missing.add(lost);
    this.#highest = Math.max(this.#highest, sequence);
  }
}
