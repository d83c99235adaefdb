// Memory that several processes share through a file: mapped where node:ffi works, and where it does not, a
// copy that `sync` reconciles with the file. The copy needs regions with a single writer each, and everybody
// to call `sync`; the mapping shows every store at once and allows Atomics (but not Atomics.wait, which wants
// a SharedArrayBuffer).
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { failed, failure, type Result, success } from "../base/failure.ts";
import { openNative } from "./native.ts";

export interface SharedMemory {
  readonly buffer: ArrayBuffer;
  /** True: stores are seen by the other processes at once. False: after `sync` here and then there. */
  readonly isMapped: boolean;
  sync(): void;
  /** The file is the caller's to remove. A mapping stays valid for views that are still alive. */
  close(): void;
}

/** The unit in which a copy tells whose bytes are newer: one Int32. Different writers must not share one. */
const CELL_BYTES = 4;
const PAGE_BYTES = 65536;

/**
 * Opens `byteLength` bytes at `path`. `create` makes the file anew, zeroed, sparse and for this user only;
 * otherwise it
 * has to be there with at least that size.
 */
export function openSharedMemory(path: string, byteLength: number, create: boolean): Result<SharedMemory> {
  let fd: number;
  try {
    fd = openSync(path, create ? "w+" : "r+", 0o600);
    if (create) ftruncateSync(fd, byteLength);
  } catch (error) {
    return failed(failure("permission", "proxy", `cannot open shared memory: ${(error as Error).message}`));
  }
  if (fstatSync(fd).size < byteLength) {
    closeSync(fd);
    return failed(
      failure("protocol", "proxy", `cannot open shared memory: ${path} has less than ${byteLength} bytes`),
    );
  }
  const native = openNative();
  const mapping = native.ok ? native.value.mapShared(fd, byteLength, 0, false) : null;
  if (mapping === null) return success(new CopiedMemory(fd, byteLength));
  closeSync(fd);
  return success({ buffer: mapping.buffer, isMapped: true, sync() {}, close() {} });
}

/**
 * The fallback. What differs from the state of the last `sync` was written here; the rest comes from the
 * file.
 */
export class CopiedMemory implements SharedMemory {
  readonly buffer: ArrayBuffer;
  readonly isMapped = false;
  readonly #fd: number;
  readonly #bytes: Buffer;
  /** As of the last `sync`. */
  readonly #base: Buffer;
  readonly #page: Buffer = Buffer.alloc(PAGE_BYTES);
  #isClosed = false;

  /** Takes over the descriptor of a file of at least `byteLength` bytes. */
  constructor(fd: number, byteLength: number) {
    this.#fd = fd;
    this.buffer = new ArrayBuffer(byteLength);
    this.#bytes = Buffer.from(this.buffer);
    this.#base = Buffer.alloc(byteLength);
    this.sync();
  }

  sync(): void {
    if (this.#isClosed) return;
    for (let at = 0; at < this.#bytes.length; at += PAGE_BYTES) {
      const end = Math.min(at + PAGE_BYTES, this.#bytes.length);
      if (this.#bytes.compare(this.#base, at, end, at, end) !== 0) this.#writeChanges(at, end);
      this.#readPage(at, end);
    }
  }

  close(): void {
    if (!this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
  }

  /** Writes runs of changed cells, and no others: beside them may be somebody else's. */
  #writeChanges(from: number, to: number): void {
    for (let at = from; at < to; at += CELL_BYTES) {
      if (!this.#isChanged(at)) continue;
      const begin = at;
      while (at < to && this.#isChanged(at)) at += CELL_BYTES;
      writeSync(this.#fd, this.#bytes, begin, Math.min(at, to) - begin, begin);
    }
  }

  #isChanged(at: number): boolean {
    const end = Math.min(at + CELL_BYTES, this.#bytes.length);
    for (let i = at; i < end; i++) if (this.#bytes[i] !== this.#base[i]) return true;
    return false;
  }

  #readPage(from: number, to: number): void {
    const length = readSync(this.#fd, this.#page, 0, to - from, from);
    this.#page.copy(this.#bytes, from, 0, length);
    this.#page.copy(this.#base, from, 0, length);
  }
}
