import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import type { AddressSet, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import {
  addressesCover,
  addressesHave,
  EarlierMatches,
  matchCovers,
  portsCover,
  portsMeet,
} from "./address-sets.ts";

const ANYTHING = { in: null, out: null, protocol: null, from: null, to: null, ports: [] } as const;
type Match = Pick<ResolvedFirewallRule, keyof typeof ANYTHING>;

test("a set of addresses covers another when each of its ranges lies in one of the set's", () => {
  assert.ok(addressesCover(null, set("10.0.0.1")));
  assert.ok(!addressesCover(set("10.0.0.1"), null));
  assert.ok(addressesCover(set("10.0.0.0-10.0.0.255"), set("10.0.0.0-10.0.0.9", "10.0.0.255")));
  assert.ok(!addressesCover(set("10.0.0.0-10.0.0.255"), set("10.0.0.200-10.0.1.1")));
  assert.ok(!addressesCover(set("0.0.0.0-255.255.255.255"), set("::1")));
  assert.ok(addressesHave(set("2001:db8::-2001:db8::ff"), parseIp("2001:db8::10")!));
});

test("no ports are all ports", () => {
  assert.ok(portsCover([], [{ first: 1, last: 2 }]));
  assert.ok(!portsCover([{ first: 1, last: 2 }], []));
  assert.ok(portsCover([{ first: 80, last: 90 }], [{ first: 80, last: 80 }]));
  assert.ok(portsMeet([], []));
  assert.ok(portsMeet([{ first: 80, last: 90 }], [{ first: 90, last: 99 }]));
  assert.ok(!portsMeet([{ first: 80, last: 90 }], [{ first: 91, last: 99 }]));
});

test("of all earlier matches the first that covers is found, whatever their shapes", () => {
  const shapes: readonly Match[] = [null, set("10.0.0.1"), set("10.0.0.2"), set("10.0.0.0-10.0.0.9")].flatMap(
    (to) =>
      [null, set("10.1.0.1")].flatMap((from) =>
        ([null, "tcp", "udp"] as const).flatMap((protocol) =>
          [[], [{ first: 80, last: 80 }], [{ first: 80, last: 81 }]].flatMap((ports) =>
            [null, "org"].map((from_) => ({ ...ANYTHING, in: from_, to, from, protocol, ports })),
          ),
        ),
      ),
  );
  // Every shape in several orders: the quick way must find what comparing with all finds.
  for (let order = 1; order <= 7; order++) {
    const earlier = new EarlierMatches<Match>();
    const seen: Match[] = [];
    for (const [index] of shapes.entries()) {
      const match = shapes[(index * (order * 2 + 3)) % shapes.length]!;
      const wanted = seen.find((one) => matchCovers(one, match)) ?? null;
      assert.equal(earlier.take(match), wanted);
      seen.push(match);
    }
  }
});

function set(...texts: readonly string[]): AddressSet {
  return texts.map((text) => {
    const [first, last = first] = text.split("-");
    return { first: parseIp(first!)!, last: parseIp(last!)! };
  });
}
