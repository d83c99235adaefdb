// `npm test`: makes sure of the programs that tests compare us with, says which tests must be skipped without
// them, and runs all tests under Node's own test runner, whose summary comes last and whose exit code is
// ours.
//
//   npm test                                    everything
//   npm test -- certificates src/base           files whose path contains one of the words
//   npm test -- --test-name-pattern=cookie      options go to `node --test`
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installCommands, missingCommands, reasonNotToInstall } from "./debian-packages.ts";
import { filesThatMiss, findTestFiles } from "./test-files.ts";

/** Far above what any test takes: it ends a hung one, it measures nothing. */
const TEST_TIMEOUT_MS = 120_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const options = process.argv.slice(2).filter((word) => word.startsWith("-"));
const filters = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const files = findTestFiles(root, filters);

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(" ") || "src, tools, test, sim, bench"}`);
  process.exit(1);
}
prepareMachine();
process.exitCode = await runTests();

function prepareMachine(): void {
  const needed = filesThatMiss(root, files, missingCommands());
  if (needed.size === 0) return;
  let reason = reasonNotToInstall();
  if (reason === null) {
    console.log(`installing ${[...needed.keys()].join(", ")} …`);
    reason = installCommands([...needed.keys()]);
  }
  const skipped = filesThatMiss(root, files, missingCommands());
  if (skipped.size > 0 && reason !== null) console.log(`some tests will be skipped; ${reason}`);
  for (const [command, names] of skipped) console.log(`  without ${command}: ${names.join(" ")}`);
}

function runTests(): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      "--experimental-ffi",
      "--disable-warning=ExperimentalWarning",
      "--test",
      `--test-concurrency=${availableParallelism()}`,
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...options,
      ...files,
    ],
    { cwd: root, stdio: "inherit" },
  );
  // Ctrl-C reaches the child by itself, being in the same process group; a plain kill does not.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`cannot start ${process.execPath}: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}
