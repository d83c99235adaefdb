// Messages of rtnetlink: a fixed head, and attributes of length, type and value, each beginning at a multiple
// of four (rtnetlink(7), linux/rtnetlink.h, linux/if_link.h). All in the machine's order of bytes, which is
// little-endian wherever foreign functions are called.

export const NETLINK_ROUTE = 0;
/** Every namespace is born with it. */
export const LOOPBACK_INDEX = 1;

export const NEW_LINK = 16;
export const DELETE_LINK = 17;
export const GET_LINKS = 18;
export const NEW_ADDRESS = 20;
export const DELETE_ADDRESS = 21;
export const GET_ADDRESSES = 22;
export const NEW_ROUTE = 24;
export const DELETE_ROUTE = 25;
export const GET_ROUTES = 26;
export const NEW_RULE = 32;
export const DELETE_RULE = 33;
export const GET_RULES = 34;

/** Lengths of struct ifinfomsg, struct ifaddrmsg, struct rtmsg and struct fib_rule_hdr. */
export const LINK_BYTES = 16;
export const ADDRESS_BYTES = 8;
export const ROUTE_BYTES = 12;

export const AF_INET = 2;
export const AF_INET6 = 10;

const [IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_EXT_MASK] = [3, 5, 18, 29];
const RTEXT_FILTER_SKIP_STATS = 8;
const [IFLA_INFO_KIND, IFLA_INFO_DATA] = [1, 2];

/** Devices without what they have counted, which is most of what the kernel would say. */
export function linksRequest(): Uint8Array {
  return concatenated([requestFor(LINK_BYTES), attribute(IFLA_EXT_MASK, u32(RTEXT_FILTER_SKIP_STATS))]);
}

/** A request for everything of a family; 0: of all. */
export function requestFor(bodyBytes: number, family = 0): Uint8Array {
  const body = new Uint8Array(bodyBytes);
  body[0] = family;
  return body;
}

/** A request to make a device. `below`: the number of the one that it lies on. `data`: of its kind. */
export function newLinkRequest(
  name: string,
  kind: string,
  data: readonly (readonly [number, Uint8Array])[],
  below: number | null = null,
): Uint8Array {
  const info = [
    attribute(IFLA_INFO_KIND, Buffer.from(kind)),
    attribute(IFLA_INFO_DATA, concatenated(data.map(([type, value]) => attribute(type, value)))),
  ];
  return concatenated([
    requestFor(LINK_BYTES),
    attribute(IFLA_IFNAME, zeroEnded(name)),
    ...(below === null ? [] : [attribute(IFLA_LINK, u32(below))]),
    attribute(IFLA_LINKINFO, concatenated(info)),
  ]);
}

/** Values are cut out when they are asked for: a device has fifty of them, of which a few are looked at. */
export class Attributes {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Where each type begins, its first one when it comes twice. */
  #places: number[] | null = null;

  /** Behind a head of `start` bytes. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#start = start;
  }

  get(wanted: number): Uint8Array | undefined {
    this.#places ??= this.#findPlaces();
    const at = this.#places[wanted];
    return at === undefined ? undefined : this.#bytes.subarray(at + 4, at + lengthAt(this.#bytes, at));
  }

  has(wanted: number): boolean {
    this.#places ??= this.#findPlaces();
    return this.#places[wanted] !== undefined;
  }

  #findPlaces(): number[] {
    const [bytes, places] = [this.#bytes, [] as number[]];
    for (let at = this.#start; at + 4 <= bytes.length; ) {
      const length = lengthAt(bytes, at);
      if (length < 4) break;
      places[typeAt(bytes, at)] ??= at;
      at += (length + 3) & ~3;
    }
    return places;
  }

  *[Symbol.iterator](): Generator<[type: number, value: Uint8Array]> {
    const bytes = this.#bytes;
    for (let at = this.#start; at + 4 <= bytes.length; ) {
      const length = lengthAt(bytes, at);
      if (length < 4) return;
      yield [typeAt(bytes, at), bytes.subarray(at + 4, at + length)];
      at += (length + 3) & ~3;
    }
  }
}

export function attributes(bytes: Uint8Array, start: number): Attributes {
  return new Attributes(bytes, start);
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** Two bits say how the value is to be read. */
function typeAt(bytes: Uint8Array, at: number): number {
  return bytes[at + 2]! | ((bytes[at + 3]! & 0x3f) << 8);
}

/** Filled up to a multiple of four, which its length does not count. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((value.length + 7) & ~3);
  const view = viewOf(bytes);
  view.setUint16(0, value.length + 4, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export function zeroEnded(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of 1, 2 or 4 bytes; 0 for nothing. */
export function numberOf(bytes: Uint8Array | undefined): number {
  let sum = 0;
  for (let at = (bytes?.length ?? 0) - 1; at >= 0; at--) sum = sum * 256 + bytes![at]!;
  return sum;
}

export function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString("utf8");
}
