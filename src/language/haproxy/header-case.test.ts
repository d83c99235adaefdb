// Files of `h1-case-adjust-file`, which the goldens have none of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReadResult, readConfiguration } from "./reader.ts";

function read(lines: string, files: Readonly<Record<string, string>>): ReadResult {
  const text = `global\n  default-path origin /elsewhere\n${lines}`;
  return readConfiguration([{ name: "haproxy.cfg", text }], {
    variables: {},
    hostname: "h",
    cpuCount: 1,
    readFile: (name) => (name in files ? new TextEncoder().encode(files[name]) : null),
  });
}

test("names of the last file and of the lines are known together, wherever default-path leads", () => {
  const files = { first: "x-a X-A\n", last: "# names\n\n\t x-b X-B  \r\nx-c\tX-C" };
  const lines = "  h1-case-adjust-file first\n  h1-case-adjust-file last\n  h1-case-adjust x-d X-D\n";
  const { configuration, diagnostics } = read(lines, files);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(configuration!.global.headerNames, ["X-D", "X-B", "X-C"]);
});

test("a file's faults are told by their lines", () => {
  const files = { names: "x-a X-A more\nx-b\nX-C x-c\nx-d X-D\nx-d X-d\n" };
  const { diagnostics } = read("  h1-case-adjust-file names\n", files);
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    [
      "in line 1 of `names`, there have to be two names",
      "in line 2 of `names`, there have to be two names",
      "in line 3 of `names`, `X-C` is not in lower case",
      "in line 5 of `names`, `x-d` was said before",
    ],
  );
});
