import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addToRate, readRate, setRate } from "./sliding-rate.ts";

describe("a sliding rate", () => {
  test("counts the present window whole and of the one before what the last period covers", () => {
    const cells = new Float64Array(3);
    addToRate(cells, 0, 1000, 10, 5000);
    assert.equal(readRate(cells, 0, 1000, 5999), 10);
    assert.equal(readRate(cells, 0, 1000, 6500), 5);
    addToRate(cells, 0, 1000, 4, 6500);
    assert.equal(readRate(cells, 0, 1000, 6500), 9);
    assert.equal(readRate(cells, 0, 1000, 6999), 4);
    assert.equal(readRate(cells, 0, 1000, 8001), 0);
  });

  test("lets a single event count for a whole period", () => {
    const cells = new Float64Array(3);
    addToRate(cells, 0, 1000, 1, 5000);
    assert.equal(readRate(cells, 0, 1000, 6999), 1);
    assert.equal(readRate(cells, 0, 1000, 7001), 0);
  });

  test("forgets what is older than two periods", () => {
    const cells = new Float64Array(3);
    addToRate(cells, 0, 1000, 100, 5000);
    addToRate(cells, 0, 1000, 3, 7500);
    assert.equal(readRate(cells, 0, 1000, 7500), 3);
  });

  test("can be set", () => {
    const cells = new Float64Array(3);
    setRate(cells, 0, 7, 5000);
    assert.equal(readRate(cells, 0, 1000, 5500), 7);
  });
});
