// Sends a frame as it is, below everything that the machine's own stack would do with it (packet(7)). Only
// for what no other program says: the announcements of a virtual switch.
import { openNative } from "./native.ts";

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 0x80003;
/** struct sockaddr_ll. */
const ADDRESS_BYTES = 20;
const ETHER_TYPE_OFFSET = 12;

/** `device`: the kernel's number of it, in the namespace of the caller. Null, or why it was not sent. */
export function sendFrame(device: number, frame: Uint8Array): string | null {
  const opened = openNative();
  if (!opened.ok) return opened.error.message;
  const { libc, errno } = opened.value;
  const etherType = frame.subarray(ETHER_TYPE_OFFSET, ETHER_TYPE_OFFSET + 2);
  const address = new Uint8Array(ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  address.set(etherType, 2);
  view.setInt32(4, device, true);
  // Protocol 0: nothing is received by it.
  const fd = libc.socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0);
  if (fd < 0) return `no packet socket (errno ${errno()})`;
  const isSent =
    libc.bind(fd, address, ADDRESS_BYTES) === 0 &&
    Number(libc.send(fd, frame, BigInt(frame.length), 0)) === frame.length;
  const fault = isSent ? null : `the frame was not sent (errno ${errno()})`;
  libc.close(fd);
  return fault;
}
