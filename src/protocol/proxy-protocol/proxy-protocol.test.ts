import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "./crc32c.ts";
import { readProxyHeader } from "./decode.ts";
import { encodeProxyFacts, encodeProxyHeaderV1, encodeProxyHeaderV2 } from "./encode.ts";
import { FIELD_CRC32C, FIELD_NOOP, type ProxyAddresses, type ProxyHeader } from "./proxy-header.ts";

const IPV4: ProxyAddresses = {
  source: { family: 4, host: "192.0.2.1", port: 56324 },
  destination: { family: 4, host: "198.51.100.7", port: 443 },
};
const IPV6: ProxyAddresses = {
  source: { family: 6, host: "2001:db8::1", port: 1 },
  destination: { family: 6, host: "::1", port: 65535 },
};
const UNIX: ProxyAddresses = {
  source: { family: "unix", host: "", port: 0 },
  destination: { family: "unix", host: "/run/app.sock", port: 0 },
};
const FACTS = {
  alpn: "h2",
  authority: "www.example.com",
  uniqueId: Uint8Array.of(1, 2, 3),
  ssl: {
    isTls: true,
    hasCertificate: true,
    hadCertificate: true,
    verifyResult: 0,
    version: "TLSv1.3",
    commonName: "client",
    cipher: "TLS_AES_128_GCM_SHA256",
    signatureAlgorithm: "SHA256",
    keyAlgorithm: "RSA2048",
  },
  networkNamespace: null,
};

/** Reads it whole, and in every cut, with bytes of the connection behind it. */
function read(bytes: Uint8Array): ProxyHeader {
  for (let end = 0; end < bytes.length; end++)
    assert.equal(readProxyHeader(bytes, 0, end).kind, "incomplete");
  const padded = new Uint8Array(bytes.length + 9).fill(71);
  padded.set(bytes, 4);
  const result = readProxyHeader(padded, 4, padded.length);
  assert.equal(result.kind, "header");
  assert.equal(result.length, bytes.length);
  return result.header;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

test("version 1 says addresses and ports in one line", () => {
  assert.equal(textOf(encodeProxyHeaderV1(IPV4)), "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
  assert.equal(textOf(encodeProxyHeaderV1(IPV6)), "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
  assert.equal(textOf(encodeProxyHeaderV1(null)), "PROXY UNKNOWN\r\n");
  assert.equal(textOf(encodeProxyHeaderV1(UNIX)), "PROXY UNKNOWN\r\n");
  for (const addresses of [IPV4, IPV6])
    assert.deepEqual(read(encodeProxyHeaderV1(addresses)).addresses, addresses);
  assert.equal(read(encodeProxyHeaderV1(null)).addresses, null);
  assert.equal(read(Buffer.from("PROXY UNKNOWN ffff::1 what ever 1\r\n")).addresses, null);
});

test("addresses of different families are both written as IPv6", () => {
  const mixed = { source: IPV4.source, destination: IPV6.destination };
  assert.equal(textOf(encodeProxyHeaderV1(mixed)), "PROXY TCP6 ::ffff:192.0.2.1 ::1 56324 65535\r\n");
  assert.equal(read(encodeProxyHeaderV2(mixed)).addresses!.source.host, "::ffff:192.0.2.1");
});

test("version 2 carries addresses of all families", () => {
  for (const addresses of [IPV4, IPV6, UNIX]) {
    const header = read(encodeProxyHeaderV2(addresses));
    assert.deepEqual(header.addresses, addresses);
    assert.equal(header.version, 2);
    assert.equal(header.isDatagram, false);
  }
  assert.equal(read(encodeProxyHeaderV2(null)).addresses, null);
  const mixed = { source: IPV4.source, destination: UNIX.destination };
  assert.equal(read(encodeProxyHeaderV2(mixed)).addresses, null);
});

test("version 2 carries facts in fields, with a checksum that is verified", () => {
  const bytes = encodeProxyHeaderV2(
    IPV4,
    [{ type: FIELD_NOOP, value: new Uint8Array(9) }, ...encodeProxyFacts(FACTS)],
    true,
  );
  const header = read(bytes);
  assert.deepEqual(header.facts, FACTS);
  assert.equal(header.fields.at(-1)!.type, FIELD_CRC32C);
  for (const at of [13, 20, 40, bytes.length - 1]) {
    const damaged = bytes.slice();
    damaged[at]! ^= 0x20;
    assert.equal(readProxyHeader(damaged, 0, damaged.length).kind, "malformed", `byte ${at}`);
  }
});

test("CRC-32C gives the published check value", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("what is not exactly a header is malformed", () => {
  const lines = [
    "GET / HTTP/1.1\r\n",
    "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n",
    "PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
    "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
    `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r \n",
  ];
  for (const line of lines)
    assert.equal(readProxyHeader(Buffer.from(line), 0, line.length).kind, "malformed", line);
  const good = encodeProxyHeaderV2(IPV4, encodeProxyFacts(FACTS));
  for (const [at, value] of [
    [12, 0x11],
    [12, 0x22],
    [13, 0x41],
    [13, 0x13],
    [15, 11],
    [15, 14],
    [14, 0x41],
  ] as const) {
    const bad = new Uint8Array(70_000);
    bad.set(good);
    bad[at] = value;
    assert.equal(readProxyHeader(bad, 0, bad.length).kind, "malformed", `byte ${at} = ${value}`);
  }
  assert.equal(readProxyHeader(Uint8Array.of(13, 10, 13, 11), 0, 4).kind, "malformed");
});

test("no garbage throws", () => {
  let seed = 12345;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  const bases = [
    encodeProxyHeaderV1(IPV4),
    encodeProxyHeaderV2(IPV6, encodeProxyFacts(FACTS), true),
    encodeProxyHeaderV2(UNIX),
  ];
  for (let round = 0; round < 5000; round++) {
    const bytes = bases[round % bases.length]!.slice();
    for (let k = random() % 4; k >= 0; k--) bytes[random() % bytes.length] = random() & 255;
    const { kind } = readProxyHeader(bytes, 0, random() % (bytes.length + 1));
    assert.ok(kind === "header" || kind === "incomplete" || kind === "malformed");
  }
});
