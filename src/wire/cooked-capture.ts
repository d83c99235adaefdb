// Capture files as tcpdump writes them when it listens at all devices of a namespace at once (pcap, link type
// LINKTYPE_LINUX_SLL2: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html). Such a record has no
// Ethernet header, but says which device saw the packet, and in which direction.
import type { Mac } from "../base/mac.ts";
import { encodeEthernet } from "./ethernet.ts";
import { type Decoded, wireFault } from "./wire-fault.ts";

export interface CookedFrame {
  /** Number of the device in its namespace. */
  readonly device: number;
  readonly direction: "in" | "out";
  /** An Ethernet frame whose MAC addresses are zero: the record has none to tell. */
  readonly frame: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const COOKED_HEADER_BYTES = 20;
/** With times in microseconds, and in nanoseconds. */
const MAGIC_NUMBERS: readonly number[] = [0xa1b2c3d4, 0xa1b23c4d];
const LINUX_SLL2 = 276;
/** Values of `sll_pkttype` (packet(7)). */
const PACKET_OUTGOING = 4;
const NO_MAC = "00:00:00:00:00:00" as Mac;

/** All whole records; what is cut off at the end, where the writer was stopped, is left out. */
export function decodeCookedCapture(bytes: Uint8Array): Decoded<readonly CookedFrame[]> {
  if (bytes.length < FILE_HEADER_BYTES) return wireFault("capture", `is cut after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = MAGIC_NUMBERS.includes(view.getUint32(0, true));
  if (!isLittle && !MAGIC_NUMBERS.includes(view.getUint32(0, false)))
    return wireFault("capture", "does not begin as pcap does");
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  if (linkType !== LINUX_SLL2) return wireFault("capture", `has link type ${linkType}, not ${LINUX_SLL2}`);
  const frames: CookedFrame[] = [];
  let offset = FILE_HEADER_BYTES;
  while (offset + RECORD_HEADER_BYTES <= bytes.length) {
    const start = offset + RECORD_HEADER_BYTES;
    const end = start + view.getUint32(offset + 8, isLittle);
    if (end > bytes.length) break;
    if (end - start >= COOKED_HEADER_BYTES) frames.push(decodeRecord(bytes.subarray(start, end)));
    offset = end;
  }
  return { ok: true, value: frames };
}

/** The cooked header is in network byte order, whatever the file's is. */
function decodeRecord(record: Uint8Array): CookedFrame {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const header = { destination: NO_MAC, source: NO_MAC, tags: [], etherType: view.getUint16(0) };
  return {
    device: view.getUint32(4),
    direction: record[10] === PACKET_OUTGOING ? "out" : "in",
    frame: encodeEthernet(header, record.subarray(COOKED_HEADER_BYTES)),
  };
}
