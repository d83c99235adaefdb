import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpAddress } from "../../../base/address.ts";
import type { MatchMethod } from "../../../model/sample.ts";
import type { SampleValue } from "../sample-value.ts";
import { parseRange } from "./parse-pattern.ts";
import { PatternList } from "./pattern-list.ts";
import { PatternLists } from "./pattern-lists.ts";

const METHODS: readonly MatchMethod[] = [
  "str", "beg", "end", "sub", "dir", "dom", "reg", "bin", "int", "len", "ip",
]; // biome-ignore format: a list
const WORDS = ["a", "ab", "abc", "/ab/", "www.ab.c", "B", "ABC", "b", "/"];
const KEYS: Readonly<Partial<Record<MatchMethod, readonly string[]>>> = {
  bin: ["61", "6162", "42", "616263"],
  int: ["1", "2:5", ":3", "7:", "1.2"],
  len: ["1", "2:5", ":3", "7:"],
  ip: ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "2001:db8::/32", "127.1", "10.0.0.0/255.0.0.0"],
  reg: ["^a", "b$", "A"],
};
const VALUES: Readonly<Partial<Record<MatchMethod, readonly SampleValue[]>>> = {
  int: [0, 1, 3, 6, 8, 65538],
  ip: ["10.1.2.3", "10.1.9.9", "10.9.9.9", "127.0.0.1", "2001:db8::1", "::ffff:10.1.2.3"].map(
    (text) => parseIpAddress(text)!,
  ),
};

function listOf(keys: readonly string[], hasValues = false): PatternList {
  const entries = keys.map((key) => ({ key, value: hasValues ? `value of ${key}` : null }));
  return new PatternList({ id: 0, path: null, criterion: "", hasValues, entries, uses: [] });
}

/** Always the same numbers, so that a failure can be seen again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const method of METHODS) {
  for (const ignoreCase of [false, true]) {
    const what = `${method}${ignoreCase ? " in any case" : ""}`;
    test(`a list that was changed matches as one that was read so: ${what}`, () => {
      const keys = KEYS[method] ?? WORDS;
      const values = VALUES[method] ?? [...WORDS, "", "x/ab/y", "aB"];
      const random = randomFrom(7);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
      const list = listOf(keys.slice(0, 2));
      const { find } = { find: (value: SampleValue) => matcher.find(value) };
      const matcher = list.matcherFor("acl", method, ignoreCase);
      for (let step = 0; step < 300; step++) {
        const key = pick(keys);
        if (random() < 0.55) list.apply({ kind: "add", key, value: null });
        else if (random() < 0.9) list.apply({ kind: "delete", key, occurrence: random() < 0.5 ? 0 : null });
        else list.apply({ kind: "replace", entries: [] });
        const fresh = listOf([...list.entries].map((entry) => entry.key));
        const other = fresh.matcherFor("acl", method, ignoreCase);
        for (const value of values)
          assert.equal(find(value)?.key, other.find(value)?.key, `step ${step}, ${String(value)}`);
      }
    });
  }
}

test("the first of equal keys counts, and the next one when it is gone", () => {
  const list = listOf(["k", "k"], true);
  const matcher = list.matcherFor("map", "str", false);
  list.apply({ kind: "set", key: "k", value: "second", occurrence: 1 });
  assert.equal(matcher.find("k")?.value, "value of k");
  list.apply({ kind: "delete", key: "k", occurrence: 0 });
  assert.equal(matcher.find("k")?.value, "second");
  assert.equal(list.apply({ kind: "delete", key: "none", occurrence: null }), false);
});

test("what a rule adds twice is there once, and a map's key has the last value", () => {
  const list = listOf([], true);
  assert.equal(list.apply({ kind: "ensure", key: "k", value: "1" }), true);
  assert.equal(list.apply({ kind: "ensure", key: "k", value: "1" }), false);
  assert.equal(list.apply({ kind: "ensure", key: "k", value: "2" }), true);
  assert.deepEqual(list.changedEntries, [{ key: "k", value: "2" }]);
});

test("a rule adds nothing that cannot be compared", () => {
  const list = listOf(["10.0.0.0/8"]);
  list.matcherFor("acl", "ip", false);
  assert.equal(list.apply({ kind: "ensure", key: "nonsense", value: null }), false);
  assert.equal(list.entries.size, 1);
});

test("a version takes the list's place when it is committed, and older ones are past", () => {
  const list = listOf(["old"]);
  const matcher = list.matcherFor("acl", "str", false);
  assert.equal(list.prepareVersion(), 1);
  assert.equal(list.prepareVersion(), 2);
  list.addTo(2, { key: "new", value: null });
  assert.notEqual(matcher.find("old"), undefined);
  assert.equal(list.commitVersion(3), null, "nobody has prepared that");
  list.apply({ kind: "replace", entries: list.commitVersion(2)! });
  assert.equal(matcher.find("old"), undefined);
  assert.notEqual(matcher.find("new"), undefined);
  assert.equal(list.commitVersion(1), null);
});

test("a process that comes later has the lists as they are now", () => {
  const { definition } = listOf(["a", "b"]);
  const before = new PatternLists([definition]);
  assert.deepEqual(before.changed, {});
  before.all[0]!.apply({ kind: "delete", key: "a", occurrence: null });
  const after = new PatternLists([definition], before.changed);
  assert.deepEqual(
    [...after.all[0]!.entries].map(({ key }) => key),
    ["b"],
  );
  assert.deepEqual(after.changed, before.changed);
});

test("numbers, ranges and versions are patterns, and nothing else is", () => {
  const ranges: readonly (readonly [string, number, number])[] = [
    ["5", 5, 5],
    ["-5", -5, -5],
    ["1:3", 1, 3],
    ["1-3", 1, 3],
    [":9", -Infinity, 9],
    ["6:", 6, Infinity],
    ["3.1", 196609, 196609],
  ];
  for (const [text, minimum, maximum] of ranges)
    assert.deepEqual(parseRange(text), { minimum, maximum }, text);
  for (const text of ["", ":", "x", "5x", "3:1", "gt"]) assert.equal(parseRange(text), null, text);
});

test("networks of both families are found by their longest prefix, mapped addresses too", () => {
  const list = listOf(["10.0.0.0/8", "2001:db8::/32", "2001:db8:1::/48", "::ffff:192.0.2.0/120", "::/0"]);
  const matcher = list.matcherFor("acl", "ip", false);
  const find = (text: string) => matcher.find(parseIpAddress(text)!)?.key;
  assert.equal(find("10.1.2.3"), "10.0.0.0/8");
  assert.equal(find("2001:db8:1::5"), "2001:db8:1::/48");
  assert.equal(find("2001:db8:2::5"), "2001:db8::/32");
  assert.equal(find("192.0.2.7"), "::ffff:192.0.2.0/120");
  assert.equal(find("fe80::1"), "::/0");
  list.apply({ kind: "delete", key: "::/0", occurrence: null });
  assert.equal(find("fe80::1"), undefined);
  assert.equal(find("::ffff:10.0.0.1"), "10.0.0.0/8");
});

test("a hundred thousand networks, or texts, are read and found without delay", () => {
  const networks = Array.from(
    { length: 100_000 },
    (_, i) => `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::/64`,
  );
  const list = listOf(networks);
  const matcher = list.matcherFor("acl", "ip", false);
  assert.equal(matcher.find(parseIpAddress("2001:db8:10:20::1")!)?.key, "2001:db8:10:20::/64");
  const texts = listOf(networks).matcherFor("acl", "beg", true);
  assert.equal(texts.find("2001:DB8:10:20::/64 and more")?.key, "2001:db8:10:20::/64");
});

test("of a pattern of delimiters alone no word is left, so it matches nothing", () => {
  for (const method of ["dir", "dom"] as const) {
    for (const keys of [["/"], ["//", "?"], [""]]) {
      const matcher = listOf(keys).matcherFor("acl", method, false);
      for (const value of ["", "/", "/a/b/", "a", "a?b"]) assert.equal(matcher.find(value), undefined, value);
    }
  }
});
