// Keys of stick tables as bytes, and back as text. A value that cannot be such a key has none.
import { formatIpAddress, type IpAddress } from "../../base/address.ts";
import type { StickKeyType } from "../../model/stick-table.ts";
import { toAddress, toBinary, toInteger, toText } from "../rules/sample-cast.ts";
import type { SampleValue } from "../rules/sample-value.ts";

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Writes the key to the beginning of `into`, which holds the longest one. Its length; -1: there is none. */
export function encodeKey(type: StickKeyType, value: SampleValue, into: Uint8Array): number {
  switch (type) {
    case "ip":
      return encodeIpv4(toAddress(value), into);
    case "ipv6":
      return encodeIpv6(toAddress(value), into);
    case "integer": {
      const integer = toInteger(value);
      if (integer === undefined) return -1;
      for (let i = 0; i < 4; i++) into[i] = (integer >>> (24 - 8 * i)) & 0xff;
      return 4;
    }
    case "string":
      return encodeText(toText(value, "str"), into);
    case "binary": {
      const length = encodeText(toBinary(value), into);
      if (length < 0) return -1;
      into.fill(0, length);
      return into.length;
    }
  }
}

function encodeIpv4(address: IpAddress | undefined, into: Uint8Array): number {
  if (address === undefined) return -1;
  const { family, bytes } = address;
  if (family === 6 && !MAPPED_PREFIX.every((byte, i) => bytes[i] === byte)) return -1;
  const from = family === 4 ? 0 : 12;
  for (let i = 0; i < 4; i++) into[i] = bytes[from + i]!;
  return 4;
}

function encodeIpv6(address: IpAddress | undefined, into: Uint8Array): number {
  if (address === undefined) return -1;
  if (address.family === 4) {
    into.set(MAPPED_PREFIX);
    into.set(address.bytes, 12);
  } else into.set(address.bytes);
  return 16;
}

/** Cut to what fits. */
function encodeText(text: string, into: Uint8Array): number {
  if (text === "") return -1;
  const length = Math.min(text.length, into.length);
  for (let i = 0; i < length; i++) into[i] = text.charCodeAt(i);
  return length;
}

/** As `show table` tells it. */
export function describeKey(type: StickKeyType, key: Uint8Array): string {
  switch (type) {
    case "ip":
    case "ipv6":
      return formatIpAddress({ kind: "ip", family: type === "ip" ? 4 : 6, bytes: key });
    case "integer":
      return `${new DataView(key.buffer, key.byteOffset, 4).getUint32(0)}`;
    case "string":
      return escapeText(Buffer.from(key).toString("latin1"));
    case "binary":
      return Buffer.from(key).toString("hex").toUpperCase();
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\x1b": "\\e",
};

/** It must not look like another line or drive a terminal. */
function escapeText(text: string): string {
  return text.replace(/[ \\=]/g, "\\$&").replace(/[^ -~]/g, (character) => {
    const known = ESCAPES[character];
    return known ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
  });
}
