// What `sallyport explain` says of the examples, held in goldens: the command's words, a line of dashes, and
// what it prints. A network engineer reads them and has to agree with each line. UPDATE_GOLDEN=1 writes them
// anew.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain } from "../../src/cli/explain.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { findCommand, requires } from "../requirements.ts";

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
  const code = await explain(words, terminal);
  return `${output}exit ${code}\n`;
}

// As a user names files: a long path would move what stands beside it.
process.chdir(EXAMPLES);

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

test("the frames of a trace are a capture file that tshark reads, each port an interface", {
  skip: requires("tshark"),
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-pcap-"));
  try {
    const file = join(folder, "way.pcapng");
    await outputOf([
      "company/datacenter.yaml",
      "internet",
      "to",
      "203.0.113.10:8001",
      "--back",
      "--pcap",
      file,
    ]);
    const fields = ["frame.interface_name", "vlan.id", "ip.src", "ip.dst", "tcp.dstport", "_ws.malformed"];
    const words = fields.flatMap((field) => ["-e", field]);
    const run = spawnSync(
      findCommand("tshark")!,
      ["-r", file, "-T", "fields", "-E", "separator=;", ...words],
      {
        encoding: "utf8",
      },
    );
    assert.equal(run.status, 0, run.stderr);
    const rows = run.stdout.trim().split("\n");
    assert.ok(rows.includes("web-host:eth0;5;198.51.100.7;203.0.113.10;8001;"), run.stdout);
    assert.ok(rows.some((row) => /^shop\.test-a\/web:eth0;;198\.51\.100\.7;192\.168\.10\.41;80;$/.test(row)));
    assert.ok(
      rows.every((row) => row.endsWith(";")),
      "no frame is malformed",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
