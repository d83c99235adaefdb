// `sallyport draw`: the topology of a datacentre file as a picture.
import { writeFileSync } from "node:fs";
import { dotText } from "../network/draw/dot.ts";
import { drawTopology } from "../network/draw/drawing.ts";
import { svgText } from "../network/draw/svg.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport draw FILE [options]

Draws the datacentre that FILE describes: networks, hosts, switches, edges, fences and machines, from the uplinks down,
each VLAN in its colour. The picture goes to standard output, as SVG that needs nothing else.

Options:
  --into OUT  write to this file instead; the ending says the form: .svg, or .dot for Graphviz
  --dot       the text of Graphviz
  -h, --help  show this

Examples:
  sallyport draw datacenter.yaml --into topology.svg
  sallyport draw datacenter.yaml --dot | dot -Tpdf > topology.pdf

Exit codes: 0 drawn, 1 not, with the reason.
`;

export async function draw(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [
    { name: "into", takesValue: true },
    { name: "dot", takesValue: false },
  ]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "draw", reading.message, reading.help);
  const [file, ...rest] = reading.line.words;
  if (file === undefined) return complainOfUsage(terminal, "draw", "which file?");
  if (rest.length > 0) return complainOfUsage(terminal, "draw", `one file at a time: what is ${rest[0]}?`);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const into = reading.line.valueOf("into");
  const drawing = drawTopology(usable.resolved);
  const isDot = reading.line.has("dot") || into?.endsWith(".dot") === true;
  const text = isDot ? dotText(drawing) : svgText(drawing);
  if (into === null) {
    terminal.write(text);
    return 0;
  }
  try {
    writeFileSync(into, text);
  } catch (error) {
    return complainOfUsage(terminal, "draw", `cannot write ${into}: ${(error as Error).message}`);
  }
  return 0;
}
