import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { renderCompatibility } from "./compatibility.ts";
import { GLOBAL_READER_NAMES } from "./global-section.ts";
import type { KeywordTable } from "./keyword-table.ts";
import { GLOBAL_KEYWORDS } from "./keywords-global.ts";
import { BIND_KEYWORDS, SERVER_KEYWORDS } from "./keywords-line.ts";
import { OPTION_KEYWORDS } from "./keywords-option.ts";
import { LEGACY_KEYWORDS, PROXY_KEYWORDS } from "./keywords-proxy.ts";
import { PROXY_READER_NAMES } from "./proxy-section.ts";
import { readConfiguration } from "./reader.ts";
import { SERVER_READER_NAMES } from "./server-line.ts";

const environment = { variables: {}, readFile: () => null, hostname: "h", cpuCount: 1 };

function readNames(table: KeywordTable): string[] {
  return [...table.values()]
    .filter((one) => one.support === "done" || one.support === "partly")
    .map((one) => one.name);
}

test("COMPATIBILITY.md is what the tables say", () => {
  const file = readFileSync(new URL("../../../COMPATIBILITY.md", import.meta.url), "utf8");
  assert.equal(file, renderCompatibility(), "run `npm run compatibility`");
});

test("every proxy keyword that is said to be read has a reader, and every reader is in the table", () => {
  const firstWords = new Set(readNames(PROXY_KEYWORDS).map((name) => name.split(" ")[0]!));
  assert.deepEqual([...firstWords, "option"].toSorted(), [...PROXY_READER_NAMES].toSorted());
});

test("every global keyword that is said to be read has a reader, and every reader is in the table", () => {
  const firstWords = new Set(readNames(GLOBAL_KEYWORDS).map((name) => name.split(" ")[0]!));
  assert.deepEqual([...firstWords].toSorted(), [...GLOBAL_READER_NAMES].toSorted());
});

test("every reader of a server word is in the table", () => {
  for (const name of SERVER_READER_NAMES) assert.ok(SERVER_KEYWORDS.has(name), name);
});

test("no word of a server or bind line that is said to be read is reported as unsupported", () => {
  for (const [table, start] of [
    [SERVER_KEYWORDS, "backend b\n server s 192.0.2.1:80"],
    [BIND_KEYWORDS, "frontend f\n bind :80"],
  ] as const) {
    for (const name of readNames(table)) {
      const value = table.get(name)!.valueCount > 0 ? " 1" : "";
      const { diagnostics } = readConfiguration(
        [{ name: "a", text: `${start} ${name}${value}\n` }],
        environment,
      );
      const codes = diagnostics.map((one) => one.code);
      assert.ok(!codes.includes("unknown-keyword"), `${name}: ${codes}`);
      if (table.get(name)!.support === "done")
        assert.ok(!codes.includes("refused-keyword"), `${name}: ${codes}`);
    }
  }
});

// The names that HAProxy 2.6.12 prints with -dKcfg, apart from those of other sections.
test("nothing that HAProxy itself registers is unknown", () => {
  const registered = JSON.parse(
    readFileSync(new URL("registered-keywords.json", import.meta.url), "utf8"),
  ) as Record<string, string[]>;
  const tables: Record<string, KeywordTable> = {
    global: GLOBAL_KEYWORDS,
    bind: BIND_KEYWORDS,
    server: SERVER_KEYWORDS,
    option: OPTION_KEYWORDS,
  };
  const unknown: string[] = [];
  for (const [kind, table] of Object.entries(tables)) {
    for (const name of registered[kind]!) if (!knows(table, name)) unknown.push(`${kind} ${name}`);
  }
  for (const name of registered["proxy"]!) {
    if (!LEGACY_KEYWORDS.has(name) && !knows(PROXY_KEYWORDS, name)) unknown.push(name);
  }
  assert.deepEqual(unknown, []);
});

/** A table may have the first word of `name` alone, or longer keywords that begin with it. */
function knows(table: KeywordTable, name: string): boolean {
  if (table.has(name) || table.has(name.split(" ")[0]!)) return true;
  const start = name.split(" ").slice(0, 2).join(" ");
  return [...table.keys()].some((known) => known === start || known.startsWith(`${start} `));
}
