// The state of a network of one's own, which only a process inside can see.
import { launcher } from "../../base/program-files.ts";
import type { LiveCounters } from "../datacenter/live-counters.ts";
import { StatusWatch } from "./status-watch.ts";

export interface StatusLine extends Pick<LiveCounters, "ports" | "cards" | "services" | "host"> {
  /** What differs from what was made, in words. */
  readonly drift: readonly string[];
}

/** `file`: the datacentre's. */
export function watchRootless(file: string): StatusWatch<StatusLine> {
  return new StatusWatch(async () => {
    const { wordsInside } = await import("../../driver/linux/rootless.ts");
    const words = [launcher(), "status", file, "--json", "--ports", "--watch"];
    return wordsInside(words) ?? "the network of one's own has ended";
  }, readLine);
}

/** Null: it is something else that the program has said. */
function readLine(text: string): StatusLine | null {
  try {
    const { drift, ports, cards, services, host = null } = JSON.parse(text) as Partial<StatusLine>;
    if (drift === undefined || ports === undefined || cards === undefined || services === undefined)
      return null;
    return { drift, ports, cards, services, host };
  } catch {
    return null;
  }
}
