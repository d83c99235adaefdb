// What is remembered between calls, without a disk: for tests.
import type { Applied, Journal, StateStore } from "../state-store.ts";

export class MemoryStore implements StateStore {
  #applied: Applied | null = null;
  #journal: Journal | null = null;
  #isLocked = false;
  /** Writes until the disk is full; from then on only what takes no room can be written. */
  #writesLeft = Number.POSITIVE_INFINITY;

  /** The disk is full after so many more writes. */
  fillUpAfter(writes: number): void {
    this.#writesLeft = writes;
  }

  #write(value: unknown): void {
    if (value === null) return;
    if (this.#writesLeft === 0) throw new Error("no space left on device");
    this.#writesLeft -= 1;
  }

  lock(): string | null {
    if (this.#isLocked) return "somebody else is changing it";
    this.#isLocked = true;
    return null;
  }

  unlock(): void {
    this.#isLocked = false;
  }

  readApplied(): Applied | null {
    return this.#applied;
  }

  writeApplied(applied: Applied | null): void {
    this.#write(applied);
    this.#applied = applied;
  }

  readJournal(): Journal | null {
    return this.#journal;
  }

  writeJournal(journal: Journal | null): void {
    this.#write(journal);
    this.#journal = journal;
  }
}
