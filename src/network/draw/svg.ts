// A drawing as SVG that needs nothing else: no fonts, no style sheets, no scripts; light and dark by the
// reader's preference.
import { LINE_HEIGHT, MARK_WIDTH, PADDING, textWidth } from "./boxes.ts";
import type { Drawing, DrawnCable, DrawnNode } from "./drawing.ts";
import { vlanWords } from "./logical-layout.ts";
import { colourOf } from "./palette.ts";

const LEGEND_HEIGHT = 28;

const STYLE = `
  svg { --ink: #1c2430; --faint: #5b6777; --paper: #ffffff; --box: #f4f6f9; --rule: #b9c2ce; --fence: #fff8e6; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e8edf4; --faint: #a3afbf; --paper: #12171f; --box: #1d2530; --rule: #4a5666; --fence: #2b2615; }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
  .name { font-weight: 600; }
  .faint { fill: var(--faint); }
  .on-colour { fill: #ffffff; font-weight: 600; }
  rect { fill: var(--box); stroke: var(--rule); }
  .paper { fill: var(--paper); stroke: none; }
  .edge { stroke: var(--ink); stroke-width: 1.5; }
  .fence { fill: var(--fence); stroke-dasharray: 6 4; }
  .external { fill: none; stroke: var(--faint); stroke-dasharray: 2 3; }
  .more { fill: none; stroke: none; }
  path { fill: none; stroke: var(--faint); stroke-width: 1.5; }
`;

export function svgText(drawing: Drawing): string {
  const { width, nodes, cables, vlans, name } = drawing;
  const legend = vlans.length === 0 ? "" : legendOf(drawing);
  const height = drawing.height + (legend === "" ? 0 : LEGEND_HEIGHT);
  // Fences lie under what is in them.
  const ordered = [...nodes].sort((a, b) => Number(b.kind === "fence") - Number(a.kind === "fence"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(`Topology of ${name}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...cables.map((cable) => cableOf(cable, vlans)),
    ...ordered.map((node) => nodeOf(node, vlans)),
    legend,
    "</svg>",
    "",
  ]
    .filter((part, index, all) => part !== "" || index === all.length - 1)
    .join("\n");
}

function nodeOf(node: DrawnNode, vlans: readonly number[]): string {
  const { x, y, width, height, kind, lines, title, vlan } = node;
  const colour = colourOf(vlan, vlans);
  const fill = colour === null ? "" : ` style="fill: ${colour}; stroke: ${colour}"`;
  const radius = kind === "network" || kind === "external" ? 13 : 6;
  const texts = lines.map((line, index) => {
    const mark = colourOf(line.vlan, vlans);
    const baseline = round(y + PADDING + 9 + index * LINE_HEIGHT);
    const left = round(x + PADDING);
    const dot = mark === null ? "" : `<circle cx="${left + 4}" cy="${baseline - 4}" r="4" fill="${mark}"/>`;
    const style = colour !== null ? "on-colour" : index === 0 ? "name" : "faint";
    const start = mark === null ? left : left + MARK_WIDTH;
    return `${dot}<text class="${style}" x="${start}" y="${baseline}">${escapeXml(line.text)}</text>`;
  });
  const box = `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}"${fill}/>`;
  return `<g><title>${escapeXml(title)}</title>${box}${texts.join("")}</g>`;
}

/** A curve that leaves and arrives vertically. */
function cableOf({ points, vlan }: DrawnCable, vlans: readonly number[]): string {
  const [[x1, y1], [x2, y2]] = [points[0]!, points[points.length - 1]!];
  const middle = round((y1 + y2) / 2);
  const colour = colourOf(vlan, vlans);
  const style = colour === null ? "" : ` style="stroke: ${colour}"`;
  return `<path d="M${round(x1)} ${round(y1)}C${round(x1)} ${middle} ${round(x2)} ${middle} ${round(x2)} ${round(y2)}"${style}/>`;
}

function legendOf({ vlans, height }: Drawing): string {
  let x = 24;
  const parts = vlans.map((vlan) => {
    const text = vlanWords(vlan);
    const part = `<circle cx="${round(x + 5)}" cy="${height + 8}" r="5" fill="${colourOf(vlan, vlans)}"/><text class="faint" x="${round(x + 15)}" y="${height + 12}">${text}</text>`;
    x += 15 + textWidth(text) + 18;
    return part;
  });
  return `<g>${parts.join("")}</g>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
