// What balancing needs from outside: randomness, the clock, and the compiled key of `balance hash`.
import type { SampleValue } from "../rules/sample-value.ts";
import type { Stream } from "../stream.ts";

export interface BalanceEnvironment {
  /** Uniform in [0, 1). */
  random(): number;
  /** Seconds since 1970. */
  wallClockSeconds(): number;
  /**
   * The sample of `balance hash EXPR`; null when the algorithm is another one. Returns null when there is no
   * value.
   */
  readonly evaluateKey: ((stream: Stream) => SampleValue | null) | null;
  /** `fullconn` of a backend that sets none: a tenth of the maxconn of the frontends that lead to it. */
  readonly fullconnDefault?: number;
}
