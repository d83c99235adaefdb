// Files that nothing leads to. Entries are the command line, tests, and everything outside src/. Besides
// imports, a path in a string counts (`entryFile("server/worker-main.ts")`), for that is how processes are
// started and how modules are loaded late.
import { posix } from "node:path";
import { errorAt, type Finding, isFixture, isTest, isTypeScript, noteAt, type Tree } from "./finding.ts";
import { takeApart } from "./source.ts";

const MAIN = "src/cli/main.ts";

export function checkDeadFiles(tree: Tree): Finding[] {
  const files = [...tree.keys()].filter(isTypeScript);
  const inProgram = reach(tree, [MAIN, ...files.filter((file) => !file.startsWith("src/") && !isTest(file))]);
  const inTests = reach(tree, files.filter(isTest));
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.startsWith("src/") || isTest(file) || inProgram.has(file)) continue;
    if (!inTests.has(file)) findings.push(errorAt(file, 1, "nothing imports this file"));
    // Until the command line is there, everything but its tests is out of reach.
    else if (tree.has(MAIN) && !isFixture(file))
      findings.push(noteAt(file, 1, "only tests import this file"));
  }
  return findings;
}

function reach(tree: Tree, entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const left = [...entries];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    const text = tree.get(file);
    if (text === undefined || reached.has(file)) continue;
    reached.add(file);
    for (const { text: path } of takeApart(text).strings) {
      if (/^\.\.?\/.*\.ts$/.test(path)) left.push(posix.join(posix.dirname(file), path));
      else if (/^\w[\w/-]*\.ts$/.test(path)) left.push(posix.join("src", path));
    }
  }
  return reached;
}
