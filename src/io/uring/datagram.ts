// Datagrams to one place, for syslog: copied, sent at once, never waited for.
import type { DatagramSender } from "../../transport/contract.ts";
import type { Mapping, Native } from "../native.ts";

const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** The largest UDP payload. */
const DATAGRAM_BYTES_MAX = 65536;

export class UringDatagramSender implements DatagramSender {
  readonly #native: Native;
  readonly #memory: Mapping;
  readonly #bytes: Uint8Array;
  #fd: number;

  constructor(native: Native, fd: number) {
    this.#native = native;
    this.#fd = fd;
    this.#memory = native.map(DATAGRAM_BYTES_MAX);
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#fd < 0 || length > DATAGRAM_BYTES_MAX) return false;
    this.#bytes.set(bytes.subarray(start, end));
    const count = BigInt(length);
    // An ICMP error for an earlier datagram is reported by the next send, which then did not go out: try again once.
    if (this.#native.libc.send(this.#fd, this.#memory.pointer, count, MSG_DONTWAIT_NOSIGNAL) === count)
      return true;
    return this.#native.libc.send(this.#fd, this.#memory.pointer, count, MSG_DONTWAIT_NOSIGNAL) === count;
  }

  close(): void {
    if (this.#fd >= 0) this.#native.libc.close(this.#fd);
    this.#fd = -1;
  }
}
