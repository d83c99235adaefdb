// What the load balancers do that `apply` has started in edges: each is asked over the socket of its runtime
// API, as `sallyport status` does. One that does not answer is left out.
import type { ServiceCount } from "../../driver/linux/service-counters.ts";
import type { NetworkState } from "../../model/network-state.ts";
import { askMaster } from "../admin/ask-master.ts";
import type { RegistryEntry } from "../registry.ts";
import { balancersIn } from "./balancers.ts";

export async function readBalancerCounts({ processes }: NetworkState): Promise<ServiceCount[]> {
  const counts = await Promise.all(
    balancersIn(processes).map(({ owner, entry }) => (entry === null ? [] : countsOf(owner, entry))),
  );
  return counts.flat();
}

async function countsOf(owner: string, entry: RegistryEntry): Promise<ServiceCount[]> {
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
