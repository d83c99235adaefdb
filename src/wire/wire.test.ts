import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findCommand, requires } from "../../test/requirements.ts";
import { decodeArp, encodeArp } from "./arp.ts";
import { internetChecksum } from "./checksum.ts";
import { changeEthernet, decodeEthernet, ETHER_TYPES, encodeEthernet, FRAME_BYTES_MIN } from "./ethernet.ts";
import { A, A6, B, B6, FRAMES } from "./frames.fixture.ts";
import { decodeIcmp, encodeIcmp } from "./icmp.ts";
import { decodeIcmpv6, encodeIcmpv6 } from "./icmpv6.ts";
import { decodeIpv4, encodeIpv4, IP_PROTOCOLS } from "./ipv4.ts";
import { decodeIpv6, encodeIpv6 } from "./ipv6.ts";
import { encodePcapng } from "./pcapng.ts";
import { formatFrame } from "./print.ts";
import { decodeTcp, encodeTcp } from "./tcp.ts";
import { decodeUdp, encodeUdp } from "./udp.ts";
import type { Decoded } from "./wire-fault.ts";

/** Everything in a frame, decoded and encoded again from what was decoded. */
function recode(frame: Uint8Array): Uint8Array {
  const ethernet = must(decodeEthernet(frame));
  const { payloadOffset, etherType } = ethernet;
  switch (etherType) {
    case ETHER_TYPES.arp:
    case ETHER_TYPES.rarp:
      return encodeEthernet(ethernet, encodeArp(must(decodeArp(frame, payloadOffset))));
    case ETHER_TYPES.ipv4: {
      const ip = must(decodeIpv4(frame, payloadOffset));
      assert.ok(ip.isChecksumRight);
      return encodeEthernet(ethernet, encodeIpv4(ip, recodeBody(frame, ip)));
    }
    default: {
      const ip = must(decodeIpv6(frame, payloadOffset));
      return encodeEthernet(ethernet, encodeIpv6(ip, recodeBody(frame, ip)));
    }
  }
}

function recodeBody(
  frame: Uint8Array,
  ip: {
    protocol: number;
    payloadOffset: number;
    payloadEnd: number;
    source: typeof A;
    destination: typeof A;
  },
): Uint8Array {
  const { protocol, payloadOffset: offset, payloadEnd: end, source, destination } = ip;
  switch (protocol) {
    case IP_PROTOCOLS.tcp: {
      const tcp = must(decodeTcp(frame, offset));
      return encodeTcp(tcp, frame.subarray(tcp.payloadOffset, end), source, destination);
    }
    case IP_PROTOCOLS.udp: {
      const udp = must(decodeUdp(frame, offset));
      return encodeUdp(udp, frame.subarray(udp.payloadOffset, udp.payloadEnd), source, destination);
    }
    case IP_PROTOCOLS.icmp:
      return encodeIcmp(must(decodeIcmp(frame, offset, end)));
    default:
      return encodeIcmpv6(must(decodeIcmpv6(frame, offset, end)), source, destination);
  }
}

function must<T>(decoded: Decoded<T>): T {
  assert.ok(decoded.ok, decoded.ok ? "" : `${decoded.error.header} ${decoded.error.message}`);
  return decoded.value;
}

for (const [name, { frame }] of Object.entries(FRAMES)) {
  test(`what is decoded of "${name}" encodes to the same bytes`, () => {
    assert.deepEqual(recode(frame), frame);
  });

  test(`"${name}" cut anywhere is a fault and never throws, and is printed all the same`, () => {
    const whole = formatFrame(frame);
    for (let length = 0; length < frame.length; length++) {
      const cut = frame.subarray(0, length);
      assert.equal(typeof formatFrame(cut), "string");
      for (const decode of [decodeEthernet, decodeArp, decodeIpv4, decodeIpv6, decodeTcp, decodeUdp])
        decode(cut, 14);
      decodeIcmp(cut, 14, length);
      decodeIcmpv6(cut, 14, length);
    }
    assert.ok(!/is cut|has version/.test(whole), whole);
  });
}

test("garbage is a fault and nothing else", () => {
  let seed = 12345;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed >> 8;
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = Uint8Array.from({ length: random() % 90 }, () => random() & 0xff);
    const type = [ETHER_TYPES.ipv4, ETHER_TYPES.ipv6, ETHER_TYPES.arp, 0x8100][round % 4]!;
    if (bytes.length > 14) bytes.set([type >> 8, type & 0xff], 12);
    assert.equal(typeof formatFrame(bytes), "string");
  }
});

test("short frames are padded, and the padding is not taken for data", () => {
  const { frame } = FRAMES["ping"]!;
  assert.equal(frame.length, FRAME_BYTES_MIN);
  const ip = must(decodeIpv4(frame, 14));
  assert.equal(ip.payloadEnd - ip.payloadOffset, 8 + 11);
});

test("a frame's tags change without its payload", () => {
  const { frame } = FRAMES["tcp in a vlan"]!;
  const untagged = changeEthernet(frame, { tags: [] });
  assert.equal(untagged.length, frame.length - 4);
  assert.deepEqual(untagged.subarray(14), frame.subarray(18));
});

test("the checksum over bytes with their own checksum is zero, odd lengths too", () => {
  assert.equal(internetChecksum(Uint8Array.of(0x45, 0, 0, 0x1c)), 0xbae3);
  const message = encodeIcmp({
    type: "echo-reply",
    code: 0,
    identifier: 1,
    sequence: 1,
    data: Uint8Array.of(1, 2, 3),
  });
  assert.equal(internetChecksum(message), 0);
});

test("frames are printed as tcpdump would", () => {
  assert.equal(
    formatFrame(FRAMES["tcp in a vlan"]!.frame),
    `00:50:56:00:00:11 > 02:bf:0a:01:00:64, vlan 20, ttl 63, tcp ${A}:40000 > ${B}:80 syn,ack, 11 bytes`,
  );
  assert.equal(formatFrame(FRAMES["arp request"]!.frame).split(", ")[1], `arp who-has ${B} tell ${A}`);
  assert.match(
    formatFrame(FRAMES["ping over ipv6"]!.frame),
    new RegExp(`icmp6 \\[${A6}\\] > \\[${B6}\\] echo-request`),
  );
});

test("tshark reads the same fields from a capture file of ours, and finds every checksum right", {
  skip: requires("tshark"),
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-wire-"));
  try {
    const frames = Object.entries(FRAMES).map(([name, { frame }], index) => ({
      interface: name,
      direction: "out" as const,
      atNs: BigInt(index) * 1_000_001n,
      frame,
    }));
    const file = join(folder, "frames.pcapng");
    writeFileSync(file, encodePcapng(frames));
    const checks = ["ip", "tcp", "udp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]);
    const run = spawnSync(
      findCommand("tshark")!,
      ["-r", file, ...checks, "-T", "json", "--no-duplicate-keys"],
      { encoding: "utf8" },
    );
    assert.equal(run.status, 0, run.stderr);
    const packets = JSON.parse(run.stdout) as { _source: { layers: Record<string, unknown> } }[];
    assert.equal(packets.length, frames.length);
    for (const [index, [name, { fields }]] of Object.entries(FRAMES).entries()) {
      const found = flatten(packets[index]!._source.layers);
      assert.equal(found.get("frame.interface_name")?.[0], name);
      for (const [field, value] of Object.entries(fields))
        assert.ok(
          found.get(field)?.includes(value),
          `${name}: ${field} is ${found.get(field)}, not ${value}`,
        );
      assert.ok(![...found.keys()].some((key) => key.includes("malformed")), name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function flatten(value: unknown, found: Map<string, string[]> = new Map()): Map<string, string[]> {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    const list = found.get(key) ?? [];
    found.set(key, list);
    if (typeof inner === "string") list.push(inner);
    else if (Array.isArray(inner)) list.push(...inner.filter((one) => typeof one === "string"));
    flatten(inner, found);
  }
  return found;
}
