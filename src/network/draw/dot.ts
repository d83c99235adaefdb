// A drawing as text for Graphviz (https://graphviz.org/doc/info/lang.html), which finds places of its own.
import type { Drawing, DrawnNode } from "./drawing.ts";
import { colourOf } from "./palette.ts";

const SHAPES: Readonly<Record<DrawnNode["kind"], string>> = {
  fabric: "box3d",
  host: "box",
  switch: "box",
  network: "cds",
  external: "ellipse",
  edge: "octagon",
  fence: "box",
  machine: "component",
  more: "plaintext",
};

export function dotText(drawing: Drawing): string {
  const fences = drawing.nodes.filter(({ kind }) => kind === "fence");
  const outside = drawing.nodes.filter(({ inside, kind }) => inside === null && kind !== "fence");
  const lines = [
    `graph ${quote(drawing.name)} {`,
    "  rankdir=TB; compound=true;",
    '  node [fontname="sans-serif", fontsize=11]; edge [fontname="sans-serif", fontsize=9];',
    ...outside.map((node) => `  ${nodeText(node, drawing)}`),
    ...fences.flatMap((fence, index) => clusterLines(fence, index, drawing)),
    ...drawing.cables.map(({ from, to, vlan }) => {
      const colour = colourOf(vlan, drawing.vlans);
      return `  ${quote(from)} -- ${quote(to)}${colour === null ? "" : ` [color=${quote(colour)}]`};`;
    }),
    ...attachments(drawing),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function clusterLines(fence: DrawnNode, index: number, drawing: Drawing): string[] {
  const inside = drawing.nodes.filter((node) => node.inside === fence.id);
  return [
    `  subgraph cluster_${index} {`,
    `    label=${quote(textOf(fence))}; style=dashed;`,
    `    ${nodeText(fence, drawing)}`,
    ...inside.map((node) => `    ${nodeText(node, drawing)}`),
    ...inside.map(({ id }) => `    ${quote(fence.id)} -- ${quote(id)};`),
    "  }",
  ];
}

/** In the drawing machines and fences stand under their network; here it takes a line. */
function attachments({ nodes }: Drawing): string[] {
  let network: DrawnNode | null = null;
  const lines: string[] = [];
  for (const node of nodes) {
    if (node.kind === "network" || node.kind === "external") network = node;
    const isBelow = node.kind === "fence" || (node.kind === "machine" && node.inside === null);
    if (isBelow && network !== null) lines.push(`  ${quote(network.id)} -- ${quote(node.id)};`);
  }
  return lines;
}

function nodeText(node: DrawnNode, { vlans }: Drawing): string {
  const colour = colourOf(node.vlan, vlans);
  const attributes = [`label=${quote(textOf(node))}`, `shape=${SHAPES[node.kind]}`];
  if (colour !== null) attributes.push("style=filled", `fillcolor=${quote(colour)}`, 'fontcolor="#ffffff"');
  return `${quote(node.id)} [${attributes.join(", ")}];`;
}

function textOf({ lines }: DrawnNode): string {
  return lines.map(({ text }) => text).join("\n");
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
