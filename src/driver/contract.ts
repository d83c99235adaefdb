// The contract between those who decide what a network should be and those who make it so: read what is, run
// steps, say beforehand what is missing. One suite runs over all drivers (`contract-suite.ts`). Failures are
// values.
import type { NetworkState } from "../model/network-state.ts";
import type { Step } from "../network/plan/plan.ts";

export interface Driver {
  /** What the machine lacks for it. Changes nothing. */
  preflight(desired: NetworkState, applied: NetworkState): Promise<readonly Lack[]>;
  /** What there is of ours. `known`: all states that may have been made, finished or not. */
  read(known: NetworkState): Promise<ReadOutcome>;
  /** In order; stops at the first that fails. Some steps behind it may have been done. */
  run(steps: readonly Step[], progress: (done: number) => void): Promise<RunOutcome>;
}

export type ReadOutcome =
  | { readonly ok: true; readonly state: NetworkState }
  | { readonly ok: false; readonly message: string };

export type RunOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** What was tried, where that is known. */
      readonly step: Step | null;
      /** In the words of who refused. */
      readonly message: string;
    };

export interface Lack {
  /** Without it nothing is changed; else it is told and left out. */
  readonly isFatal: boolean;
  readonly what: string;
  readonly consequence: string;
  readonly cure: string;
}

export const NOTHING: NetworkState = { namespaces: [], processes: [] };
