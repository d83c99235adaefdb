// Limits of the whole process tree for what happens in a second, as the configuration has them or as the
// runtime API has made them meanwhile (`set rate-limit`).
import type { Runtime } from "./runtime.ts";
import { HEADER } from "./state.ts";

/** A rate that the configuration limits and the runtime API may limit otherwise; 0: no limit. */
function limitBy(cell: number, configured: (runtime: Runtime) => number): (runtime: Runtime) => number {
  return (runtime) => {
    const override = Atomics.load(runtime.state.header, cell);
    return override === 0 ? configured(runtime) : Math.max(0, override);
  };
}

/** What `set rate-limit` can change. */
export const rateLimits: Readonly<
  Record<
    "connectionsPerSecond" | "sessionsPerSecond" | "tlsSessionsPerSecond" | "compressedBytesPerSecond",
    (runtime: Runtime) => number
  >
> = {
  connectionsPerSecond: limitBy(
    HEADER.connectionRateMax,
    ({ configuration }) => configuration.global.admission.connectionsPerSecondMax,
  ),
  sessionsPerSecond: limitBy(
    HEADER.sessionRateMax,
    ({ configuration }) => configuration.global.admission.sessionsPerSecondMax,
  ),
  tlsSessionsPerSecond: limitBy(
    HEADER.tlsRateMax,
    ({ configuration }) => configuration.global.admission.tlsSessionsPerSecondMax,
  ),
  compressedBytesPerSecond: limitBy(
    HEADER.compressionRateMax,
    ({ configuration }) => configuration.global.compression.bytesPerSecondMax,
  ),
};
