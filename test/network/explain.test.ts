// What `sallyport explain` says of the examples, held in goldens: the command's words, a line of dashes, and what it
// prints. A network engineer reads them and has to agree with each line. UPDATE_GOLDEN=1 writes them anew.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain } from "../../src/cli/explain.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

const GOLDENS = fileURLToPath(new URL("explain/", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const SEPARATOR = "----\n";

async function outputOf(words: readonly string[]): Promise<string> {
  let output = "";
  const write = (text: string) => {
    output += text;
  };
  const terminal: Terminal = {
    write,
    error: write,
    isColour: false,
    isErrorColour: false,
    columns: 80,
    isInteractive: false,
    askSecret: async () => null,
  };
  const args = words.map((word) => (/\.(yaml|cfg)$/.test(word) ? join(EXAMPLES, word) : word));
  const code = await explain(args, terminal);
  return `${output.replaceAll(EXAMPLES, "")}exit ${code}\n`;
}

for (const name of readdirSync(GOLDENS).sort()) {
  test(`explain/${name} is told as the golden has it`, async () => {
    const golden = readFileSync(join(GOLDENS, name), "utf8");
    const question = golden.slice(0, golden.indexOf(SEPARATOR));
    const lines = question.split("\n").filter((line) => line.startsWith("explain "));
    let output = "";
    for (const line of lines) {
      const told = await outputOf(line.split(" ").slice(1));
      output += lines.length > 1 ? `$ ${line}\n${told}\n` : told;
    }
    const wanted = `${question}${SEPARATOR}${output}`;
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(join(GOLDENS, name), wanted);
    else assert.equal(golden, wanted);
  });
}
