// What a virtual switch with notify-switches does for a member when it is started or comes to another port:
// it announces its MAC to all switches. For an NLB cluster in unicast mode that is the accident, so here it
// can be had, and looked at. A Linux bridge does nothing like it by itself.
import { runCommand } from "../../driver/linux/command.ts";
import { sendFrame } from "../../io/frame-sender.ts";
import { announcement } from "../../network/cluster/announcement.ts";
import type { MemberSettings } from "../../network/cluster/member-settings.ts";

type Announced = Pick<MemberSettings, "device" | "mac">;

/** One may come before the port forwards; hypervisors repeat them too. */
const REPETITIONS = 3;
const REPEAT_MS = 500;

export class Announcer {
  readonly #log: (message: string) => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  announce(member: Announced): void {
    this.stop();
    this.#after(0, member, REPETITIONS);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #after(delayMs: number, member: Announced, left: number): void {
    const timer = setTimeout(async () => {
      const fault = await announceOnce(member);
      if (fault !== null) this.#log(`not announced: ${fault}`);
      // Stopped, or begun anew, in the meantime.
      if (this.#timer !== timer) return;
      if (left > 1) this.#after(REPEAT_MS, member, left - 1);
      else this.#log(`${member.mac} was announced to the switches`);
    }, delayMs);
    this.#timer = timer;
  }
}

async function announceOnce({ device, mac }: Announced): Promise<string | null> {
  const { output, errors } = await runCommand(["ip", "-o", "link", "show", "dev", device]);
  const number = Number.parseInt(output, 10);
  return Number.isNaN(number) ? errors.trim() : sendFrame(number, announcement(mac));
}
