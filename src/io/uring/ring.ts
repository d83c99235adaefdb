// One io_uring: its two queues in mapped memory, and one system call that submits a batch and waits. Knows
// nothing of connections. Heads and tails go through Atomics because the kernel reads and writes them as
// well; addresses are plain numbers and `user_data` two 32-bit halves, because a BigInt costs 20 ns and there
// are several per request.
import { type Failure, failed, failure, type Result, success } from "../../base/failure.ts";
import { EAGAIN, EBUSY, EINTR, EINVAL, ENOSYS, EPERM, ETIME } from "../errno.ts";
import {
  type Mapping,
  type Native,
  SYSCALL_IO_URING_ENTER,
  SYSCALL_IO_URING_REGISTER,
  SYSCALL_IO_URING_SETUP,
} from "../native.ts";

export const OP_POLL_ADD = 6;
export const OP_SENDMSG = 9;
export const OP_ACCEPT = 13;
export const OP_ASYNC_CANCEL = 14;
export const OP_CONNECT = 16;
export const OP_CLOSE = 19;
export const OP_SEND = 26;
export const OP_RECV = 27;
export const OP_SHUTDOWN = 34;

const REQUIRED_OPS: ReadonlyMap<number, string> = new Map([
  [OP_POLL_ADD, "POLL_ADD"],
  [OP_SENDMSG, "SENDMSG"],
  [OP_ACCEPT, "ACCEPT"],
  [OP_ASYNC_CANCEL, "ASYNC_CANCEL"],
  [OP_CONNECT, "CONNECT"],
  [OP_CLOSE, "CLOSE"],
  [OP_SEND, "SEND"],
  [OP_RECV, "RECV"],
  [OP_SHUTDOWN, "SHUTDOWN"],
]);

export const CQE_F_BUFFER = 1;
export const CQE_F_MORE = 2;
export const CQE_BUFFER_SHIFT = 16;
const IOSQE_BUFFER_SELECT = 1 << 5;
const ACCEPT_MULTISHOT = 1;
const SOCK_CLOEXEC = 0x80000;
/** A peer that is gone is a completion, not a signal; and a send completes when all of it is taken. */
const MSG_NOSIGNAL_WAITALL = 0x4000 | 0x100;

const SETUP_CQSIZE = 1 << 3;
const SETUP_CLAMP = 1 << 4;
const SETUP_SUBMIT_ALL = 1 << 7;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;
const FEAT_SINGLE_MMAP = 1;
const FEAT_NODROP = 2;
const FEAT_EXT_ARG = 1 << 8;
const ENTER_GETEVENTS = 1;
const ENTER_EXT_ARG = 8;
const REGISTER_PROBE = 8;
const REGISTER_PBUF_RING = 22;
const OFFSET_SQES = 0x10000000;
const SQE_WORDS = 16;
const GETEVENTS_ARG_BYTES = 24n;
const PARAMS_BYTES = 120;
const PROBE_OFFSET = 512;

export interface RingOptions {
  readonly submissionCount: number;
  readonly completionCount: number;
}

/** Opens a ring, or says in one sentence why there cannot be one. */
export function openRing(native: Native, options: RingOptions): Result<Ring> {
  const base = SETUP_CQSIZE | SETUP_CLAMP | SETUP_SUBMIT_ALL;
  // Linux 6.1 runs completions on our own thread only when asked for; 6.0 and before do not know the flags.
  let fd = setUp(native, options, base | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN);
  if (fd === -EINVAL) fd = setUp(native, options, base);
  if (fd < 0) return failed(refusal(-fd));
  const params = native.scratchInts.slice(0, PARAMS_BYTES / 4);
  const missing = missingFeature(native, fd, params[5]!);
  if (missing !== null) {
    native.libc.close(fd);
    return failed(missing);
  }
  const ringBytes = Math.max(params[16]! + params[0]! * 4, params[25]! + params[1]! * 16);
  const queues = native.mapShared(fd, ringBytes, 0, true);
  const entries = native.mapShared(fd, params[0]! * SQE_WORDS * 4, OFFSET_SQES, true);
  if (queues === null || entries === null) {
    native.libc.close(fd);
    return failed(failure("unsupported", "proxy", "io_uring cannot be used: its queues cannot be mapped"));
  }
  return success(new Ring(native, fd, params, queues, entries));
}

function setUp(native: Native, options: RingOptions, flags: number): number {
  native.scratchBytes.fill(0, 0, PARAMS_BYTES);
  native.scratchInts[1] = options.completionCount;
  native.scratchInts[2] = flags;
  const fd = native.libc.ringSetup(SYSCALL_IO_URING_SETUP, options.submissionCount, native.scratch.pointer);
  return fd < 0 ? -native.errno() : fd;
}

function refusal(errno: number): Failure {
  const reasons: Record<number, string> = {
    [ENOSYS]: "this kernel has none (ENOSYS)",
    [EPERM]: "it is forbidden here, by kernel.io_uring_disabled or a container's seccomp profile (EPERM)",
  };
  return failure(
    "unsupported",
    "proxy",
    `io_uring cannot be used: ${reasons[errno] ?? `io_uring_setup gave error ${errno}`}`,
  );
}

function missingFeature(native: Native, fd: number, features: number): Failure | null {
  const needed = FEAT_SINGLE_MMAP | FEAT_NODROP | FEAT_EXT_ARG;
  const tooOld = (what: string) =>
    failure("unsupported", "proxy", `io_uring cannot be used: this kernel's lacks ${what}`);
  if ((features & needed) !== needed) return tooOld("waiting with a timeout");
  // struct io_uring_probe: 16 bytes, then 8 for each operation.
  const bytes = native.scratchBytes.subarray(PROBE_OFFSET, PROBE_OFFSET + 16 + 256 * 8).fill(0);
  const pointer = native.scratch.pointer + BigInt(PROBE_OFFSET);
  if (native.libc.ringRegister(SYSCALL_IO_URING_REGISTER, fd, REGISTER_PROBE, pointer, 256) < 0)
    return tooOld("probing");
  for (const [op, name] of REQUIRED_OPS) {
    if ((bytes[16 + op * 8 + 2]! & 1) === 0) return tooOld(name);
  }
  return null;
}

/** Addresses go into two words; storing into a Uint32Array takes the value modulo 2^32. */
const WORD = 4294967296;

export class Ring {
  readonly fd: number;
  /** Two views of the completion queue, indexed by word: user_data low, user_data high, result, flags. */
  readonly words: Uint32Array;
  readonly ints: Int32Array;
  readonly #native: Native;
  readonly #entries: Uint32Array;
  readonly #sqTail: number;
  readonly #sqCount: number;
  readonly #sqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  readonly #cqes: number;
  readonly #argument: Mapping;
  readonly #timeout: Uint32Array;
  /** Entries written so far, and how many of them the kernel has been told of. Both modulo 2^32. */
  #tail = 0;
  #submittedTail = 0;

  constructor(native: Native, fd: number, params: Int32Array, queues: Mapping, entries: Mapping) {
    this.fd = fd;
    this.#native = native;
    this.words = new Uint32Array(queues.buffer);
    this.ints = new Int32Array(queues.buffer);
    this.#entries = new Uint32Array(entries.buffer);
    // struct io_uring_params: the submission queue's offsets start at word 10, the completion queue's at word
    // 20.
    const offset = (word: number): number => params[word]! / 4;
    this.#sqTail = offset(11);
    this.#sqCount = params[0]!;
    this.#sqMask = this.#sqCount - 1;
    this.#cqHead = offset(20);
    this.#cqTail = offset(21);
    this.#cqMask = params[1]! - 1;
    this.#cqes = offset(25);
    // Entries are filled in order, so the index array is the identity for good.
    for (let i = 0; i < this.#sqCount; i++) this.words[offset(16) + i] = i;
    // struct io_uring_getevents_arg { sigmask, sigmask_sz, min_wait_usec, ts }, and the timespec behind it.
    this.#argument = native.map(4096);
    new BigUint64Array(this.#argument.buffer)[2] = this.#argument.pointer + 64n;
    this.#timeout = new Uint32Array(this.#argument.buffer, 64, 4);
  }

  /** Entries that the next `wait` submits. */
  get pendingCount(): number {
    return (this.#tail - this.#submittedTail) >>> 0;
  }

  /** The word index of a fresh entry, its first words set and the others zero. Submits a full queue first. */
  #entry(operation: number, fd: number, low: number, high: number): number {
    if ((this.#tail - this.#submittedTail) >>> 0 >= this.#sqCount) this.#submit();
    const at = (this.#tail & this.#sqMask) * SQE_WORDS;
    const entries = this.#entries;
    entries[at] = operation;
    entries[at + 1] = fd;
    entries[at + 2] = 0;
    entries[at + 3] = 0;
    entries[at + 4] = 0;
    entries[at + 5] = 0;
    entries[at + 6] = 0;
    entries[at + 7] = 0;
    entries[at + 8] = low;
    entries[at + 9] = high;
    entries[at + 10] = 0;
    entries[at + 11] = 0;
    entries[at + 12] = 0;
    entries[at + 13] = 0;
    this.#tail = (this.#tail + 1) >>> 0;
    return at;
  }

  /** Receives into a buffer that the kernel takes from `group` when bytes have come. */
  receive(fd: number, group: number, low: number, high: number): void {
    const at = this.#entry(OP_RECV | (IOSQE_BUFFER_SELECT << 8), fd, low, high);
    this.#entries[at + 10] = group;
  }

  /** Sends all of `byteCount` bytes at `address`, which must stay as they are until the completion. */
  send(fd: number, address: number, byteCount: number, low: number, high: number): void {
    const at = this.#entry(OP_SEND, fd, low, high);
    const entries = this.#entries;
    entries[at + 4] = address;
    entries[at + 5] = address / WORD;
    entries[at + 6] = byteCount;
    entries[at + 7] = MSG_NOSIGNAL_WAITALL;
  }

  /** Sends what the `struct msghdr` at `address` describes. */
  sendMessage(fd: number, address: number, low: number, high: number): void {
    const at = this.#entry(OP_SENDMSG, fd, low, high);
    const entries = this.#entries;
    entries[at + 4] = address;
    entries[at + 5] = address / WORD;
    entries[at + 6] = 1;
    entries[at + 7] = MSG_NOSIGNAL_WAITALL;
  }

  /** One completion for each connection, until one comes without CQE_F_MORE. */
  acceptMany(fd: number, low: number, high: number): void {
    const at = this.#entry(OP_ACCEPT | (ACCEPT_MULTISHOT << 16), fd, low, high);
    this.#entries[at + 7] = SOCK_CLOEXEC;
  }

  /** One completion, for one connection. */
  acceptOne(fd: number, low: number, high: number): void {
    const at = this.#entry(OP_ACCEPT, fd, low, high);
    this.#entries[at + 7] = SOCK_CLOEXEC;
  }

  connect(fd: number, address: number, length: number, low: number, high: number): void {
    const at = this.#entry(OP_CONNECT, fd, low, high);
    const entries = this.#entries;
    entries[at + 2] = length;
    entries[at + 4] = address;
    entries[at + 5] = address / WORD;
  }

  poll(fd: number, events: number, low: number, high: number): void {
    const at = this.#entry(OP_POLL_ADD, fd, low, high);
    this.#entries[at + 7] = events;
  }

  /** Cancels the operation with this `user_data`, whose completion then comes with ECANCELED. */
  cancel(targetLow: number, targetHigh: number, low: number, high: number): void {
    const at = this.#entry(OP_ASYNC_CANCEL, -1, low, high);
    this.#entries[at + 4] = targetLow;
    this.#entries[at + 5] = targetHigh;
  }

  /** `how` as in shutdown(2): 1 ends sending. */
  shutdown(fd: number, how: number, low: number, high: number): void {
    const at = this.#entry(OP_SHUTDOWN, fd, low, high);
    this.#entries[at + 6] = how;
  }

  close(fd: number, low: number, high: number): void {
    this.#entry(OP_CLOSE, fd, low, high);
  }

  /**
   * Submits everything and waits for a completion, at most `timeoutMs` (0: only collects, Infinity: without
   * limit).
   * Returns the number of completions that are there, which may be 0.
   */
  wait(timeoutMs: number): number {
    const count = this.pendingCount;
    Atomics.store(this.words, this.#sqTail, this.#tail);
    this.#submittedTail = this.#tail;
    const waitCount = timeoutMs > 0 && this.completionCount === 0 ? 1 : 0;
    if (waitCount === 0 || timeoutMs === Number.POSITIVE_INFINITY)
      this.#enter(count, waitCount, ENTER_GETEVENTS, 0n);
    else {
      const seconds = Math.floor(timeoutMs / 1000);
      this.#timeout[0] = seconds;
      this.#timeout[2] = Math.ceil((timeoutMs - seconds * 1000) * 1_000_000);
      this.#enter(count, waitCount, ENTER_GETEVENTS | ENTER_EXT_ARG, GETEVENTS_ARG_BYTES);
    }
    return this.completionCount;
  }

  get completionCount(): number {
    return (Atomics.load(this.words, this.#cqTail) - this.words[this.#cqHead]!) >>> 0;
  }

  /** The word index of the completion `index` places behind the first unread one. */
  completionAt(index: number): number {
    return this.#cqes + ((this.words[this.#cqHead]! + index) & this.#cqMask) * 4;
  }

  /** Gives `count` completions back to the kernel. */
  advance(count: number): void {
    Atomics.store(this.words, this.#cqHead, this.words[this.#cqHead]! + count);
  }

  /**
   * Makes `group` take its buffers from the ring of `entryCount` entries at `pointer`. False when refused.
   */
  registerBufferRing(group: number, pointer: bigint, entryCount: number): boolean {
    // struct io_uring_buf_reg { u64 ring_addr; u32 ring_entries; u16 bgid; u16 flags; u64 resv[3]; }
    this.#native.scratchBytes.fill(0, 0, 40);
    new BigUint64Array(this.#native.scratch.buffer, 0, 1)[0] = pointer;
    this.#native.scratchInts[2] = entryCount;
    this.#native.scratchInts[3] = group;
    const at = this.#native.scratch.pointer;
    return (
      this.#native.libc.ringRegister(SYSCALL_IO_URING_REGISTER, this.fd, REGISTER_PBUF_RING, at, 1) === 0
    );
  }

  /** Ends the ring. Its memory stays mapped: views of it may be alive. */
  destroy(): void {
    this.#native.libc.close(this.fd);
  }

  /** Makes room in a full submission queue. */
  #submit(): void {
    const count = this.pendingCount;
    Atomics.store(this.words, this.#sqTail, this.#tail);
    this.#submittedTail = this.#tail;
    this.#enter(count, 0, 0, 0n);
    if (this.pendingCount > 0)
      throw new Error("io_uring takes no more submissions: the kernel is out of memory");
  }

  #enter(submitCount: number, waitCount: number, flags: number, argumentBytes: bigint): void {
    const { libc, errno } = this.#native;
    let left = submitCount;
    for (;;) {
      const pointer = argumentBytes === 0n ? 0n : this.#argument.pointer;
      const taken = libc.ringEnter(
        SYSCALL_IO_URING_ENTER,
        this.fd,
        left,
        waitCount,
        flags,
        pointer,
        argumentBytes,
      );
      if (taken >= 0) {
        left -= taken;
        if (left === 0) return;
        // A kernel short of memory takes fewer; the rest goes with the next call.
        if (taken > 0) continue;
        this.#submittedTail = (this.#tail - left) >>> 0;
        return;
      }
      const error = errno();
      if (error === ETIME || (error === EINTR && left === 0)) return;
      if (error !== EINTR && error !== EBUSY && error !== EAGAIN)
        throw new Error(`io_uring_enter gave error ${error}`);
      // The completion queue is full: what is in it has to be read before more can be submitted. See `wait`.
      if (error !== EINTR && this.completionCount > 0) {
        this.#submittedTail = (this.#tail - left) >>> 0;
        return;
      }
    }
  }
}
