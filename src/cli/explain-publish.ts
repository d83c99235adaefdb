// `sallyport explain publish`: what a publication becomes at each edge, and what it would be by hand.

import { suggestWord } from "../diagnostic/nearest-word.ts";
import { formatPlace } from "../diagnostic/span.ts";
import { explainPublication, type PublicationExplanation } from "../network/explain/publication.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { colour, type Terminal } from "./terminal.ts";

/** Words in either order: `FILE [ADDRESS:PORT or MACHINE]`; without the second all are told. */
export async function explainPublish(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [{ name: "json", takesValue: false }]);
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "explain", message, help);
  if (reading.kind !== "read")
    return reading.kind === "wrong"
      ? complain(reading.message, reading.help)
      : complain("explain publish what?");
  const { words } = reading.line;
  const file = words.find(isDatacenterFile);
  const [wanted, more] = words.filter((word) => word !== file);
  if (file === undefined)
    return complain("which file?", "sallyport explain publish datacenter.yaml 203.0.113.10:8001");
  if (more !== undefined) return complain(`one publication at a time: what is ${more}?`);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const { resolved } = usable;
  const all = resolved.publications.map((one) => explainPublication(resolved, one));
  const told = all.filter(({ at, machine }) => wanted === undefined || at === wanted || machine === wanted);
  if (told.length === 0) {
    if (wanted === undefined) return complain(`${file} publishes nothing`, "Say what under `publish:`.");
    const known = all.flatMap(({ at, machine }) => [at, machine]);
    return complain(`nothing is published as ${wanted}`, suggestWord(wanted, known));
  }
  if (reading.line.has("json")) terminal.write(`${JSON.stringify(told, null, 2)}\n`);
  else terminal.write(told.map((one) => publicationText(one, terminal)).join("\n"));
  return 0;
}

function publicationText(
  { machine, protocol, at, span, edges }: PublicationExplanation,
  terminal: Terminal,
): string {
  const paint = (role: "title" | "faint" | "place", text: string) => colour(terminal.isColour, role, text);
  const lines = [
    `${paint("title", `${machine} is published as ${protocol} ${at}`)}  ${paint("place", `[${formatPlace(span)}]`)}`,
  ];
  for (const part of edges) {
    lines.push("", `${paint("title", part.edge)} ${paint("faint", `(${part.kind})`)}`);
    if (part.translation !== null) lines.push(`  ${part.translation}`);
    lines.push(`  ${part.opening}`);
    lines.push(paint("faint", "  by hand it would be:"), ...part.lines.map((line) => `    ${line}`));
  }
  return `${lines.join("\n")}\n`;
}
