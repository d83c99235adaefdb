import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { findCommand, requires } from "./requirements.ts";

const ABSENT = "a-command-that-nobody-has";
const PRESENT = "sh";

test("a command that is there is found by its path", () => {
  assert.equal(basename(findCommand(PRESENT) ?? ""), PRESENT);
  assert.equal(requires(PRESENT), false);
});

test("a reason to skip names what is missing, and only that", () => {
  assert.equal(findCommand(ABSENT), null);
  assert.equal(requires(PRESENT, ABSENT), `needs ${ABSENT}`);
});

test("a folder is no command", () => {
  assert.equal(findCommand("../bin"), null);
});
