import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import { parseMac } from "../../base/mac.ts";
import {
  DHCP_TYPES,
  type DhcpMessage,
  type DhcpType,
  decodeDhcp,
  encodeDhcp,
  NO_IP,
  NO_OPTIONS,
} from "./message.ts";

const ip = (text: string) => parseIp(text)!;
const OFFER: DhcpMessage = {
  type: "offer",
  transaction: 0xfedcba98,
  clientMac: parseMac("00:50:56:00:00:11")!,
  clientIp: NO_IP,
  yourIp: ip("192.168.10.57"),
  isBroadcast: true,
  options: {
    subnetMask: ip("255.255.255.0"),
    routers: [ip("192.168.10.1")],
    dns: [ip("192.168.10.1"), ip("9.9.9.9")],
    hostName: "desk-001",
    domain: "company.internal",
    mtu: 1500,
    requestedIp: null,
    leaseSeconds: 3600,
    server: ip("192.168.10.1"),
    others: new Map([[42, Uint8Array.of(1, 2, 3, 4)]]),
  },
};

test("what is encoded decodes to the same, whatever the type", () => {
  for (const type of Object.keys(DHCP_TYPES) as DhcpType[])
    assert.deepEqual(decodeDhcp(encodeDhcp({ ...OFFER, type })), { ...OFFER, type });
  const bare = { ...OFFER, type: "discover" as const, yourIp: NO_IP, options: NO_OPTIONS };
  assert.deepEqual(decodeDhcp(encodeDhcp(bare)), bare);
});

test("the bytes are those of RFC 2131", () => {
  const bytes = encodeDhcp({ ...OFFER, type: "discover" });
  assert.deepEqual([...bytes.subarray(0, 12)], [1, 1, 6, 0, 0xfe, 0xdc, 0xba, 0x98, 0, 0, 0x80, 0]);
  assert.deepEqual([...bytes.subarray(236, 243)], [99, 130, 83, 99, 53, 1, 1]);
  assert.ok(bytes.length >= 300);
  assert.equal(encodeDhcp(OFFER)[0], 2);
});

test("a value longer than 255 bytes is divided and joined again", () => {
  const others = new Map([[77, Uint8Array.from({ length: 600 }, (_, i) => i & 0xff)]]);
  const long = { ...OFFER, options: { ...OFFER.options, others } };
  assert.deepEqual(decodeDhcp(encodeDhcp(long)), long);
});

test("a message cut anywhere is none or is read without what is missing, and never throws", () => {
  const bytes = encodeDhcp(OFFER);
  for (let length = 0; length < bytes.length; length++) {
    const decoded = decodeDhcp(bytes.subarray(0, length));
    if (length < 243) assert.equal(decoded, null, String(length));
  }
});

test("garbage is no message", () => {
  let seed = 7;
  for (let round = 0; round < 2000; round++) {
    const bytes = encodeDhcp(OFFER);
    for (let k = 0; k < 6; k++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      bytes[(seed >> 8) % bytes.length] = seed & 0xff;
    }
    decodeDhcp(bytes);
  }
  assert.equal(decodeDhcp(new Uint8Array(300)), null);
});
