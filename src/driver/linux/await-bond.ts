// Waits until a bond carries frames by the cards that it has: before more of them leave another for it.
import { setTimeout as pause } from "node:timers/promises";
import { carriageOf, faultsOfLag } from "./lag-state.ts";

/** Both ends agree within some seconds, if both are set so. Who has no partner by then carries alone. */
const ALONE_MS = 10_000;
/** A busy machine may be late, and a partner at the slow rate speaks every half a minute. */
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

/** Null, or why it carries nothing. */
export async function untilCarrying(bond: string): Promise<string | null> {
  const startMs = performance.now();
  for (;;) {
    const waitedMs = performance.now() - startMs;
    const carriage = carriageOf(bond);
    if (carriage === "agreed" || (carriage === "alone" && waitedMs >= ALONE_MS)) return null;
    if (waitedMs >= PATIENCE_MS) return faultsOfLag(bond)[0] ?? `${bond} carries nothing`;
    await pause(POLL_MS);
  }
}
