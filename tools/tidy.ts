// `npm run tidy`: whether the tree is still the architecture. One line for each finding, `file:line message`;
// exit 1 when one of them is an error. The checks are in tools/tidy/, one idea each.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checkDeadFiles } from "./tidy/dead-files.ts";
import type { Finding, Tree } from "./tidy/finding.ts";
import { checkFloors } from "./tidy/floors.ts";
import { checkLinks } from "./tidy/links.ts";
import { checkSizes } from "./tidy/sizes.ts";
import { checkWords } from "./tidy/words.ts";

const PATTERNS: readonly string[] = [
  "*.md",
  "{docs,examples}/**/*.md",
  "{src,tools,test,sim,bench,dashboard}/**/*.{ts,md}",
];

/** All findings about a tree, in the order of its files. */
export function tidy(tree: Tree, exists: (path: string) => boolean): Finding[] {
  const findings = [
    ...checkFloors(tree),
    ...checkDeadFiles(tree),
    ...checkSizes(tree),
    ...checkWords(tree),
    ...checkLinks(tree, exists),
  ];
  return findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

export function formatFinding({ file, line, severity, message }: Finding): string {
  return `${file}:${line} ${severity === "note" ? "note: " : ""}${message}`;
}

function readTree(root: string): Tree {
  const files = globSync([...PATTERNS], { cwd: root, exclude: (name) => name === "node_modules" }).map(
    (file) => file.replaceAll("\\", "/"),
  );
  return new Map(files.sort().map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const findings = tidy(readTree(root), (path) => existsSync(join(root, path)));
  for (const finding of findings) console.log(formatFinding(finding));
  const errors = findings.filter(({ severity }) => severity === "error").length;
  console.log(errors === 0 ? "tidy" : `${errors} to tidy up`);
  process.exitCode = errors === 0 ? 0 : 1;
}
