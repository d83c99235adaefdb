// Goes into another network namespace for the length of one call and asks the kernel there by netlink, which
// takes a fraction of a millisecond where a process takes several. Only the calling thread moves, and nothing
// but what is called here runs on it in the meantime (setns(2), netlink(7)).
import { closeSync, openSync } from "node:fs";
import type { AskKernel, NamespaceDoor } from "../transport/namespace-door.ts";
import { type Native, openNative } from "./native.ts";

const CLONE_NEWNET = 0x4000_0000;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0x80003;
const NLM_F_REQUEST = 1;
const NLM_F_MULTI = 2;
/** What was asked for has changed while it was told. */
const NLM_F_DUMP_INTR = 0x10;
/** NLM_F_DUMP; NLM_F_ACK, with NLM_F_CREATE and NLM_F_EXCL or NLM_F_REPLACE. */
const FLAGS = { everything: 0x300, one: 0, new: 0x604, changed: 0x4, replaced: 0x504 } as const;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const [EIO, EAGAIN] = [5, 11];
/** Members of clusters change their tables each second, and a drift that is none must not come of it. */
const ATTEMPTS = 10;
/** More than the kernel puts into one part of an answer, 32 KiB. */
const PART_BYTES = 65_536;
/** Mostly the first part has everything, and the second says that this was all. */
const PARTS_AT_ONCE = 2;
/** The first part is waited for, the second is there or not. */
const MSG_WAITFORONE = 0x10000;
/** Sizes of struct mmsghdr and struct iovec; places of msg_iov, msg_iovlen and msg_len (recvmmsg(2)). */
const [HEADER_OF_PART_BYTES, IOVEC_BYTES, IOVEC_AT, IOVEC_COUNT_AT, LENGTH_AT] = [64, 16, 16, 24, 56];

/** Null where foreign functions cannot be called. */
export function openNamespaceDoor(): NamespaceDoor | null {
  const opened = openNative();
  if (!opened.ok) return null;
  const native = opened.value;
  const { setns, unshare } = native.ffi.dlopen(null, {
    setns: { return: "i32", arguments: ["i32", "i32"] },
    unshare: { return: "i32", arguments: ["i32"] },
  }).functions;
  const receiveParts = partReceiver(native);

  /** `enter`: whether it got in. */
  const inside = <T>(enter: () => boolean, work: (ask: AskKernel) => T): T | null => {
    const own = openOrNull("/proc/thread-self/ns/net");
    if (own === null) return null;
    const sockets = new Map<number, number>();
    const isInside = enter();
    try {
      if (!isInside) return null;
      const askOnce: AskKernel = (protocol, type, wanted, body) => {
        const fd = sockets.get(protocol) ?? native.libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
        if (fd < 0) return native.errno();
        sockets.set(protocol, fd);
        const request = message(type, NLM_F_REQUEST | FLAGS[wanted], body);
        return send(native, fd, request) ? receive(() => receiveParts(fd)) : native.errno();
      };
      return work((protocol, ...request) => {
        for (let attempt = 1; ; attempt++) {
          const answer = askOnce(protocol, ...request);
          if (answer !== EAGAIN || attempt === ATTEMPTS) return answer;
          // The rest of what was interrupted would be taken for the next answer.
          const fd = sockets.get(protocol);
          if (fd !== undefined) native.libc.close(fd);
          sockets.delete(protocol);
        }
      });
    } finally {
      // Nothing that follows may go on in a namespace that it does not know of.
      if (isInside && setns(own, CLONE_NEWNET) !== 0) process.abort();
      for (const fd of sockets.values()) native.libc.close(fd);
      closeSync(own);
    }
  };

  return {
    within(path, work) {
      const other = openOrNull(path);
      if (other === null) return null;
      try {
        return inside(() => setns(other, CLONE_NEWNET) === 0, work);
      } finally {
        closeSync(other);
      }
    },
    withinNew: (work) => inside(() => unshare(CLONE_NEWNET) === 0, work),
  };
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

/** struct nlmsghdr and what follows it. All machines that have io_uring's numbers are little-endian. */
function message(type: number, flags: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

function send({ libc }: Native, fd: number, bytes: Uint8Array): boolean {
  return Number(libc.send(fd, bytes, BigInt(bytes.length), 0)) === bytes.length;
}

/** What has arrived of an answer, as long as nothing else is received; the number of the error. */
type ReceiveParts = (fd: number) => readonly Uint8Array[] | number;

function partReceiver(native: Native): ReceiveParts {
  const { recvmmsg } = native.ffi.dlopen(null, {
    recvmmsg: { return: "i32", arguments: ["i32", "pointer", "u32", "i32", "pointer"] },
  }).functions;
  const buffer = native.map(PARTS_AT_ONCE * PART_BYTES);
  const { pointer, buffer: headers } = native.map(PARTS_AT_ONCE * (HEADER_OF_PART_BYTES + IOVEC_BYTES));
  const view = new DataView(headers);
  for (let part = 0; part < PARTS_AT_ONCE; part++) {
    const iovec = PARTS_AT_ONCE * HEADER_OF_PART_BYTES + part * IOVEC_BYTES;
    view.setBigUint64(iovec, buffer.pointer + BigInt(part * PART_BYTES), true);
    view.setBigUint64(iovec + 8, BigInt(PART_BYTES), true);
    view.setBigUint64(part * HEADER_OF_PART_BYTES + IOVEC_AT, pointer + BigInt(iovec), true);
    view.setBigUint64(part * HEADER_OF_PART_BYTES + IOVEC_COUNT_AT, 1n, true);
  }
  return (fd) => {
    const count = recvmmsg(fd, pointer, PARTS_AT_ONCE, MSG_WAITFORONE, null);
    if (count < 0) return native.errno();
    return Array.from({ length: count }, (_, part) => {
      const length = view.getUint32(part * HEADER_OF_PART_BYTES + LENGTH_AT, true);
      return new Uint8Array(buffer.buffer, part * PART_BYTES, length);
    });
  };
}

function receive(receiveParts: () => ReturnType<ReceiveParts>): Uint8Array[] | number {
  const payloads: Uint8Array[] = [];
  for (;;) {
    const parts = receiveParts();
    if (typeof parts === "number") return parts;
    for (const part of parts) {
      const outcome = readPart(part, payloads);
      if (outcome !== "more") return outcome === 0 ? payloads : outcome;
    }
  }
}

/** Adds its payloads. The number of an error; 0 when this was all. */
function readPart(received: Uint8Array, payloads: Uint8Array[]): number | "more" {
  // The next part is written over this one.
  const part = received.slice();
  if (part.length < HEADER_BYTES) return EIO;
  const view = new DataView(part.buffer);
  for (let at = 0; at + HEADER_BYTES <= part.length; ) {
    const size = view.getUint32(at, true);
    const [type, flags] = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
    if (size < HEADER_BYTES) return EIO;
    if ((flags & NLM_F_DUMP_INTR) !== 0) return EAGAIN;
    // "Error 0" is how the kernel says that it was done.
    if (type === NLMSG_ERROR) return -view.getInt32(at + HEADER_BYTES, true);
    if (type === NLMSG_DONE) return 0;
    payloads.push(part.subarray(at + HEADER_BYTES, at + size));
    if ((flags & NLM_F_MULTI) === 0) return 0;
    at += (size + 3) & ~3;
  }
  return "more";
}
