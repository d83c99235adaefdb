import assert from "node:assert/strict";
import { test } from "node:test";
import { mapElements, tracedPackets } from "./trace-lines.ts";

const HEAD = "ip ttl 63 ip id 11705 ip protocol tcp ip length 60";
const TEXT = `
add chain inet sallyport_trace listening # handle 1
trace id 226843f8 inet sallyport_trace prerouting packet: iif "n-internet" ether saddr 02:00:00:00:00:01 ip saddr 198.51.100.7 ip daddr 203.0.113.10 ${HEAD} tcp sport 61000 tcp dport 8001 tcp flags == syn tcp window 65495
trace id 226843f8 inet sallyport_trace prerouting unknown rule handle 2 (verdict continue)
trace id 226843f8 inet sallyport_trace prerouting policy accept
trace id 226843f8 ip sallyport_nat sp_prerouting packet: iif "n-internet" ip saddr 198.51.100.7 ip daddr 203.0.113.10 ${HEAD} tcp sport 61000 tcp dport 8001 tcp flags == syn tcp window 65495
trace id 226843f8 ip sallyport_nat sp_prerouting rule dnat ip to ip daddr . meta l4proto . th dport map @sp_dnat_1 # handle 5 (verdict accept)
trace id 226843f8 inet sallyport_filter sp_forward packet: iif "n-internet" oif "n-org" ip saddr 198.51.100.7 ip daddr 10.0.0.111 ${HEAD} tcp sport 61000 tcp dport 80 tcp flags == syn tcp window 65495
trace id 226843f8 inet sallyport_filter sp_forward rule ip saddr 10.0.0.0-10.0.0.255 goto sp_rule_2 # handle 9 (verdict goto sp_rule_2)
trace id 226843f8 inet sallyport_filter sp_rule_2 rule counter packets 1 bytes 84 drop comment "a rule" # handle 3 (verdict drop)
trace id 515ed401 inet sallyport_trace prerouting packet: iif "n-org" ip saddr 10.0.0.11 ip daddr 198.51.100.7 ${HEAD} tcp sport 80 tcp dport 61000 tcp flags == syn | ack
trace id 515ed401 inet sallyport_filter sp_forward policy drop
trace id 78f77986 inet sallyport_trace output packet: oif "lo" ip saddr 127.0.0.1 ip daddr 127.0.0.1 ip protocol icmp icmp type echo-reply icmp code net-unreachable icmp id 15 icmp sequence 1
trace id d8160fb5 inet sallyport_trace prerouting packet: iif "n-org" ip6 saddr fd00::11 ip6 daddr fd00::1 ip6 nexthdr ipv6-icmp ip6 length 64 icmpv6 type echo-request icmpv6 code no-route icmpv6 parameter-problem 1310721 @th,64,96 0x25
trace id 99999999 inet somebody chain rule accept # handle 3 (verdict accept)
trace id`;

const ELEMENTS = {
  nftables: [
    { metainfo: { version: "1.0.6" } },
    {
      map: {
        ...{ family: "ip", table: "sallyport_nat", name: "sp_dnat_1" },
        elem: [
          [
            { elem: { val: { concat: ["203.0.113.10", "tcp", 8002] }, comment: "rule 1" } },
            { concat: ["10.0.0.111", 80] },
          ],
          [
            { elem: { val: { concat: ["203.0.113.10", "tcp", 8001] }, comment: "rule 4" } },
            { concat: ["10.0.0.111", 80] },
          ],
          ["203.0.113.11", "10.0.0.12"],
        ],
      },
    },
    { map: { family: "ip", table: "sallyport_nat", name: "empty" } },
  ],
};

test("a traced packet is known by its source port, with each rule that it met and the element that it was found in", () => {
  const packets = tracedPackets(TEXT, mapElements(JSON.stringify(ELEMENTS)));
  assert.deepEqual(
    packets.map(({ key, isAnswer }) => [key, isAnswer]),
    [
      [61000, false],
      [61000, true],
      [15, true],
      [20, false],
    ],
  );
  const steps = packets.map((packet) =>
    packet.steps.map(({ chain, rule, verdict, comment }) => [chain, rule, verdict, comment]),
  );
  assert.deepEqual(steps, [
    [
      ["prerouting", "", "continue", null],
      ["prerouting", null, "accept", null],
      ["sp_prerouting", "dnat ip to ip daddr . meta l4proto . th dport map @sp_dnat_1", "accept", "rule 4"],
      ["sp_forward", "ip saddr 10.0.0.0-10.0.0.255 goto sp_rule_2", "goto sp_rule_2", null],
      ["sp_rule_2", 'counter drop comment "a rule"', "drop", "a rule"],
    ],
    [["sp_forward", null, "drop", null]],
    [],
    [],
  ]);
});

test("what is said byte by byte, or is no word of nft, gives no packets", () => {
  for (let length = 0; length < TEXT.length; length += 7) tracedPackets(TEXT.slice(0, length), new Map());
  assert.deepEqual(tracedPackets("trace id rule\nverdict drop", new Map()), []);
  for (const json of ["", "{", "[]", "{}", '{"nftables": 7}', '{"nftables": [{"map": {"elem": [7]}}]}'])
    assert.doesNotThrow(() => mapElements(json));
});
