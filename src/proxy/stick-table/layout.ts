// Where everything of a stick table is in its memory, which all processes have in common: a head, the names
// of servers, chains by hash, entries of one size. Each process has cells of its own for what it holds now
// (its uses of an entry and its connections), so that those of a process that died can be taken back.
import {
  type StickTableDefinition,
  type StoredData,
  type StoredName,
  type StoredShape,
  shapeOf,
} from "../../model/stick-table.ts";
import { RATE_CELLS } from "./sliding-rate.ts";

/** Int32 cells of the head. Places of entries count from 1; 0 is none. */
export const TABLE = {
  /** 1 + the number of the process that is at work; 0: nobody is. */
  lock: 0,
  used: 1,
  /** First of those that were given back. */
  free: 2,
  /** How many entries were ever in use: those behind have never been touched. */
  reached: 3,
  /** Ends of the list in the order of last use, which is that of expiry. */
  oldest: 4,
  newest: 5,
  nameBytes: 6,
  /** Index among the Float64 cells of the head: how often an entry was used, by whomever. */
  uses: 4,
} as const;
const HEAD_BYTES = 64;
const NAMES_BYTES = 16384;

/** Int32 cells of an entry. */
export const ENTRY = {
  next: 0,
  older: 1,
  newer: 2,
  hash: 3,
  keyLength: 4,
  /** Set last when it begins, cleared first when it ends: what a process that died in between has left. */
  isLive: 5,
  /** What it is now another machine has told. */
  isLearned: 6,
  /** From here on each process's uses, then each one's connections. */
  held: 7,
} as const;

export interface StoredCell {
  readonly data: StoredData;
  readonly shape: StoredShape;
  /** Index among the entry's Float64 cells; 0 is the time of its expiry, 1 the number of its last use. */
  readonly at: number;
}

export interface TableLayout {
  readonly capacity: number;
  readonly processCount: number;
  readonly chainCount: number;
  readonly namesAt: number;
  readonly namesBytes: number;
  readonly chainsAt: number;
  readonly entriesAt: number;
  readonly entryBytes: number;
  /** Inside an entry. */
  readonly numbersAt: number;
  readonly keyAt: number;
  readonly stored: ReadonlyMap<StoredName, StoredCell>;
  readonly byteLength: number;
}

/** `capacity`: how many entries there may be; no more than the definition's. */
export function layoutOf(
  definition: StickTableDefinition,
  capacity: number,
  processCount: number,
): TableLayout {
  const stored = new Map<StoredName, StoredCell>();
  let at = 2;
  for (const data of definition.stored) {
    const shape = shapeOf(data.name);
    stored.set(data.name, { data, shape, at });
    at += (shape === "rate" ? RATE_CELLS : 1) * data.count;
  }
  const chainCount = 2 ** Math.ceil(Math.log2(Math.max(2, capacity)));
  const namesBytes = stored.has("server_key") ? NAMES_BYTES : 0;
  const chainsAt = HEAD_BYTES + namesBytes;
  const entriesAt = roundUp(chainsAt + chainCount * 4);
  const numbersAt = roundUp((ENTRY.held + 2 * processCount) * 4);
  const keyAt = numbersAt + at * 8;
  const entryBytes = roundUp(keyAt + definition.keyBytes);
  return {
    capacity,
    processCount,
    chainCount,
    namesAt: HEAD_BYTES,
    namesBytes,
    chainsAt,
    entriesAt,
    entryBytes,
    numbersAt,
    keyAt,
    stored,
    byteLength: entriesAt + entryBytes * capacity,
  };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
