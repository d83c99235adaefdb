// The load balancers that `apply` has started in edges: which of the masters that run here is whose, and when
// they serve.
import { setTimeout as pause } from "node:timers/promises";
import { isInNamespace } from "../../driver/linux/namespaces.ts";
import type { Supervisor } from "../../driver/linux/supervisor.ts";
import type { ProcessState } from "../../model/network-state.ts";
import { listRegistry, type RegistryEntry } from "../registry.ts";

/** What `network/plan` calls their programs. */
const BALANCER = /^the load balancer of (.+)$/;
/** One that takes longer is told of by `status`. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;

export interface Balancer {
  /** Name of its edge. */
  readonly owner: string;
  readonly process: ProcessState;
  /** Null: it does not serve, or not yet. */
  readonly entry: RegistryEntry | null;
}

export function balancersIn(processes: readonly ProcessState[]): Balancer[] {
  const balancers = processes.flatMap((process) => {
    const owner = BALANCER.exec(process.words)?.[1];
    return owner === undefined ? [] : [{ owner, process }];
  });
  if (balancers.length === 0) return [];
  const entries = listRegistry();
  return balancers.map(({ owner, process }) => ({
    owner,
    process,
    // Of several that serve one file it is the one in the edge's namespace.
    entry: entries.find(({ pid }) => isInNamespace(pid, process.namespace)) ?? null,
  }));
}

/** Until each of them serves, has ended, or takes too long. */
export async function untilServing(
  processes: readonly ProcessState[],
  supervisor: Supervisor,
): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  const isAwaited = ({ entry, process }: Balancer) =>
    entry === null && supervisor.keepsEnding(process.name, Date.now()) === null;
  while (balancersIn(processes).some(isAwaited) && Date.now() < deadlineMs) await pause(POLL_MS);
}
