import assert from "node:assert/strict";
import { test } from "node:test";
import { TERMINATION } from "../exchange/termination.ts";
import { describeEnding, describePersistence, describeTermination } from "./termination-words.ts";

test("every way to end has words of its own, and a good end has none", () => {
  for (const { cause, phase } of Object.values(TERMINATION))
    assert.notEqual(describeEnding(`${cause}${phase}`), "", `${cause}${phase}`);
  assert.equal(describeEnding("--NI"), "");
});

test("a state that is not among the well-known ones is told by its letters", () => {
  assert.match(describeEnding("DD--"), /found to be down, while data/);
  assert.equal(describeEnding("??"), "");
  assert.equal(describeEnding(""), "");
});

test("letters are explained one by one, two in tcp mode", () => {
  assert.deepEqual(
    describeTermination("sHVN").map(({ letter }) => letter),
    ["s", "H", "V", "N"],
  );
  assert.equal(describeTermination("--").length, 2);
  assert.deepEqual(describeTermination("%x"), []);
});

test("the cookie's story is told where there is one", () => {
  assert.equal(describePersistence("--NI"), "new visitor, gets a cookie");
  assert.equal(describePersistence("--"), "");
});
