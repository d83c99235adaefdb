// Damaged haproxy.cfg files: whatever stands in one, reading, rendering and converting never throw, every
// place that is named is inside the text, and what is accepted can be built. FUZZ_CASES and FUZZ_SEED choose
// how many and which.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { renderDiagnostics } from "../../src/diagnostic/render.ts";
import { modernise } from "../../src/language/haproxy/convert.ts";
import { type ReaderEnvironment, readConfiguration } from "../../src/language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../../src/model/proxy.ts";
import { buildRuntime } from "../../src/proxy/build.ts";
import { PatternLists } from "../../src/proxy/rules/patterns/pattern-lists.ts";
import { assignSlots } from "../../src/proxy/slots.ts";
import { SharedState } from "../../src/proxy/state.ts";
import { latin1, mutate, randomSource } from "./attack-stage.ts";

const CASES = Number(process.env["FUZZ_CASES"] ?? 1500);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const FILE = "fuzzed.cfg";
const FOLDERS = ["src/language/haproxy/golden", "src/language/haproxy/accepted", "examples"];
const ODD = [
  ..."\t{}[]()\"'\\%#:,-+!/@*&\0\u0007\u00ff\ud800🙂",
  "''",
  '""',
  "\\",
  "$",
  `\${`,
  `\${X}`,
  `"\${X[*]}"`,
  `"\${A-b}"`,
  "%[",
  "%[]",
  "%{",
  "%{+Q}o",
  "-",
  "--",
  "-1",
  "0",
  "1e9",
  "0x10",
  "1s",
  "99999999999999999999",
  "2147483648",
  "9223372036854775807",
  "NaN",
  "if",
  "unless",
  "or",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "no",
  "default",
  "from",
  ".if",
  ".else",
  ".endif",
  "(",
  "[::1]:80",
  "*:1-99999",
  ":0",
  "1.2.3.4/33",
  "unix@",
  "fd@",
  "fd@-1",
  "ipv6@::",
  "(a|(b*)+",
  "[",
];
const environment: ReaderEnvironment = {
  variables: { X: "a b", A: "" },
  readFile: (path) => (path.length % 2 === 0 ? null : latin1("a b\n# c\n\n\0\xff d e\n/x y")),
  hostname: "lb",
  cpuCount: 2,
};

const texts = FOLDERS.flatMap((folder) => {
  const url = new URL(`../../${folder}/`, import.meta.url);
  const names = readdirSync(url).filter((name) => /\.(cfg|txt)$/.test(name));
  return names.map((name) => readFileSync(new URL(name, url), "utf8").split("\n----\n")[0]!);
});
const lines = texts.flatMap((text) => text.split("\n"));
const words = [...new Set(lines.flatMap((line) => line.trim().split(/\s+/))), ...ODD, ...ODD];

type Random = () => number;

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!;
}

/** Lines and words put in, taken out, exchanged; now and then bytes as well. */
function damage(text: string, random: Random): string {
  const result = text.split("\n");
  for (let count = 1 + random() * random() * 6; count > 0; count--) {
    const at = Math.floor(random() * result.length);
    const kind = Math.floor(random() * 6);
    if (kind === 0) result.splice(at, 0, pick(lines, random));
    else if (kind === 1) result.splice(at, 1 + random() * 2);
    else result[at] = damageLine(result[at] ?? "", kind, random);
  }
  const damaged = result.join("\n");
  if (random() > 0.1) return damaged;
  return Buffer.from(mutate(latin1(damaged), random)).toString("latin1");
}

function damageLine(line: string, kind: number, random: Random): string {
  if (kind === 2) {
    const at = Math.floor(random() * (line.length + 1));
    return line.slice(0, at) + pick(ODD, random) + line.slice(at + random() * 3);
  }
  const parts = line.split(" ");
  const at = Math.floor(random() * (parts.length + 1));
  if (kind === 3) parts.splice(at, 1, pick(words, random));
  else if (kind === 4) parts.splice(at, 0, pick(words, random), pick(words, random));
  else parts.splice(at, 1);
  return parts.join(" ");
}

function checkFile(text: string): boolean {
  const source = { name: FILE, text };
  const { configuration, diagnostics } = readConfiguration([source], environment);
  const read = text.split("\n");
  for (const { span } of diagnostics) {
    if (span.file !== FILE || span.line === 0) continue;
    assert(span.line <= Math.max(1, read.length), `line ${span.line} of ${read.length}`);
    const { length } = read[span.line - 1]!;
    assert(span.column >= 1 && span.column <= length + 1, `column ${span.column} of ${length}`);
  }
  assert.equal(
    configuration === null,
    diagnostics.some(({ severity }) => severity === "error"),
  );
  renderDiagnostics(diagnostics, { source: () => text, colour: true });
  const converted = modernise([source], environment);
  if (configuration === null) return false;
  build(configuration);
  const again = readConfiguration(converted.files, environment);
  const errors = again.diagnostics.filter(({ severity }) => severity === "error");
  assert.deepEqual(errors, [], "the converted file is refused");
  return true;
}

function build(configuration: ProxyConfiguration): void {
  const slots = assignSlots(configuration, {}, Number.POSITIVE_INFINITY)!;
  buildRuntime({
    configuration,
    state: SharedState.alone(Object.keys(slots).length + 1),
    slots,
    environment: {
      configuration,
      patterns: new PatternLists(configuration.patternLists),
      hostname: "lb",
      pid: 1,
      processVariables: {},
      workerIndex: 1,
      workerCount: 1,
      clock: { nowMs: 0, wallClockMs: 0, random: () => 0.5 },
      variables: new Map(),
      requestCount: { value: 0 },
    },
    previous: null,
    createLog: () => null as never,
  });
}

test(`${CASES} damaged files are read, rendered and converted without a throw; what is accepted can be built`, () => {
  let accepted = 0;
  for (let seed = SEED; seed < SEED + CASES; seed++) {
    const random = randomSource(seed);
    const text = damage(pick(texts, random), random);
    try {
      if (checkFile(text)) accepted++;
    } catch (error) {
      throw new Error(`with FUZZ_SEED=${seed} FUZZ_CASES=1`, { cause: error });
    }
  }
  if (CASES > 100) assert(accepted > CASES / 50, `only ${accepted} were accepted: the damage is too great`);
});

test("a word that every object of JavaScript has is a word like any other", () => {
  const likeAny = (text: string) => text.replaceAll("constructor", "constrictor");
  const codes = (text: string) =>
    readConfiguration([{ name: FILE, text }], environment).diagnostics.map(
      ({ code, span }) => `${span.line}:${span.column} ${code}`,
    );
  for (const text of texts.filter((one) => one.length < 2500)) {
    const read = text.split("\n");
    for (const [at, line] of read.entries()) {
      const parts = line.split(" ");
      for (let word = 1; word <= parts.length; word++) {
        const changed = [...parts.slice(0, word), "constructor", ...parts.slice(word + 1)].join(" ");
        const file = [...read.slice(0, at), changed, ...read.slice(at + 1)].join("\n");
        assert.deepEqual(codes(file), codes(likeAny(file)), changed);
      }
    }
  }
});

test("files that are deep, long or wide are read, too", () => {
  const many = 20_000;
  const head = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n";
  for (const text of [
    ".if 1\n".repeat(many),
    `.if ${"(".repeat(many)}\n.endif\n`,
    `.if ${"!".repeat(many)}1\n.endif\n`,
    `${head}frontend a\n bind :1-65535\n`,
    `${head}frontend a\n bind :1\n http-request deny if ${"a ".repeat(many)}\n`,
    `${head}frontend a\n bind :1\n http-request deny if ${"{ path / } ".repeat(2000)}\n`,
    `${head}frontend a\n bind :1\n http-request deny if { path ${"/x ".repeat(many)}}\n`,
    `${head}frontend a\n bind :1\n http-request set-header X ${"%[path]".repeat(many)}\n`,
    `${head}frontend a\n bind :1\n http-request set-header X %[path${",lower".repeat(many)}]\n`,
    `${head}frontend a\n bind :1\n acl a path_reg ${"(".repeat(many)}\n`,
    `${head}frontend a\n bind :1\n acl a path_reg (${"a*".repeat(200)}\n`,
    `${head}backend a\n server-template s 1-99999999 127.0.0.1:1\n`,
    `${head}${Array.from({ length: 1000 }, (_, index) => `backend b${index}\n server s 127.0.0.1:1\n`).join("")}`,
    "x".repeat(200_000),
    "\n".repeat(200_000),
    `"${"\\".repeat(many)}`,
    "$A".repeat(many),
  ])
    checkFile(text);
});
