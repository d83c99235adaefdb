// What a virtual switch with notify-switches does for a member when it is started or comes to another port:
// it announces its MAC to all switches. For an NLB cluster in unicast mode that is the accident, so here it
// can be had, and looked at. A Linux bridge does nothing like it by itself.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { runCommand } from "../../driver/linux/command.ts";
import { sendFrame } from "../../io/frame-sender.ts";
import { announcement } from "../../network/cluster/announcement.ts";
import type { MemberSettings } from "../../network/cluster/member-settings.ts";

/** One may come before the port forwards; hypervisors repeat them too. */
const REPETITIONS = 3;
const REPEAT_MS = 500;

export class Announcer {
  readonly #settings: Pick<MemberSettings, "device" | "mac">;
  readonly #log: (message: string) => void;
  readonly #monitor: ChildProcess;
  #hasCarrier = true;
  #left = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: Pick<MemberSettings, "device" | "mac">, log: (message: string) => void) {
    this.#settings = settings;
    this.#log = log;
    const words = ["-o", "monitor", "link", "dev", settings.device];
    this.#monitor = spawn("ip", words, { stdio: ["ignore", "pipe", "ignore"] });
    this.#monitor.on("error", (error) => log(`changes of the port are not seen: ${error.message}`));
    createInterface(this.#monitor.stdout!).on("line", (line) => this.#see(line));
    this.#announce(REPETITIONS);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#monitor.kill();
  }

  #see(line: string): void {
    const flags = /<([^>]*)>/.exec(line)?.[1]?.split(",");
    if (flags === undefined) return;
    const hadCarrier = this.#hasCarrier;
    this.#hasCarrier = flags.includes("LOWER_UP");
    if (!hadCarrier && this.#hasCarrier) this.#announce(REPETITIONS);
  }

  #announce(count: number): void {
    this.#left = count;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const next = async () => {
      this.#left--;
      const fault = await announceOnce(this.#settings);
      if (fault !== null) this.#log(`not announced: ${fault}`);
      this.#timer = this.#left > 0 ? setTimeout(next, REPEAT_MS) : null;
      if (this.#left === 0) this.#log(`${this.#settings.mac} was announced to the switches`);
    };
    this.#timer = setTimeout(next, 0);
  }
}

async function announceOnce({ device, mac }: Pick<MemberSettings, "device" | "mac">): Promise<string | null> {
  const { output, errors } = await runCommand(["ip", "-o", "link", "show", "dev", device]);
  const number = Number.parseInt(output, 10);
  return Number.isNaN(number) ? errors.trim() : sendFrame(number, announcement(mac));
}
