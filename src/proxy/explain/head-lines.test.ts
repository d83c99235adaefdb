import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadLines } from "./head-lines.ts";

const rule = { by: "http-request set-header", span: null };

function textOf(lines: HeadLines): string[] {
  const marks = { kept: " ", added: "+", changed: "~", removed: "-" };
  return lines.lines.map(({ change, text }) => `${marks[change]} ${text}`);
}

test("names in another case are no change", () => {
  const lines = new HeadLines(["GET / HTTP/1.1", "Host: a", "X-Y:  z "]);
  assert.deepEqual(
    lines.update(["GET / HTTP/1.1", "host: a", "x-y: z"], () => rule),
    [],
  );
  assert.deepEqual(textOf(lines), ["  GET / HTTP/1.1", "  host: a", "  x-y: z"]);
});

test("added, changed and removed lines keep their editor", () => {
  const lines = new HeadLines(["GET /a HTTP/1.1", "Host: a", "Cookie: S=1"]);
  lines.update(["GET /b HTTP/1.1", "host: a", "x-new: 1"], () => rule);
  assert.deepEqual(textOf(lines), ["~ GET /b HTTP/1.1", "  host: a", "- Cookie: S=1", "+ x-new: 1"]);
  lines.update(["GET /b HTTP/1.1", "host: a", "x-new: 1", "connection: close"], () => null);
  assert.deepEqual(
    lines.lines.map(({ by }) => by),
    [rule.by, null, rule.by, rule.by, null],
  );
});

test("a line that was added and taken out again was never there", () => {
  const lines = new HeadLines(["GET / HTTP/1.1"]);
  assert.deepEqual(
    lines.update(["GET / HTTP/1.1", "x: 1"], () => rule),
    ["adds x: 1"],
  );
  assert.deepEqual(
    lines.update(["GET / HTTP/1.1"], () => rule),
    ["removes x: 1"],
  );
  assert.deepEqual(textOf(lines), ["  GET / HTTP/1.1"]);
});
