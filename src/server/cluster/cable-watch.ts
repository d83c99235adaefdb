// Tells when the cable of a device is plugged in: when a machine comes to another port, or its device is made
// anew. It listens to what the kernel says of links in this namespace, by `ip monitor`.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { programEnvironment } from "../../driver/linux/program-path.ts";

export class CableWatch {
  readonly #monitor: ChildProcess;

  /** Nobody is called for a cable that is there already. `log` is told why it cannot listen. */
  constructor(device: string, onPlugged: () => void, log: (message: string) => void) {
    this.#monitor = spawn("ip", ["-o", "monitor", "link"], {
      stdio: ["ignore", "pipe", "ignore"],
      env: programEnvironment(),
    });
    this.#monitor.on("error", (error) => log(`changes of the cable are not seen: ${error.message}`));
    let hasCarrier = true;
    createInterface(this.#monitor.stdout!).on("line", (line) => {
      const change = carrierIn(line, device);
      if (change === null) return;
      if (change && !hasCarrier) onPlugged();
      hasCarrier = change;
    });
  }

  close(): void {
    this.#monitor.kill();
  }
}

/** Whether the device of that name has carrier now; null for a line about something else. */
export function carrierIn(line: string, device: string): boolean | null {
  const [, isDeleted, name, flags = ""] =
    /^(Deleted )?\d+: ([^:@\s]+)(?:@[^:\s]+)?: <([^>]*)>/.exec(line) ?? [];
  if (name !== device) return null;
  return isDeleted === undefined && flags.split(",").includes("LOWER_UP");
}
