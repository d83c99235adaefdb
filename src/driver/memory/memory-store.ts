// What is remembered between calls, without a disk: for tests.
import type { Applied, Journal, StateStore } from "../state-store.ts";

export class MemoryStore implements StateStore {
  #applied: Applied | null = null;
  #journal: Journal | null = null;
  #isLocked = false;

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
    this.#applied = applied;
  }

  readJournal(): Journal | null {
    return this.#journal;
  }

  writeJournal(journal: Journal | null): void {
    this.#journal = journal;
  }
}
