// Datagrams to one place, for syslog: copied, collected until the end of the turn and then sent with one
// system call, never waited for. One sendmmsg(2) for the lines of a turn instead of a send(2) for each saves
// the calls through node:ffi, which cost as much as the syscalls' own overhead. When the receiver at a unix
// path has been restarted, its old socket is gone for good, so the sender connects anew, at most once a
// second.
import type { Result } from "../../base/failure.ts";
import type { DatagramSender } from "../../transport/contract.ts";
import { EAGAIN, EMSGSIZE } from "../errno.ts";
import type { Mapping } from "../native.ts";
import type { UringEngine } from "./engine.ts";

const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** More than the largest UDP payload. */
const DATAGRAM_BYTES_MAX = 65536;
/** What waits for the end of the turn at most; then it is sent early. */
const BATCH_COUNT_MAX = 64;
const BATCH_BYTES_MAX = 128 * 1024;
const RECONNECT_MS = 1000;
/** struct mmsghdr { struct msghdr, unsigned msg_len } and struct iovec, in words of 32 bits. */
const HEADER_WORDS = 16;
const VECTOR_WORDS = 4;
const VECTORS_OFFSET = BATCH_COUNT_MAX * HEADER_WORDS * 4;
const BYTES_OFFSET = VECTORS_OFFSET + BATCH_COUNT_MAX * VECTOR_WORDS * 4;
const WORD = 4294967296;

export class UringDatagramSender implements DatagramSender {
  /** The engine has it in its list of senders to flush. For the engine. */
  isMarked = false;
  readonly #engine: UringEngine;
  readonly #reopen: () => Result<number>;
  readonly #memory: Mapping;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  #fd: number;
  #isClosed = false;
  #reopenedAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  #byteCount = 0;
  /** Datagrams that failed after `send` had returned true; the following sends pay for them. */
  #owedFailureCount = 0;

  /** `reopen` makes another socket like `fd`. */
  constructor(engine: UringEngine, fd: number, reopen: () => Result<number>) {
    this.#engine = engine;
    this.#fd = fd;
    this.#reopen = reopen;
    this.#memory = engine.native.map(BYTES_OFFSET + BATCH_BYTES_MAX);
    this.#bytes = new Uint8Array(this.#memory.buffer, BYTES_OFFSET);
    this.#words = new Uint32Array(this.#memory.buffer, 0, BYTES_OFFSET / 4);
    for (let i = 0; i < BATCH_COUNT_MAX; i++) this.#describe(i);
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#isClosed || length > DATAGRAM_BYTES_MAX) return false;
    if (this.#count === BATCH_COUNT_MAX || this.#byteCount + length > BATCH_BYTES_MAX) this.flush();
    const at = this.#byteCount;
    this.#bytes.set(bytes.subarray(start, end), at);
    const address = this.#memory.address + BYTES_OFFSET + at;
    const vector = VECTORS_OFFSET / 4 + this.#count * VECTOR_WORDS;
    this.#words[vector] = address;
    this.#words[vector + 1] = address / WORD;
    this.#words[vector + 2] = length;
    this.#count++;
    this.#byteCount = at + length;
    if (!this.isMarked) {
      this.isMarked = true;
      this.#engine.markSender(this);
    }
    if (this.#owedFailureCount === 0) return true;
    this.#owedFailureCount--;
    return false;
  }

  /** Sends what was collected. What the kernel does not take now is lost. */
  flush(): void {
    let sent = 0;
    let failureCount = 0;
    while (sent < this.#count) {
      const taken = this.#sendFrom(sent);
      if (taken > 0) {
        sent += taken;
        failureCount = 0;
        continue;
      }
      const errno = this.#engine.native.errno();
      if (errno === EMSGSIZE) {
        this.#owedFailureCount++;
        sent++;
        continue;
      }
      // An error that an earlier datagram met is reported by the next send, which then did not go out: try
      // once more.
      if (errno === EAGAIN || (++failureCount > 1 && (failureCount > 2 || !this.#connectAnew()))) break;
    }
    this.#owedFailureCount += this.#count - sent;
    this.#count = 0;
    this.#byteCount = 0;
  }

  close(): void {
    if (this.#isClosed) return;
    this.flush();
    this.#isClosed = true;
    this.#engine.native.libc.close(this.#fd);
    this.#fd = -1;
  }

  #sendFrom(index: number): number {
    const { libc } = this.#engine.native;
    const pointer = this.#memory.pointer + BigInt(index * HEADER_WORDS * 4);
    return libc.sendmmsg(this.#fd, pointer, this.#count - index, MSG_DONTWAIT_NOSIGNAL);
  }

  /** struct msghdr { name, namelen, iov, iovlen, control, controllen, flags }: one vector each, for good. */
  #describe(index: number): void {
    const vector = this.#memory.address + VECTORS_OFFSET + index * VECTOR_WORDS * 4;
    const header = index * HEADER_WORDS;
    this.#words[header + 4] = vector;
    this.#words[header + 5] = vector / WORD;
    this.#words[header + 6] = 1;
  }

  #connectAnew(): boolean {
    const { nowMs } = this.#engine;
    if (nowMs - this.#reopenedAtMs < RECONNECT_MS) return false;
    this.#reopenedAtMs = nowMs;
    const reopened = this.#reopen();
    if (!reopened.ok) return false;
    this.#engine.native.libc.close(this.#fd);
    this.#fd = reopened.value;
    return true;
  }
}
