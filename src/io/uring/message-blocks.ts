// Memory for `struct msghdr` with its `struct iovec` array, for sends that gather several chunks. Blocks are
// reused; a block belongs to one send from `acquire` to its completion.
import type { Mapping, Native } from "../native.ts";
import type { SendQueue } from "./send-queue.ts";

/** Most chunks that one send gathers. */
export const GATHER_COUNT_MAX = 24;
const HEADER_BYTES = 64;
const BLOCK_BYTES = 512;
const BLOCKS_PER_PAGE = 128;
const WORD = 4294967296;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;

export class MessageBlocks {
  readonly #native: Native;
  readonly #pages: { readonly mapping: Mapping; readonly words: Uint32Array }[] = [];
  readonly #free: number[] = [];

  constructor(native: Native) {
    this.#native = native;
  }

  acquire(): number {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop()!;
  }

  release(block: number): void {
    this.#free.push(block);
  }

  /** Describes the first ranges of the queue; returns the address of the msghdr. */
  describe(block: number, queue: SendQueue): number {
    const { mapping, words } = this.#pages[Math.floor(block / BLOCKS_PER_PAGE)]!;
    const offset = (block % BLOCKS_PER_PAGE) * BLOCK_BYTES;
    const address = mapping.address + offset;
    const count = Math.min(queue.count, GATHER_COUNT_MAX);
    let at = (offset + HEADER_BYTES) / 4;
    for (let i = 0; i < count; i++, at += 4) {
      const start = queue.startAt(i);
      const from = queue.chunkAt(i).address + start;
      words[at] = from;
      words[at + 1] = from / WORD;
      words[at + 2] = queue.endAt(i) - start;
      words[at + 3] = 0;
    }
    // struct msghdr { name, namelen, iov, iovlen, control, controllen, flags }; all but these two stay zero.
    const iovec = address + HEADER_BYTES;
    words[offset / 4 + 4] = iovec;
    words[offset / 4 + 5] = iovec / WORD;
    words[offset / 4 + 6] = count;
    return address;
  }

  /** Sends by a system call what the kernel takes now of the first ranges; returns as sendmsg(2). */
  sendNow(fd: number, queue: SendQueue): number {
    const block = this.acquire();
    const message = BigInt(this.describe(block, queue));
    const count = Number(this.#native.libc.sendmsg(fd, message, MSG_DONTWAIT_NOSIGNAL));
    this.release(block);
    return count;
  }

  #grow(): void {
    const mapping = this.#native.map(BLOCK_BYTES * BLOCKS_PER_PAGE);
    const first = this.#pages.length * BLOCKS_PER_PAGE;
    this.#pages.push({ mapping, words: new Uint32Array(mapping.buffer) });
    for (let i = BLOCKS_PER_PAGE - 1; i >= 0; i--) this.#free.push(first + i);
  }
}
