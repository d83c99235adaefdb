import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatDuration, readStatistics, statusTable } from "./status-table.ts";

const ROWS = [
  {
    pxname: "in",
    svname: "FRONTEND",
    status: "OPEN",
    scur: 2,
    slim: 100,
    rate: 1,
    req_tot: 7,
    stot: 5,
    bin: 999,
    bout: 1000,
  },
  {
    pxname: "app",
    svname: "one",
    status: "UP",
    scur: 1,
    rate: 0,
    stot: 3,
    bin: 0,
    bout: 12_345_678,
    weight: 100,
    cookie: "A",
    check_status: "L7OK",
    check_duration: 2,
  },
  {
    pxname: "app",
    svname: "two",
    status: "DOWN",
    scur: 0,
    rate: 0,
    stot: 0,
    bin: 0,
    bout: 0,
    weight: 1,
    bck: 1,
    check_status: "L4CON",
  },
  {
    pxname: "app",
    svname: "BACKEND",
    status: "UP",
    scur: 1,
    slim: 10,
    rate: 0,
    stot: 3,
    bin: 0,
    bout: 0,
    weight: 100,
  },
];

test("a line for each, servers indented with their cookie, numbers as people read them", () => {
  assert.deepEqual(statusTable(ROWS, false), [
    "              state  sessions  rate/s  total  in     out      check         weight",
    "in            OPEN   2/100     1       7      999 B  1.0 kB",
    "  one (A)     UP     1         0       3      0 B    12.3 MB  L7OK in 2 ms  100",
    "  two backup  DOWN   0         0       0      0 B    0 B      L4CON         1",
    "app           UP     1/10      0       3      0 B    0 B                    100",
  ]);
});

test("a server that is down is red, one without checks is faint", () => {
  const [, down = "", unchecked = ""] = statusTable([ROWS[2]!, { ...ROWS[2]!, status: "no check" }], true);
  assert.ok(down.includes("\x1b[31m\x1b[1mDOWN"), JSON.stringify(down));
  assert.ok(unchecked.includes("\x1b[90mno check"), JSON.stringify(unchecked));
});

test("HAProxy's JSON becomes one object for each line", () => {
  const field = (name: string, value: string | number) => ({
    objType: "Server",
    field: { pos: 0, name },
    value: { type: "u32", value },
  });
  const answer = JSON.stringify([[field("svname", "one"), field("scur", 3)], [field("svname", "two")]]);
  assert.deepEqual(readStatistics(answer), [{ svname: "one", scur: 3 }, { svname: "two" }]);
  assert.throws(() => readStatistics("Unknown command.\n"));
});

test("bytes have three figures at most and the right unit", () => {
  const pairs: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [99_400, "99.4 kB"],
    [99_600, "100 kB"],
    [999_600, "1.0 MB"],
    [5e9, "5.0 GB"],
  ];
  for (const [amount, text] of pairs) assert.equal(formatBytes(amount), text);
  assert.equal(formatBytes(undefined), "");
});

test("a duration is told in its two largest parts", () => {
  const pairs: [number, string][] = [
    [0, "0 s"],
    [999, "0 s"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [90_061_000, "1 d 1 h"],
    [86_400_000, "1 d"],
  ];
  for (const [milliseconds, text] of pairs) assert.equal(formatDuration(milliseconds), text);
});
