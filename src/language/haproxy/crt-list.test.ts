import assert from "node:assert/strict";
import { test } from "node:test";
import { readCrtList } from "./crt-list.ts";

const BASES = { crtBase: "/certificates", caBase: "/authorities" };

test("a line is a certificate, options between brackets and names", () => {
  const text = "a.pem [alpn h2,http/1.1 ssl-min-ver TLSv1.3 verify required ca-file ca.pem] *.x !y.x\n";
  const { lines, report } = readCrtList(text, "list", BASES);
  assert.deepEqual(report.diagnostics, []);
  assert.deepEqual(lines, [
    {
      path: "/certificates/a.pem",
      line: 1,
      tls: {
        minVersion: "TLSv1.3",
        alpn: ["h2", "http/1.1"],
        caFile: "/authorities/ca.pem",
        verify: "required",
      },
      options: "alpn h2,http/1.1 ssl-min-ver TLSv1.3 verify required ca-file ca.pem",
      filters: ["*.x", "!y.x"],
    },
  ]);
});

test("comments and empty lines count, but are no lines of the list", () => {
  const { lines } = readCrtList("# one\r\n\n  \t\n\t/b.pem[]c\r\n  # two\nd.pem", "list", BASES);
  assert.deepEqual(
    lines.map(({ path, line, filters }) => [path, line, filters]),
    [
      ["/b.pem", 4, ["c"]],
      ["/certificates/d.pem", 6, []],
    ],
  );
});

test("what HAProxy takes and has no meaning here is taken", () => {
  const { lines, report } = readCrtList("a.pem [ssl-min-ver SSLv3 allow-0rtt no-ca-names]", "list", BASES);
  assert.deepEqual(report.diagnostics, []);
  assert.deepEqual(lines[0]!.tls, { minVersion: "TLSv1.0" });
});

test("every fault of a list is told at its line", () => {
  const text = "a.pem [strict-sni]\nb.pem [verify maybe\nc.pem [ca-file]\nd.pem";
  const { lines, report } = readCrtList(text, "list", BASES);
  assert.deepEqual(
    report.diagnostics.map(({ span, code }) => `${span.file}:${span.line} ${code}`),
    ["list:1 unknown-keyword", "list:2 unknown-word", "list:3 missing-argument"],
  );
  assert.equal(lines.length, 4);
});

test("garbage is no reason to throw", () => {
  for (const text of [
    "[",
    "]",
    "[[]]",
    "a[[b]",
    "\0",
    "!",
    "a.pem [",
    "a.pem [ssl-min-ver",
    "\u00ff [\u00ff]",
  ])
    readCrtList(text, "list", BASES);
});
