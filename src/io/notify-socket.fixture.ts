// For tests: a socket that hears what services tell systemd.
import assert from "node:assert/strict";
import { openNative } from "./native.ts";
import { AF_UNIX, encodeUnixSockaddr } from "./socket-address.ts";

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000;
const DATAGRAM_BYTES_MAX = 4096;

export interface NotifySocket {
  /** One datagram; null when none has come. */
  receive(): string | null;
  close(): void;
}

/** False when there can be one here, else the reason to skip. */
export function lacksNotifySocket(): false | string {
  const native = openNative();
  return native.ok ? false : native.error.message;
}

export function openNotifySocket(name: string, isAbstract: boolean): NotifySocket {
  const native = openNative();
  assert.ok(native.ok);
  const { libc, scratch, scratchBytes } = native.value;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  assert.ok(fd >= 0);
  const length = encodeUnixSockaddr(scratchBytes, 0, name, isAbstract);
  assert.equal(libc.bind(fd, scratch.pointer, length), 0);
  return {
    receive: () => {
      const count = Number(libc.recv(fd, scratch.pointer, BigInt(DATAGRAM_BYTES_MAX), 0));
      return count < 0 ? null : Buffer.from(scratchBytes.subarray(0, count)).toString();
    },
    close: () => void libc.close(fd),
  };
}
