import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { supportOfLines } from "./line-support.ts";

function states(text: string): string[] {
  return supportOfLines(text).map(({ support }) => support);
}

test("each line has the state of its keyword in its section", () => {
  const text = `# a comment
global
  maxconn 100
  tune.pipesize 16384

frontend web
  bind :80
  reqadd X:\\ y
  option httpclose
  timeout client 5s
  rspadd
  nonsense 1
`;
  assert.deepEqual(states(text), [
    "none",
    "done",
    "done",
    "no-effect",
    "none",
    "done",
    "done",
    "legacy",
    "done",
    "done",
    "legacy",
    "unknown",
    "none",
  ]);
});

test("a line is as good as the worst of its words, and says which", () => {
  const [, line] = supportOfLines("backend b\n  server s 127.0.0.1:80 check proto h2\n");
  assert.equal(line!.keyword, "server");
  assert.notEqual(line!.support, "done");
  assert.match(line!.note ?? "", /^proto: /);
});

test("sections are told with their names, and a negated keyword is the keyword", () => {
  const [section, line] = supportOfLines("listen web\n  no option httpclose\n");
  assert.deepEqual(section!.section, { keyword: "listen", name: "web" });
  assert.equal(line!.keyword, "option httpclose");
});

test("nothing of the company's file is unknown", () => {
  const text = readFileSync("examples/company/company.cfg", "utf8");
  assert.deepEqual(
    supportOfLines(text).filter(({ support }) => support === "unknown"),
    [],
  );
});
