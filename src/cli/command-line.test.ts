import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "./command-line.ts";

const OPTIONS = [
  { name: "output", letter: "o", takesValue: true },
  { name: "json", takesValue: false },
] as const;

test("an option's value is the next word, or behind an equals sign", () => {
  for (const args of [["--output", "a=b"], ["--output=a=b"], ["-o", "a=b"]]) {
    const reading = readCommandLine([...args, "word"], OPTIONS);
    assert.ok(reading.kind === "read");
    assert.equal(reading.line.valueOf("output"), "a=b");
    assert.deepEqual(reading.line.words, ["word"]);
    assert.equal(reading.line.has("json"), false);
  }
});

test("behind two dashes everything is a word, and one dash is one too", () => {
  const reading = readCommandLine(["-", "--json", "--", "--json", "-o"], OPTIONS);
  assert.ok(reading.kind === "read");
  assert.deepEqual(reading.line.words, ["-", "--json", "-o"]);
  assert.equal(reading.line.has("json"), true);
});

test("a switch with a value and an option without one are faults", () => {
  const wrong = (args: string[]) => {
    const reading = readCommandLine(args, OPTIONS);
    return reading.kind === "wrong" ? reading.message : null;
  };
  assert.equal(wrong(["--json=yes"]), "--json takes no value");
  assert.equal(wrong(["-o"]), "-o needs a value");
  assert.equal(wrong(["--zzz"]), "there is no option --zzz");
});

test("help wins over what is wrong behind it", () => {
  assert.deepEqual(readCommandLine(["--help", "--zzz"], OPTIONS), { kind: "help" });
});
