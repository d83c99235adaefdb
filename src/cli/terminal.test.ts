import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { requires } from "../../test/requirements.ts";
import { colour, columns, typeKey, wantsColour } from "./terminal.ts";

test("cells of a table stand under each other and lines have no trailing blanks", () => {
  assert.deepEqual(columns([["name", "state"], ["a-long-name", "up", ""], ["b"]]), [
    "name         state",
    "a-long-name  up",
    "b",
  ]);
});

test("colour codes do not count as width", () => {
  const [first, second] = columns([
    [colour(true, "good", "up"), "x"],
    ["down", "y"],
  ]);
  assert.equal(first, `${colour(true, "good", "up")}    x`.replace("    x", "    x"));
  assert.equal(second, "down  y");
});

test("text is unchanged where there is no colour", () => {
  assert.equal(colour(false, "error", "broken"), "broken");
  assert.notEqual(colour(true, "error", "broken"), "broken");
});

test("NO_COLOR wins over everything, FORCE_COLOR over a pipe, a dumb terminal stays plain", () => {
  assert.equal(wantsColour(true, {}), true);
  assert.equal(wantsColour(false, {}), false);
  assert.equal(wantsColour(true, { NO_COLOR: "1", FORCE_COLOR: "1" }), false);
  assert.equal(wantsColour(true, { NO_COLOR: "" }), true);
  assert.equal(wantsColour(false, { FORCE_COLOR: "1" }), true);
  assert.equal(wantsColour(true, { FORCE_COLOR: "0" }), false);
  assert.equal(wantsColour(true, { TERM: "dumb" }), false);
});

test("a secret is typed with corrections, ended by Enter and refused by Ctrl-C", () => {
  const type = (keys: string) => [...keys].reduce((state, key) => typeKey(state.typed, key), typeKey("", ""));
  assert.deepEqual(type("abc\u007fd\r"), { typed: "abd", outcome: "done" });
  assert.deepEqual(type("wrong\u0015right"), { typed: "right", outcome: "more" });
  assert.equal(type("ab\u0003").outcome, "refused");
  assert.equal(type("€\u007f\u007f").typed, "");
});

test("a secret typed at a real terminal is received and not shown", {
  skip: requires("script"),
}, async () => {
  const program = `
    import { processTerminal } from ${JSON.stringify(new URL("./terminal.ts", import.meta.url).href)};
    const terminal = processTerminal();
    const secret = await terminal.askSecret("Password: ");
    terminal.write("length " + secret.length + "\\n");
    process.exit(0);`;
  const command = `${process.execPath} --input-type=module-typescript --eval ${quote(program)}`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
  let shown = "";
  for await (const piece of child.stdout.setEncoding("utf8")) {
    if (!shown.includes("Password: ") && (shown + piece).includes("Password: "))
      child.stdin.write("hunter2\r");
    shown += piece;
  }
  assert.match(shown, /length 7/);
  assert.doesNotMatch(shown, /hunter2/);
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
