import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Diagnostic } from "../../src/diagnostic/diagnostic.ts";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import { readConfiguration } from "../../src/language/haproxy/reader.ts";
import { resolveDatacenter } from "../../src/network/resolve/resolve.ts";
import { readCertificate } from "../../src/server/certificates/read-certificate.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Entry {
  readonly code: string;
  readonly text: string;
  /** Empty where no line of a file leads to it. */
  readonly examples: readonly { readonly language: string; readonly text: string }[];
}

const ENTRIES: readonly Entry[] = readFileSync(join(ROOT, "docs/errors.md"), "utf8")
  .split(/^### /m)
  .slice(1)
  .map((part) => ({
    code: part.split("\n")[0]!,
    text: part.slice(part.indexOf("\n")).trim(),
    examples: [...part.matchAll(/^```(haproxy|yaml)\n([\s\S]*?)^```/gm)].map(([, language, text]) => ({
      language: language!,
      text: text!,
    })),
  }));

/** A literal behind the name of a function that reports, as its first text, or behind `code:`. */
const REPORTED =
  /(?:(?:\berror|warning|notice|reportError|reportWarning|fail|complaint|report|fileDiagnostic|\[severity\])\((?:[^"`;()]|\([^()]*\))*?|\bcode: )"([a-z]+(?:-[a-z]+)*)"(?:\s*:\s*"([a-z-]+)")?\s*,/g;

function codesInSource(): Set<string> {
  const codes = new Set<string>();
  for (const path of globSync("src/{language,server,cli,network/resolve}/**/*.ts", { cwd: ROOT })) {
    // What passes reports on has no codes of its own.
    if (/\.(test|fixture)\.ts$|\/report\.ts$/.test(path)) continue;
    const text = readFileSync(join(ROOT, path), "utf8");
    for (const [, first, second] of text.matchAll(REPORTED)) {
      codes.add(first!);
      if (second !== undefined) codes.add(second);
    }
  }
  // Names of things that an argument refers to make a code each.
  for (const thing of ["backend", "frontend", "server", "userlist"]) codes.add(`unknown-${thing}`);
  for (const path of globSync("src/network/resolve/*.ts", { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), "utf8");
    for (const [, thing] of text.matchAll(/\bfindings\.unknown\(\s*"([a-z-]+)"/g))
      codes.add(`unknown-${thing}`);
    // One of two codes, by what is lacking.
    for (const [, first, second] of text.matchAll(/\? "([a-z]+(?:-[a-z]+)+)" : "([a-z]+(?:-[a-z]+)+)",/g)) {
      codes.add(first!);
      codes.add(second!);
    }
  }
  return codes;
}

function diagnosticsOfDatacenter(text: string): readonly Diagnostic[] {
  const files = [{ name: "example.yaml", text }];
  const { datacenter, diagnostics } = readDatacenter(files, { variables: {}, readFile: () => null });
  return [...diagnostics, ...(datacenter === null ? [] : resolveDatacenter(datacenter).diagnostics)];
}

function diagnosticsOf(example: string): Diagnostic[] {
  const stands = /^(global|defaults|frontend|backend|listen|userlist|mode)\b/.test(example);
  const text = stands
    ? example
    : `listen l\n  mode http\n  bind 127.0.0.1:8080\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s\n${example}`;
  const { diagnostics, configuration } = readConfiguration([{ name: "example.cfg", text }], {
    variables: {},
    readFile: (path) => {
      try {
        return readFileSync(path);
      } catch {
        return null;
      }
    },
    hostname: "localhost",
    cpuCount: 1,
  });
  const certificates = (configuration?.proxies ?? []).flatMap(({ frontend }) =>
    (frontend?.binds ?? []).flatMap(({ tls }) => tls?.certificates ?? []),
  );
  return [
    ...diagnostics,
    ...certificates.flatMap(({ path, span }) => readCertificate(path, span, { environment: {} }).diagnostics),
  ];
}

test("docs/errors.md has each code once, and those that the source has", () => {
  const listed = ENTRIES.map(({ code }) => code);
  assert.deepEqual(listed, [...new Set(listed)]);
  assert.deepEqual([...listed].sort(), [...codesInSource()].sort());
});

for (const { code, text, examples } of ENTRIES) {
  if (code === "trust-unreadable") continue;
  for (const example of examples) {
    test(`the ${example.language} example for ${code} in docs/errors.md leads to it`, () => {
      const isDatacenter = example.language === "yaml";
      const found = isDatacenter ? diagnosticsOfDatacenter(example.text) : diagnosticsOf(example.text);
      const diagnostic = found.find((one) => one.code === code);
      const codes = found.map((one) => one.code).join(", ");
      assert(diagnostic !== undefined, `it leads to ${codes || "nothing"}`);
      const severity = /^(Warning|Notice)\b/.exec(text)?.[1]?.toLowerCase() ?? "error";
      assert.equal(diagnostic.severity, severity);
    });
  }
}
