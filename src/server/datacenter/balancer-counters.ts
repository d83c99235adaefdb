// What the load balancers do that `apply` has started in edges: each is asked over the socket of its runtime
// API, as `sallyport status` does. One that does not answer is left out.
import { readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { NAMESPACE_FOLDER } from "../../driver/linux/namespaces.ts";
import type { ServiceCount } from "../../driver/linux/service-counters.ts";
import type { NetworkState, ProcessState } from "../../model/network-state.ts";
import { askMaster } from "../admin/ask-master.ts";
import { listRegistry, type RegistryEntry } from "../registry.ts";

/** What `network/plan` calls their programs. */
const BALANCER = /^the load balancer of (.+)$/;

export async function readBalancerCounts({ processes }: NetworkState): Promise<ServiceCount[]> {
  const balancers = processes.filter(({ words }) => BALANCER.test(words));
  if (balancers.length === 0) return [];
  const entries = listRegistry();
  const counts = await Promise.all(
    balancers.map(async (one) => {
      const entry = entries.find(({ pid }) => isIn(pid, one.namespace));
      return entry === undefined ? [] : countsOf(one, entry);
    }),
  );
  return counts.flat();
}

async function countsOf({ words }: ProcessState, entry: RegistryEntry): Promise<ServiceCount[]> {
  const owner = BALANCER.exec(words)![1]!;
  try {
    const frontends = frontendsIn(await askMaster(entry, "show stat json"));
    const sum = (name: string) => frontends.reduce((total, row) => total + (row.get(name) ?? 0), 0);
    return [
      { owner, kind: "sessions", value: sum("scur"), limit: null },
      { owner, kind: "requests", value: sum("req_rate"), limit: null },
    ];
  } catch {
    // It ends, or is not there yet.
    return [];
  }
}

interface StatisticsField {
  readonly objType: string;
  readonly field: { readonly name: string };
  readonly value: { readonly value: string | number };
}

/** Numbers of each frontend by the names of HAProxy's columns. Throws when it is something else. */
function frontendsIn(answer: string): Map<string, number>[] {
  const rows = JSON.parse(answer) as readonly (readonly StatisticsField[])[];
  return rows
    .filter((row) => row[0]?.objType === "Frontend")
    .map((row) => new Map(row.map(({ field, value }) => [field.name, Number(value.value)])));
}

/** Of several that serve one file it is the one in the edge's namespace. */
function isIn(pid: number, namespace: string): boolean {
  try {
    const own = readlinkSync(`/proc/${pid}/ns/net`);
    return own === `net:[${statSync(join(NAMESPACE_FOLDER, namespace)).ino}]`;
  } catch {
    return false;
  }
}
