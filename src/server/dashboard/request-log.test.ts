import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDED } from "./dashboard.fixture.ts";
import { readFilter } from "./request-filter.ts";
import { RequestLog } from "./request-log.ts";

test("the newest are kept, older ones are overwritten and not found", () => {
  const log = new RequestLog(4);
  for (let i = 0; i < 6; i++) log.add([ENDED], 1, 0);
  assert.deepEqual(
    log.list(() => true, 10, null).requests.map(({ id }) => id),
    [6, 5, 4, 3],
  );
  assert.equal(log.find(2), undefined);
  assert.equal(log.find(3)?.record.id, 3);
  assert.equal(log.find(7), undefined);
  assert.deepEqual([log.kept.count, log.kept.countMax], [4, 4]);
});

test("pages follow each other without a gap, and the last says that there is none behind", () => {
  const log = new RequestLog(100);
  log.add(
    Array.from({ length: 7 }, () => ENDED),
    7,
    0,
  );
  const pages: number[][] = [];
  for (let before: number | null = null, isFirst = true; isFirst || before !== null; isFirst = false) {
    const page = log.list(({ id }) => id % 2 === 1, 2, before);
    pages.push(page.requests.map(({ id }) => id));
    before = page.before;
  }
  assert.deepEqual(pages, [
    [7, 5],
    [3, 1],
  ]);
});

test("the share of what is kept is that of the second before", () => {
  const log = new RequestLog();
  log.add([ENDED], 4, 10_000);
  assert.equal(log.kept.share, 1);
  log.add([ENDED], 4, 11_000);
  assert.equal(log.kept.share, 0.25);
});

test("filters that mean nothing match nothing, and an empty one does not count", () => {
  const [record] = new RequestLog().add([ENDED], 1, 0);
  const holds = (query: string) => readFilter(new URLSearchParams(query))?.(record!) ?? true;
  for (const query of [
    "",
    "path=",
    "other=x",
    "status=2xx",
    "status=200",
    "method=get",
    "server=a&backend=app",
  ])
    assert.equal(holds(query), true, query);
  for (const query of [
    "status=",
    "status=3xx",
    "method=POST",
    "slowerMs=22",
    "failed=true",
    "status=.*",
    "status=((((",
  ])
    assert.equal(holds(query), query === "status=", query);
});
