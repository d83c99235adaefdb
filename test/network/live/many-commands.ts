// For tests where a process is dear to start: runs each line of its input as a command line of Sallyport, one
// after the other in one process. Its exit code is said behind each, and the next follows.
import process from "node:process";
import { createInterface } from "node:readline";
import { runCommandLine } from "../../../src/cli/main.ts";
import { processTerminal } from "../../../src/cli/terminal.ts";

for await (const line of createInterface({ input: process.stdin })) {
  const words = line.split(" ").filter((word) => word !== "");
  if (words.length === 0) continue;
  console.log(`$ ${line}`);
  console.log(`exit code ${await runCommandLine(words, processTerminal())}`);
}
process.exit();
