// Ports that are chosen where the one that is wanted is taken: as with addresses, a name has its place, so
// that a port stays what it is when others come and go.
import { hashOf } from "./pool.ts";

/** Chosen at the outside address of a fence. */
export const FENCE_PORTS: PortPool = { first: 10_000, count: 10_000 };

/** Chosen at edges: above what services use, below the ephemeral ports of Linux, which begin at 32768. */
export const EDGE_PORTS: PortPool = { first: 20_000, count: 12_000 };

interface PortPool {
  readonly first: number;
  readonly count: number;
}

/** `wanted`, else the first free port from the place of `asker`; null when all are taken. */
export function choosePort(
  wanted: number,
  asker: string,
  { first, count }: PortPool,
  isTaken: (port: number) => boolean,
): number | null {
  if (!isTaken(wanted)) return wanted;
  const place = hashOf(asker) % count;
  for (let step = 0; step < count; step++) {
    const port = first + ((place + step) % count);
    if (!isTaken(port)) return port;
  }
  return null;
}
