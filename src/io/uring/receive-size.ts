// Whether a connection's next bytes are better received into a small buffer or a large one: by what the core
// expects, corrected by what came. A small buffer that was filled has more behind it; a tunnel is announced
// as bulk but may carry talk, for which small buffers are cheaper by a poll and a copy.

/** Below this many expected bytes small buffers serve as well. */
const BULK_FROM_BYTES = 8192;
/** After so many bulk receives in a row of at most so many bytes, small buffers serve until one is filled. */
const LITTLE_COUNT_MAX = 4;
const LITTLE_BYTES = 2048;

export class ReceiveSize {
  #isBulkExpected = false;
  #wasFull = false;
  #littleCount = 0;

  get isLarge(): boolean {
    return this.#wasFull || (this.#isBulkExpected && this.#littleCount < LITTLE_COUNT_MAX);
  }

  expect(byteCount: number): void {
    const isBulk = byteCount >= BULK_FROM_BYTES;
    if (isBulk && !this.#isBulkExpected) this.#littleCount = 0;
    this.#isBulkExpected = isBulk;
  }

  noteSmall(isFull: boolean): void {
    this.#wasFull = isFull;
  }

  noteLarge(byteCount: number): void {
    if (byteCount > LITTLE_BYTES) this.#littleCount = 0;
    else {
      this.#littleCount++;
      this.#wasFull = false;
    }
  }
}
