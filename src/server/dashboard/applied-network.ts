// What `sallyport apply` has made of the datacentre on this machine, whether it still is as it was made, and
// what it has counted: in the machine's own network, or in one of the user's own (`--rootless`).
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TopologyState } from "../../model/dashboard-datacenter.ts";
import { safeName } from "../../network/plan/kernel-names.ts";
import type { LiveCounters } from "../datacenter/live-counters.ts";
import { type StatusLine, watchRootless } from "./rootless-status.ts";
import type { StatusWatch } from "./status-watch.ts";

export interface AppliedNetwork extends Pick<TopologyState, "applied" | "isRootless" | "drift"> {
  readonly counted: Pick<LiveCounters, "ports" | "cards" | "services" | "host">;
}

const DRIFT_SHOWN_MAX = 50;
const NOTHING_COUNTED: AppliedNetwork["counted"] = { ports: [], cards: [], services: [], host: null };
const NOT_APPLIED: AppliedNetwork = {
  applied: "no",
  isRootless: false,
  drift: [],
  counted: NOTHING_COUNTED,
};

export class AppliedNetworkReader {
  readonly #rootless: StatusWatch<StatusLine>;

  /** `file`: as the commands take it. */
  constructor(file: string) {
    this.#rootless = watchRootless(file);
  }

  /** `name`: of the datacentre. */
  async read(name: string): Promise<AppliedNetwork> {
    try {
      // What `apply` needs is much, and nobody needs it who only looks at traffic.
      const { stateRoot } = await import("../../driver/linux/disk-store.ts");
      const { rootOfRootless } = await import("../../driver/linux/rootless.ts");
      const folder = safeName(name);
      // Opening makes the directory; whoever only looks leaves nothing behind.
      if (existsSync(join(stateRoot(), folder, "applied.json"))) return await readOwn(name);
      const root = rootOfRootless();
      if (root === null || !existsSync(join(root, "run/sallyport", folder, "applied.json")))
        return NOT_APPLIED;
      const status = await this.#rootless.read();
      if (typeof status === "string") return unknown(status, true);
      return { ...stateBy(status.drift), isRootless: true, counted: status };
    } catch (error) {
      // No state directory, no tools, another system than Linux: nothing is known, and nothing is wrong.
      return unknown((error as Error).message, false);
    }
  }

  close(): void {
    this.#rootless.close();
  }
}

async function readOwn(name: string): Promise<AppliedNetwork> {
  const { openDriver } = await import("../datacenter/live-network.ts");
  const { readLiveCounters } = await import("../datacenter/live-counters.ts");
  const { drift } = await import("../../driver/apply.ts");
  const { lagFaults } = await import("../../driver/linux/lag-state.ts");
  const { driver, store } = openDriver(name);
  const applied = store.readApplied();
  if (applied === null) return NOT_APPLIED;
  const found = await drift(applied, driver);
  if (!found.ok) return unknown(found.message, false);
  const counted = await readLiveCounters(name, applied, store.directory);
  return {
    ...stateBy([...found.plan.steps.map(({ words }) => words), ...lagFaults(applied.state)]),
    isRootless: false,
    counted: typeof counted === "string" ? NOTHING_COUNTED : counted,
  };
}

function stateBy(drift: readonly string[]): Pick<TopologyState, "applied" | "drift"> {
  return { applied: drift.length === 0 ? "yes" : "changed", drift: drift.slice(0, DRIFT_SHOWN_MAX) };
}

function unknown(reason: string, isRootless: boolean): AppliedNetwork {
  return { applied: "unknown", isRootless, drift: [reason], counted: NOTHING_COUNTED };
}
