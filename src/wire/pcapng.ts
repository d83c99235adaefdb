// Capture files in pcapng (draft-ietf-opsawg-pcapng-02): one interface for each place where frames were seen,
// with its name, nanoseconds, and the direction.
import { joinBytes } from "./wire-fault.ts";

export interface CapturedFrame {
  /** Where: "dvs0:web-001". */
  readonly interface: string;
  readonly direction: "in" | "out";
  /** Nanoseconds since 1970. */
  readonly atNs: bigint;
  readonly frame: Uint8Array;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINK_ETHERNET = 1;
const OPTION_END = 0;
const OPTION_INTERFACE_NAME = 2;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_PACKET_FLAGS = 2;
const NANOSECONDS = 9;
const DIRECTIONS = { in: 1, out: 2 } as const;

/** Frames in the order in which they are given. */
export function encodePcapng(frames: readonly CapturedFrame[]): Uint8Array {
  const names = [...new Set(frames.map((one) => one.interface))];
  const numbers = new Map(names.map((name, index) => [name, index]));
  return joinBytes(
    block(SECTION_HEADER, words32(BYTE_ORDER_MAGIC), words16(1, 0), words32(0xffffffff, 0xffffffff)),
    ...names.map((name) =>
      block(
        INTERFACE_DESCRIPTION,
        words16(LINK_ETHERNET, 0),
        words32(0),
        option(OPTION_INTERFACE_NAME, new TextEncoder().encode(name)),
        option(OPTION_TIME_RESOLUTION, Uint8Array.of(NANOSECONDS)),
        option(OPTION_END, new Uint8Array(0)),
      ),
    ),
    ...frames.map(({ interface: name, direction, atNs, frame }) =>
      block(
        ENHANCED_PACKET,
        words32(numbers.get(name)!, Number(atNs >> 32n), Number(atNs & 0xffffffffn)),
        words32(frame.length, frame.length),
        padded(frame),
        option(OPTION_PACKET_FLAGS, words32(DIRECTIONS[direction])),
        option(OPTION_END, new Uint8Array(0)),
      ),
    ),
  );
}

/** Type, length, body, and the length again. */
function block(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = joinBytes(...body);
  const length = content.length + 12;
  return joinBytes(words32(type, length), content, words32(length));
}

function option(code: number, value: Uint8Array): Uint8Array {
  return joinBytes(words16(code, value.length), padded(value));
}

function padded(bytes: Uint8Array): Uint8Array {
  return joinBytes(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
}

function words16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff]));
}

function words32(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => [
      value & 0xff,
      (value >>> 8) & 0xff,
      (value >>> 16) & 0xff,
      (value >>> 24) & 0xff,
    ]),
  );
}
