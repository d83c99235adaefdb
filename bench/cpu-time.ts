// CPU time of whole process trees, from the scheduler's own books: what a worker, its threads and its master
// used.
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds that the process, its threads and all its descendants have run so far. */
export function treeCpuNs(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + processCpuNs(each), 0);
}

/** All descendants of a process that are alive. */
export function descendants(pid: number): number[] {
  const childrenOf: Map<number, number[]> = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== null) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const children = childrenOf.get(next) ?? [];
    found.push(...children);
    queue.push(...children);
  }
  return found;
}

function processCpuNs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
      const [ranNs] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
      return sum + Number(ranNs);
    }, 0);
  } catch {
    // It has ended since it was listed.
    return 0;
  }
}

function parentOf(pid: number): number | null {
  try {
    // The name in parentheses may hold anything, so the fields are counted from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}
