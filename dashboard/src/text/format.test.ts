import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatDuration, formatMs, plural } from "./format.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("numbers have three digits that count, and a unit", () => {
  assert.deepEqual([0, 7, 41.53, 999, 1200, 45_678, 1_234_567].map(formatCount), [
    "0",
    "7",
    "41.5",
    "999",
    "1.20k",
    "45.7k",
    "1.23M",
  ]);
  assert.deepEqual([0, 812, 1239, 5 * 1024 ** 3].map(formatBytes).map(plain), [
    "0 B",
    "812 B",
    "1.21 KiB",
    "5 GiB",
  ]);
});

test("times are in the unit that suits them", () => {
  assert.deepEqual([null, -1, 0, 0.42, 21.4, 1300, 12_000].map(formatMs).map(plain), [
    "–",
    "–",
    "0 ms",
    "0.4 ms",
    "21 ms",
    "1.30 s",
    "12 s",
  ]);
  assert.equal(plain(formatDuration(3 * 86_400_000 + 4 * 3_600_000 + 59_000)), "3 d 4 h");
  assert.equal(plain(formatDuration(61_000)), "1 min 1 s");
});

test("one is not many", () => {
  assert.deepEqual(
    [plural(1, "client"), plural(0, "client"), plural(2, "entry", "entries")],
    ["1 client", "0 clients", "2 entries"],
  );
});
