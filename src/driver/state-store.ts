// What is remembered between two calls: what was applied, and, while something is being changed, what there
// was before. A change is written down before it begins, so that the next call can take back what an
// interrupted one has left.
import type { NetworkState } from "../model/network-state.ts";

export interface StateStore {
  /** Null: the lock; else one sentence on who has it. Released with `unlock`, or when the process ends. */
  lock(): string | null;
  unlock(): void;
  // Writing throws like node:fs, where there is no room.
  readApplied(): Applied | null;
  writeApplied(applied: Applied | null): void;
  readJournal(): Journal | null;
  writeJournal(journal: Journal | null): void;
}

export interface Applied {
  readonly state: NetworkState;
  /** The datacentre file, as an absolute path. */
  readonly file: string;
  /** Which of the file's hosts this machine is; null: none, everything of the file runs here. */
  readonly host?: string | null;
}

export interface Journal {
  readonly before: NetworkState;
  readonly desired: NetworkState;
  /** What was applied before; it is again when the change is taken back. */
  readonly applied: Applied | null;
  /** `trial`: it is done, and taken back unless somebody confirms it. */
  readonly phase: "changing" | "trial";
}
