// Finds the project's tests and what each needs from the machine. Pure apart from reading the tree.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PATTERNS: readonly string[] = ["src", "tools", "test", "sim", "bench", "dashboard/src"].map(
  (folder) => `${folder}/**/*.test.ts`,
);

/**
 * Test files below `root`, sorted. With `filters`, those whose path contains one of them; a filter may also
 * be the path of a file as the shell completes it ("./src/x.test.ts").
 */
export function findTestFiles(root: string, filters: readonly string[]): string[] {
  const files = globSync([...PATTERNS], { cwd: root }).map((file) => file.replaceAll("\\", "/"));
  const wanted = filters.map((filter) => filter.replace(/^\.\//, ""));
  return files.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part))).sort();
}

/** Commands named in `requires(…)` anywhere in a test's text. */
export function requiredCommands(text: string): string[] {
  const commands = new Set<string>();
  for (const call of text.matchAll(/\brequires\(([^)]*)\)/g)) {
    for (const word of call[1]!.matchAll(/"([^"]+)"/g)) commands.add(word[1]!);
  }
  return [...commands];
}

/** For each command in `missing` that tests need: the files in which tests will be skipped. */
export function filesThatMiss(
  root: string,
  files: readonly string[],
  missing: readonly string[],
): Map<string, string[]> {
  const skipped = new Map<string, string[]>();
  for (const file of files) {
    for (const command of requiredCommands(readFileSync(join(root, file), "utf8"))) {
      if (missing.includes(command)) skipped.set(command, [...(skipped.get(command) ?? []), file]);
    }
  }
  return skipped;
}
