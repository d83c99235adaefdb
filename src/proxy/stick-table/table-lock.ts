// Who may work on a table: one process at a time, for less than a microsecond. HAProxy's threads do likewise.
// A process that died at it is found by its number, and the master makes up for it
// (`StickTable.forgetProcess`).
import { TABLE } from "./layout.ts";

/** So many tries take a few microseconds; who is still at it has lost its processor. */
const TRIES_MAX = 200;
const PAUSE_MS = 0.05;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
/**
 * More than five seconds: nobody is at it any more. Even the master, which would hear of it, may be waiting
 * here.
 */
const PAUSES_MAX = 100_000;

/** False: it was taken from somebody who has died at it, so the lists of the table may be in disorder. */
export function lockTable(head: Int32Array, process: number): boolean {
  for (let pauses = 0; pauses < PAUSES_MAX; pauses++) {
    for (let tries = 0; tries < TRIES_MAX; tries++)
      if (isFree(head) && Atomics.compareExchange(head, TABLE.lock, 0, process + 1) === 0) return true;
    Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
  }
  const holder = Atomics.load(head, TABLE.lock);
  if (Atomics.compareExchange(head, TABLE.lock, holder, process + 1) !== holder)
    return lockTable(head, process);
  return holder === 0;
}

/**
 * Only to look takes the cache line from nobody: two processes that do nothing else are 3.5 times as fast.
 */
function isFree(head: Int32Array): boolean {
  return Atomics.load(head, TABLE.lock) === 0;
}

/** Takes it from a process that has died, if that had it. */
export function takeLockOf(head: Int32Array, dead: number, process: number): boolean {
  return Atomics.compareExchange(head, TABLE.lock, dead + 1, process + 1) === dead + 1;
}

export function unlockTable(head: Int32Array): void {
  Atomics.store(head, TABLE.lock, 0);
}
