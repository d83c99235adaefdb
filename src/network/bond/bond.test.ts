import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import {
  BOND_HASHES,
  type Bond,
  type BondHash,
  type BondMode,
  type FabricLag,
} from "../../model/datacenter.ts";
import { ETHER_TYPES, encodeEthernet } from "../../wire/ethernet.ts";
import { A, A_MAC, B, B_MAC, FRAMES } from "../../wire/frames.fixture.ts";
import { encodePacket, newPacket } from "../device/packet.ts";
import { lagFault } from "./lag-agreement.ts";
import { transmitHash } from "./transmit-hash.ts";

function tcpFrame(sourcePort: number, destinationPort: number, vlan: number | null = null): Uint8Array {
  const body = {
    kind: "tcp",
    sourcePort,
    destinationPort,
    flags: ["syn"],
    sequence: 1,
    acknowledgement: 0,
    options: new Uint8Array(0),
    data: new Uint8Array(0),
  } as const;
  const tags =
    vlan === null ? [] : [{ protocol: "802.1Q", id: vlan, priority: 0, isDropEligible: false } as const];
  const header = { destination: B_MAC, source: A_MAC, tags, etherType: ETHER_TYPES.ipv4 };
  return encodeEthernet(header, encodePacket(newPacket(A, B, body)));
}

// Worked out by hand from the formulas of bonding.rst: 00:50:56:00:00:11 to 02:bf:0a:01:00:64, 192.168.10.11
// to 203.0.113.10, the words of addresses and ports as a little-endian machine reads them.
const VECTORS: readonly (readonly [BondHash, Uint8Array, number])[] = [
  ["layer2", tcpFrame(40_000, 80), 0x11 ^ 0x64 ^ 0x0800],
  ["layer2", tcpFrame(40_000, 80, 20), 0x11 ^ 0x64 ^ 0x0800],
  ["layer2+3", tcpFrame(40_000, 80), 24_828_580],
  ["layer3+4", tcpFrame(40_000, 80), 680_878_378],
  ["layer3+4", tcpFrame(40_001, 80), 680_878_506],
  ["layer3+4", tcpFrame(40_002, 443), 1_566_578_014],
  ["vlan+srcmac", tcpFrame(40_000, 80, 20), 20 ^ 0x005056 ^ 0x000011],
];

test("each policy computes what the kernel's documentation says", () => {
  for (const [policy, frame, value] of VECTORS)
    assert.equal(transmitHash(policy, frame).value, value, policy);
});

test("the real bonding driver takes the same member, whatever the frame and the policy", () => {
  const text = readFileSync(new URL("golden/kernel-6.1.txt", import.meta.url), "utf8");
  const [head, ...rows] = text
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.split(" "));
  const policies = head!.slice(1, -1) as BondHash[];
  assert.equal(policies.length, 6);
  assert.ok(rows.length > 30);
  for (const row of rows) {
    const digits = row.at(-1)!.padEnd(120, "00");
    const frame = Uint8Array.from(Buffer.from(digits, "hex"));
    for (const [index, policy] of policies.entries())
      assert.equal(transmitHash(policy, frame).value % 7, Number(row[index + 1]), `${row[0]} by ${policy}`);
  }
});

test("what is no IP packet goes by its MAC addresses, whatever the policy", () => {
  const { frame } = FRAMES["arp request"]!;
  const value = transmitHash("layer2", frame).value;
  for (const policy of ["layer2+3", "layer3+4"] as const)
    assert.equal(transmitHash(policy, frame).value, value);
  assert.match(transmitHash("layer3+4", frame).fields, /no IP packet/);
});

test("by layer 3+4 the flows of two machines use both cards, by layer 2 only one", () => {
  const members = (policy: BondHash) =>
    new Set(Array.from({ length: 64 }, (_, i) => transmitHash(policy, tcpFrame(40_000 + i, 443)).value % 2));
  assert.equal(members("layer3+4").size, 2);
  assert.equal(members("layer2").size, 1);
  assert.equal(members("layer2+3").size, 1);
});

test("cut frames and garbage have a hash too", () => {
  for (let length = 0; length < 60; length++) {
    for (const policy of BOND_HASHES) {
      const { value } = transmitHash(policy, tcpFrame(1, 2).subarray(0, length));
      assert.ok(value >= 0 && Number.isInteger(value));
    }
  }
});

function bond(mode: BondMode): Bond {
  return {
    name: "bond0",
    span: NO_SPAN,
    links: ["eth0", "eth1"].map((value) => ({ value, span: NO_SPAN })),
    mode: { value: mode, span: NO_SPAN },
    hash: null,
    lacpRate: null,
    miiMonitorMs: null,
    upDelayMs: null,
    downDelayMs: null,
    minLinks: null,
    primary: null,
    arpIntervalMs: null,
    arpTargets: [parseIp("10.0.0.1")!].map((value) => ({ value, span: NO_SPAN })),
    adSelect: null,
    addresses: [],
    mtu: null,
  };
}

function lag(lacp: "active" | "passive" | "off"): FabricLag {
  return {
    name: "1",
    span: NO_SPAN,
    lacp: { value: lacp, span: NO_SPAN },
    lacpRate: null,
    hash: null,
    trunk: [],
    native: null,
    mtu: null,
  };
}

test("two ends of an aggregate agree or not, as the standard and the kernel have it", () => {
  const verdict = (mode: BondMode, other: FabricLag | null) => lagFault(bond(mode), other) === null;
  assert.ok(verdict("802.3ad", lag("active")));
  assert.ok(verdict("802.3ad", lag("passive")));
  // Nobody answers its LACP: the kernel keeps one port in use.
  assert.ok(verdict("802.3ad", lag("off")));
  assert.ok(verdict("802.3ad", null));
  assert.ok(verdict("balance-xor", lag("off")));
  assert.ok(!verdict("balance-xor", lag("active")));
  assert.ok(!verdict("active-backup", lag("off")));
  assert.ok(!verdict("active-backup", lag("passive")));
  assert.ok(verdict("active-backup", null));
  assert.ok(verdict("balance-alb", null));
});

test("a bond that has fewer links in use than it wants is down", () => {
  const wanting = (value: number): Bond => ({ ...bond("802.3ad"), minLinks: { value, span: NO_SPAN } });
  assert.equal(lagFault(wanting(2), lag("active")), null);
  assert.match(lagFault(wanting(2), lag("off"))!.message, /wants 2 links, and nobody .* speaks LACP/);
  assert.match(lagFault(wanting(2), null)!.message, /one is in use/);
  assert.match(lagFault(wanting(3), lag("active"))!.message, /wants 3 links, and it has 2/);
  assert.equal(lagFault(wanting(1), null), null);
});
