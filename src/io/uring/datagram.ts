// Datagrams to one place, for syslog: copied, sent at once, never waited for. When the receiver at a unix
// path has been restarted, its old socket is gone for good, so the sender connects anew, at most once a
// second.
import type { Result } from "../../base/failure.ts";
import type { DatagramSender } from "../../transport/contract.ts";
import { EAGAIN } from "../errno.ts";
import type { Mapping, Native } from "../native.ts";

const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** More than the largest UDP payload. */
const DATAGRAM_BYTES_MAX = 65536;
const RECONNECT_MS = 1000;

/** Where datagrams lie for the call that sends them: one place for all senders. */
let memory: { readonly mapping: Mapping; readonly bytes: Uint8Array } | null = null;

export class UringDatagramSender implements DatagramSender {
  readonly #native: Native;
  readonly #reopen: () => Result<number>;
  readonly #clock: { readonly nowMs: number };
  #fd: number;
  #isClosed = false;
  #reopenedAtMs = Number.NEGATIVE_INFINITY;

  /** `reopen` makes another socket like `fd`. */
  constructor(native: Native, clock: { readonly nowMs: number }, fd: number, reopen: () => Result<number>) {
    this.#native = native;
    this.#clock = clock;
    this.#fd = fd;
    this.#reopen = reopen;
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#isClosed || length > DATAGRAM_BYTES_MAX) return false;
    if (memory === null) {
      const mapping = this.#native.map(DATAGRAM_BYTES_MAX);
      memory = { mapping, bytes: new Uint8Array(mapping.buffer) };
    }
    memory.bytes.set(bytes.subarray(start, end));
    if (this.#sendOnce(memory.mapping.pointer, length)) return true;
    if (this.#native.errno() === EAGAIN) return false;
    // An error that an earlier datagram met is reported by the next send, which then did not go out: try once
    // more.
    if (this.#sendOnce(memory.mapping.pointer, length)) return true;
    return this.#connectAnew() && this.#sendOnce(memory.mapping.pointer, length);
  }

  close(): void {
    if (this.#fd >= 0) this.#native.libc.close(this.#fd);
    this.#fd = -1;
    this.#isClosed = true;
  }

  #sendOnce(pointer: bigint, length: number): boolean {
    const count = BigInt(length);
    return this.#native.libc.send(this.#fd, pointer, count, MSG_DONTWAIT_NOSIGNAL) === count;
  }

  #connectAnew(): boolean {
    const { nowMs } = this.#clock;
    if (nowMs - this.#reopenedAtMs < RECONNECT_MS) return false;
    this.#reopenedAtMs = nowMs;
    const reopened = this.#reopen();
    if (!reopened.ok) return false;
    this.#native.libc.close(this.#fd);
    this.#fd = reopened.value;
    return true;
  }
}
