import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { checkSizes } from "./tidy/sizes.ts";
import { importsOf, takeApart } from "./tidy/source.ts";
import { formatFinding, tidy } from "./tidy.ts";

/** The findings about a made-up tree, as they are printed. */
function findingsOf(files: Readonly<Record<string, string>>, existing: readonly string[] = []): string[] {
  return tidy(new Map(Object.entries(files)), (path) => existing.includes(path)).map(formatFinding);
}

/** A tree in which everything is reached, so that a test sees only what it is about. */
function findingsOfLiving(files: Readonly<Record<string, string>>): string[] {
  const imports = Object.keys(files).map((file) => `import "../${file}";\n`);
  return findingsOf({ ...files, "tools/everything.ts": imports.join("") });
}

test("a tidy tree, an empty one and one with parts missing give nothing", () => {
  assert.deepEqual(findingsOf({}), []);
  assert.deepEqual(
    findingsOf({
      "src/cli/main.ts":
        'import { a } from "../base/a.ts";\nimport fs from "node:fs";\nimport "../server/not-there.ts";\na(fs);\n',
      "src/base/a.ts": "export function a(x: unknown): void {}\n",
      "README.md":
        "# Name\nSee [the source](src/base/a.ts), [above](#name), [elsewhere](https://example.org/x).\n",
    }),
    [],
  );
});

test("an import from a higher floor or from a neighbour is found, whatever form it has", () => {
  assert.deepEqual(
    findingsOfLiving({
      "src/proxy/a.ts": 'import type { B } from "../language/haproxy/b.ts";\nexport type A = B;\n',
      "src/model/c.ts": 'export { d as c } from\n  "../proxy/d.ts";\nconst e = 1;\nexport default e;\n',
      "src/base/f.ts": 'export const f = (): Promise<unknown> => import("../cli/f.ts");\n',
      "src/server/g.ts": 'import "../proxy/a.ts";\nimport "../io/x.ts";\nimport "./h.ts";\n',
    }),
    [
      "src/base/f.ts:1 src/base imports src/cli/f.ts, but src/cli is 6 above",
      "src/model/c.ts:2 src/model imports src/proxy/d.ts, but src/proxy is 1 above",
      "src/proxy/a.ts:1 src/proxy imports src/language/haproxy/b.ts, but src/language is a neighbour on the same floor",
    ],
  );
});

test("floors hold for tests too, which may use test/ besides; the program may not", () => {
  assert.deepEqual(
    findingsOfLiving({
      "src/base/a.test.ts": 'import "../../test/requirements.ts";\nimport "../io/x.ts";\n',
      "src/base/a.ts": 'import "../../test/requirements.ts";\n',
    }),
    [
      "src/base/a.test.ts:2 src/base imports src/io/x.ts, but src/io is 4 above",
      "src/base/a.ts:1 imports test/requirements.ts: the program imports from src/ only",
    ],
  );
});

test("a folder without a floor and a file without a folder are found", () => {
  assert.deepEqual(findingsOfLiving({ "src/shed/a.ts": "a();\n", "src/a.ts": "a();\n" }), [
    "src/a.ts:1 lies in no folder of src/",
    "src/shed/a.ts:1 src/shed has no floor: give it one in tools/tidy/floors.ts",
  ]);
});

test("foreign functions are called in io only, and cores do not touch the outside world", () => {
  assert.deepEqual(
    findingsOfLiving({
      "src/io/ffi.ts": 'import { dlopen } from "node:ffi";\ndlopen();\n',
      "src/server/ffi.ts": 'import { dlopen } from "node:ffi";\ndlopen();\n',
      "src/protocol/files.ts": 'import { readFileSync } from "node:fs";\nreadFileSync("x");\n',
      "src/protocol/hash.ts": 'import { createHash } from "node:crypto";\ncreateHash("md5");\n',
      "src/protocol/files.test.ts": 'import { readFileSync } from "node:fs";\nreadFileSync("x");\n',
      "src/protocol/peer.fixture.ts": 'import { spawn } from "node:child_process";\nspawn("x");\n',
    }),
    [
      "src/protocol/files.ts:1 node:fs in src/protocol: a core does not touch the outside world",
      "src/server/ffi.ts:1 node:ffi in src/server: only src/io may call foreign functions",
    ],
  );
});

test("time and chance are found in code, not in comments, strings and tests", () => {
  const text = [
    "const a = Date.now() + Math.random();",
    "const b = new Date();",
    "const c = new Date(0);",
    '// Date.now() "',
    "const d = `setTimeout ${performance.now()} setTimeout`;",
    "const e = /Math.random'/;",
    "const f = setInterval;",
    "",
  ].join("\n");
  assert.deepEqual(
    findingsOfLiving({ "src/proxy/a.ts": text, "src/proxy/a.test.ts": text, "src/server/a.ts": text }),
    ["1 Date.now", "1 Math.random", "2 new Date()", "5 performance.now", "7 setInterval"].map(
      (found) => `src/proxy/a.ts:${found} in src/proxy: time and chance come in as arguments`,
    ),
  );
});

test("a file that nothing leads to is dead; a path in a string leads to it; a cycle does not keep itself alive", () => {
  assert.deepEqual(
    findingsOf({
      "src/cli/main.ts": 'start(new URL("../server/worker.ts", import.meta.url));\n',
      "src/server/worker.ts": 'lateModule("server/late-part.ts");\n',
      "src/server/late-part.ts": "serve();\n",
      "src/server/tested.ts": "serve();\n",
      "src/server/tested.test.ts": 'import "./tested.ts";\n',
      "src/server/measured.ts": "serve();\n",
      "bench/run.ts": 'import "../src/server/measured.ts";\n',
      "src/base/a.ts": 'import "./b.ts";\n',
      "src/base/b.ts": 'import "./a.ts";\n// "./c.ts"\n',
      "src/base/c.ts": "c();\n",
    }),
    [
      "src/base/a.ts:1 nothing imports this file",
      "src/base/b.ts:1 nothing imports this file",
      "src/base/c.ts:1 nothing imports this file",
      "src/server/tested.ts:1 note: only tests import this file",
    ],
  );
});

test("a file is noted above 400 lines and refused above 600, unless it is a table", () => {
  const ofLines = (count: number) => "x();\n".repeat(count);
  const tree = new Map([
    ["src/base/a.ts", ofLines(400)],
    ["src/base/b.ts", ofLines(401)],
    ["src/base/c.ts", ofLines(601)],
    ["src/base/table.ts", ofLines(5000)],
  ]);
  assert.deepEqual(checkSizes(tree, { "src/base/table.ts": "a table" }).map(formatFinding), [
    "src/base/b.ts:401 note: 401 lines: is this one idea?",
    "src/base/c.ts:601 601 lines: split it by idea (most: 600)",
  ]);
});

test("lines are 110 wide at most, but what is in a string, and a line with an address, is not counted", () => {
  const lines = [
    `const a = ${"1 + ".repeat(24)}1234;`,
    `const a = ${"1 + ".repeat(24)}12345;`,
    `const b = "${"long ".repeat(40)}";`,
    `const c = \`${"long ".repeat(40)}\${a}${"\nlong ".repeat(2)}${"long ".repeat(40)}\`;`,
    `// ${"long ".repeat(22)}`,
    `// https://example.org/${"long/".repeat(22)}`,
  ];
  assert.equal(lines[0]!.length, 111);
  lines[0] = lines[0]!.replace("1234;", "123;");
  assert.deepEqual(findingsOfLiving({ "src/base/a.ts": `${lines.join("\n")}\n` }), [
    "src/base/a.ts:2 112 characters wide (most: 110)",
    "src/base/a.ts:7 113 characters wide (most: 110)",
  ]);
});

test("names that say nothing are found in paths and in what is exported", () => {
  assert.deepEqual(
    findingsOfLiving({
      "src/base/utils/a.ts": "a();\n",
      "src/base/string-helpers.ts": "a();\n",
      "src/base/commonplace.ts": "export class ConnectionManager {}\nexport class Managerial {}\n",
    }),
    [
      "src/base/commonplace.ts:1 ConnectionManager says nothing of what it does",
      'src/base/string-helpers.ts:1 "helpers" says nothing of what is in it',
      'src/base/utils/a.ts:1 "utils" says nothing of what is in it',
    ],
  );
});

test("the type any is found, the word is not", () => {
  const text =
    "export const a: any = 1;\nf(b as any);\nlet c: Map<string, any>;\n// any: any\nc.any(d, any(e));\nconst f = { any: 1 };\n";
  assert.deepEqual(
    findingsOfLiving({ "src/base/a.ts": text }).map((finding) => finding.split(" ")[0]),
    ["src/base/a.ts:1", "src/base/a.ts:2", "src/base/a.ts:3"],
  );
});

test("work left for later is found in comments only", () => {
  const word = "TO" + "DO";
  assert.deepEqual(
    findingsOfLiving({
      "src/base/a.ts": `/*\n * ${word} later\n */\nconst a = "${word}"; // ${word}s and M${word}\n`,
    }),
    [`src/base/a.ts:2 ${word}: do it now, or write down the limit that it leaves`],
  );
});

test("a test that is switched off without a reason is found, and one that switches others off", () => {
  const text = [
    'test.only("a", () => {});',
    'test("b", { skip: true }, () => {});',
    'test("c", { skip: requires("haproxy") }, () => {});',
    'test("d", { skip: "the kernel is too old" }, () => {});',
    "",
    "// The kernel before 6.1 answers otherwise.",
    'test.skip("e", () => {});',
    "",
    'it.todo("f");',
    "",
  ].join("\n");
  assert.deepEqual(findingsOfLiving({ "src/base/a.test.ts": text }), [
    "src/base/a.test.ts:1 other tests are switched off by this",
    "src/base/a.test.ts:2 switched off without a reason: give it, or a comment",
    "src/base/a.test.ts:9 switched off without a reason: give it, or a comment",
  ]);
});

test("a file that only passes on what others have is found", () => {
  const message = "only passes on what other files have: import those";
  assert.deepEqual(
    findingsOfLiving({
      "src/base/a.ts": '// All of it.\nexport { b } from "./b.ts";\nexport type { C } from "./c.ts";\n',
      "src/base/b.ts": 'export * from "./c.ts";\nexport const b = 1;\n',
      "src/base/c.ts": 'import "./b.ts";\nexport { b } from "./b.ts";\nexport type C = 1;\n',
    }),
    [`src/base/a.ts:1 ${message}`, `src/base/b.ts:1 ${message}`],
  );
});

test("links lead to files, folders and headings that are there", () => {
  const readme = [
    "# The [house](docs/a.md)",
    "[good](docs/a.md#why-not-1) ![picture](docs/picture.svg) [folder](docs/) [itself](#the-house) `[code](x.md)`",
    "[file](docs/none.md)",
    "[heading](docs/a.md#who)",
    "[absolute](/docs/a.md)",
    "```",
    "[in code](none.md)",
    "```",
    "[by name]: docs/gone.md",
    "",
  ].join("\n");
  assert.deepEqual(
    findingsOf({ "README.md": readme, "docs/a.md": "## Why, not?\n## Why not\n[up](../README.md)\n" }, [
      "docs/picture.svg",
      "docs/",
    ]),
    [
      "README.md:3 the link docs/none.md leads nowhere",
      "README.md:4 docs/a.md has no heading #who",
      "README.md:5 the link /docs/a.md is not relative",
      "README.md:9 the link docs/gone.md leads nowhere",
    ],
  );
});

test("code, comments and strings are told apart where they look like each other", () => {
  const text = [
    'const a = b / c; // "x"',
    "const d = /[/'\"`]\\/\\/(?:{)/.test(e) ? `1 ${ {f: `2 ${g} /* */`}.f } // 3` : '\\'4';",
    '/* `5` \'six */ h("// 7");',
  ].join("\n");
  const { code, comments, strings } = takeApart(text);
  assert.deepEqual(
    code
      .replaceAll("\0", "")
      .split("\n")
      .map((line) => line.trim()),
    ["const a = b / c;", "const d = //.test(e) ? `${ {f: `${g}`}.f }` : '';", 'h("");'],
  );
  assert.equal(code.length, text.length);
  assert.deepEqual(
    comments.split("\n").map((line) => line.trim()),
    ['// "x"', "", "/* `5` 'six */"],
  );
  assert.deepEqual(
    strings.map((string) => string.text),
    ["\\'4", "// 7"],
  );
});

test("imports are read in every form, and strings that only look like them are not", () => {
  const text = `import a, { type b } from "./a.ts";\nimport "./b.ts";\nexport type { c } from './c.ts';\nawait import("./d.ts");\nconst from = "./e.ts";\n`;
  assert.deepEqual(
    importsOf(takeApart(text)).map(({ specifier }) => specifier),
    ["./a.ts", "./b.ts", "./c.ts", "./d.ts"],
  );
});

test("text that ends within a string, a template or a comment is read to its end", () => {
  for (const text of ['const a = "b', "const a = `b", "const a = `b ${c", "/* b", "a /", "}"]) {
    assert.equal(takeApart(text).code.length, text.length);
  }
});

test("the command prints one line for each finding and exits 1, or 0 when there are only notes", () => {
  const root = mkdtempSync(join(tmpdir(), "sallyport-tidy-"));
  try {
    writeFileSync(join(root, "package.json"), '{ "type": "module" }');
    mkdirSync(join(root, "src/base"), { recursive: true });
    mkdirSync(join(root, "tools/tidy"), { recursive: true });
    cpSync(join(import.meta.dirname, "tidy.ts"), join(root, "tools/tidy.ts"));
    cpSync(join(import.meta.dirname, "tidy"), join(root, "tools/tidy"), { recursive: true });
    const run = () => spawnSync(process.execPath, [join(root, "tools/tidy.ts")], { encoding: "utf8" });
    const clean = run();
    assert.deepEqual([clean.stdout, clean.status], ["tidy\n", 0]);
    writeFileSync(join(root, "src/base/a.ts"), "a();\n");
    const untidy = run();
    assert.deepEqual(
      [untidy.stdout, untidy.status],
      ["src/base/a.ts:1 nothing imports this file\n1 to tidy up\n", 1],
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});
