import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareIps,
  formatSubnet,
  ipOfValue,
  lastOfSubnet,
  parseIp,
  parseSubnet,
  rangeHas,
  subnetHas,
  subnetOf,
  subnetsOverlap,
  valueOfIp,
} from "./ip.ts";

const ip = (text: string) => parseIp(text)!;
const subnet = (text: string) => parseSubnet(text)!.subnet;

test("an address is its canonical text, and nothing else is one", () => {
  assert.equal(parseIp("2001:DB8:0:0::1"), "2001:db8::1");
  for (const text of ["10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/24", "", "::g"])
    assert.equal(parseIp(text), null, text);
});

test("addresses and numbers go back and forth over their whole range", () => {
  for (const text of [
    "0.0.0.0",
    "10.0.0.1",
    "127.255.0.3",
    "128.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "2001:db8::ffff",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ]) {
    const one = ip(text);
    assert.equal(ipOfValue(valueOfIp(one), text.includes(":") ? 6 : 4), one);
  }
  assert.equal(valueOfIp(ip("192.168.10.1")), 3232238081n);
  assert.equal(ipOfValue(-1n, 4), null);
  assert.equal(ipOfValue(1n << 32n, 4), null);
  assert.equal(ipOfValue(1n << 128n, 6), null);
});

test("a subnet has what shares its prefix, in both families and at both ends of the range", () => {
  for (const [text, inside, outside] of [
    ["192.168.10.0/24", "192.168.10.255", "192.168.11.0"],
    ["0.0.0.0/0", "255.255.255.255", "::1"],
    ["255.255.255.255/32", "255.255.255.255", "255.255.255.254"],
    ["128.0.0.0/1", "200.0.0.1", "127.255.255.255"],
    ["2001:db8::/64", "2001:db8::ffff", "2001:db8:0:1::"],
    ["::/0", "2001:db8::1", "10.0.0.1"],
  ] as const) {
    assert.ok(subnetHas(subnet(text), ip(inside)), `${text} ${inside}`);
    assert.ok(!subnetHas(subnet(text), ip(outside)), `${text} ${outside}`);
  }
});

test("host bits are told, and the subnet is the one that the address lies in", () => {
  const parsed = parseSubnet("192.168.10.77/20")!;
  assert.equal(formatSubnet(parsed.subnet), "192.168.0.0/20");
  assert.ok(parsed.hasHostBits);
  assert.equal(parsed.ip, "192.168.10.77");
  assert.equal(lastOfSubnet(parsed.subnet), "192.168.15.255");
  assert.equal(formatSubnet(subnetOf(ip("2001:db8::1"), 32)), "2001:db8::/32");
  for (const text of ["10.0.0.0/33", "10.0.0.0", "::/129", "10.0.0.0/x"])
    assert.equal(parseSubnet(text), null, text);
});

test("subnets overlap when one has the other", () => {
  assert.ok(subnetsOverlap(subnet("10.0.0.0/8"), subnet("10.1.2.0/24")));
  assert.ok(subnetsOverlap(subnet("10.1.2.0/24"), subnet("10.0.0.0/8")));
  assert.ok(!subnetsOverlap(subnet("10.0.0.0/24"), subnet("10.0.1.0/24")));
  assert.ok(!subnetsOverlap(subnet("0.0.0.0/0"), subnet("::/0")));
});

test("ranges have both of their ends, and addresses have an order", () => {
  const range = { first: ip("10.0.0.9"), last: ip("10.0.0.100") };
  for (const text of ["10.0.0.9", "10.0.0.10", "10.0.0.100"]) assert.ok(rangeHas(range, ip(text)), text);
  for (const text of ["10.0.0.8", "10.0.0.101", "::a"]) assert.ok(!rangeHas(range, ip(text)), text);
  const sorted = ["::1", "10.0.0.10", "200.0.0.1", "10.0.0.9"].map(ip).sort(compareIps);
  assert.deepEqual(sorted, ["10.0.0.9", "10.0.0.10", "200.0.0.1", "::1"]);
});
