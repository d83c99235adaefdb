// What a worker's file descriptors suffice for. Without bounds clients alone would use them up, or idle
// connections to servers, and then no server could be reached for anybody.
import { readFileSync } from "node:fs";
import type { ProxyMeans } from "../proxy/core.ts";

/** For listeners, the ring, logs, the control connection and what Node has open of its own. */
const RESERVED_COUNT = 40;

/** Most descriptors this process may have open; infinity where the system does not say. */
export function readDescriptorCountMax(path = "/proc/self/limits"): number {
  try {
    // Node has raised the soft limit, the first of the two, to the hard one.
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(path, "latin1"))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What a worker may take: a part of what is `wanted` for all, and no more than the system gives to each. */
export function shareOf(descriptorCountMax: number, wanted: number | null, workerCount: number): number {
  return wanted === null ? descriptorCountMax : Math.min(descriptorCountMax, Math.ceil(wanted / workerCount));
}

/** Three parts for clients, as many for the connections to servers that they may need, two for idle ones. */
export function meansOf(descriptorCountMax: number): ProxyMeans {
  const eighth = (descriptorCountMax - RESERVED_COUNT) / 8;
  return {
    sessionCountMax: Math.max(1, Math.floor(eighth * 3)),
    idleServerConnectionCountMax: Math.max(1, Math.floor(eighth * 2)),
  };
}
