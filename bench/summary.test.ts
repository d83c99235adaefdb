import assert from "node:assert/strict";
import { test } from "node:test";
import { CASES } from "./cases.ts";
import { renderSurplus, summarise, surplusOf } from "./summary.ts";

const SAMPLES = {
  haproxy: [10, 20, 10],
  sallyport: [10, 20, 8],
  "with dashboard": [10.2, 20.6, 7.2],
};

test("costs are compared round by round, so a slow round favours nobody", () => {
  const { contenders, dashboard } = summarise(CASES[0]!, SAMPLES);
  assert.deepEqual(
    contenders.map(({ contender, ratio }) => [contender, ratio.toFixed(2)]),
    [
      ["haproxy", "1.00"],
      ["sallyport", "1.00"],
      ["with dashboard", "0.98"],
    ],
  );
  assert.equal(renderSurplus("dashboard", dashboard!), "dashboard: +2.0 % (−10.0 % to +3.0 %)");
  assert.equal(surplusOf({ haproxy: [1] }, "with dashboard", "sallyport"), null);
});
