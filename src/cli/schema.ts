// `sallyport schema`: what editors need to complete and check a datacenter.yaml while it is typed.
import { datacenterSchema } from "../language/datacenter/schema.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport schema

Writes the JSON Schema of datacenter.yaml to standard output. Editors complete and explain keys by it:

  sallyport schema > .datacenter.schema.json
  and as the first line of datacenter.yaml:
  # yaml-language-server: $schema=.datacenter.schema.json

Options:
  -h, --help  show this

Exit codes: 0 written, 1 not, with the reason.
`;

export async function schema(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, []);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "schema", reading.message, reading.help);
  const [word] = reading.line.words;
  if (word !== undefined) return complainOfUsage(terminal, "schema", `it takes no words: what is ${word}?`);
  terminal.write(`${JSON.stringify(datacenterSchema(), null, 2)}\n`);
  return 0;
}
