// A trace as text: a tree of hops, each with what was done there and the line that decided. Three levels of
// detail.
import { formatPlace, type Span } from "../../diagnostic/span.ts";
import type { Trace, TraceHop, TraceLevel, TracePath, TraceStep } from "../../model/trace.ts";
import { formatFrame } from "../../wire/print.ts";

/** How pieces of the text are dressed; plain when it goes into a pipe. */
export type Paint = (role: "title" | "good" | "bad" | "place" | "faint", text: string) => string;

export interface TraceTextOptions {
  readonly level: TraceLevel;
  readonly paint: Paint;
}

const RANK: Readonly<Record<TraceLevel, number>> = { brief: 0, normal: 1, full: 2 };
const GOOD: ReadonlySet<string> = new Set(["delivered", "load-balanced", "answered-by-router"]);

export function traceText(trace: Trace, options: TraceTextOptions): string {
  const { paint, level } = options;
  const lines: string[] = [];
  if (trace.before.length > 0 && level !== "brief") {
    lines.push(paint("title", "Before"));
    for (const path of trace.before) lines.push(...conversationLines(path, options));
    lines.push("");
  }
  lines.push(paint("title", trace.back === null ? "The way" : "There"), ...pathLines(trace.there, options));
  if (trace.back !== null) lines.push("", paint("title", "Back"), ...pathLines(trace.back, options));
  return `${lines.join("\n")}\n`;
}

/** The same as data that JSON can hold: frames in hexadecimal. */
export function traceJson(trace: Trace): unknown {
  return JSON.parse(
    JSON.stringify(trace, (_key, value: unknown) => (value instanceof Uint8Array ? hexOf(value) : value)),
  );
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Its hops and its end. */
function pathLines(path: TracePath, options: TraceTextOptions): string[] {
  const { paint, level } = options;
  const shown = hopsToShow(path, level);
  const lines = shown.flatMap(({ hop, depth }) => hopLines(hop, depth, options));
  const isGood = GOOD.has(path.disposition);
  const mark = paint(isGood ? "good" : "bad", path.disposition);
  return [...lines, `${mark}: ${path.summary}${placeOf(path.span, options)}`];
}

/** In brief what was asked and answered is one line. */
function conversationLines(path: TracePath, options: TraceTextOptions): string[] {
  if (options.level === "full") return pathLines(path, options);
  const steps = path.hops.flatMap(({ steps: all }) => all.filter(({ level }) => level === "brief"));
  const [first] = steps;
  // Of an ARP question all but the asker and the answer goes without saying; of DHCP each message counts.
  const told = first?.kind === "dhcp" ? steps : steps.slice(0, 1);
  const text = [...told.map((step) => step.text), path.summary].join("; ");
  return [`  ${text}${placeOf(first?.span ?? path.span, options)}`];
}

/** The hops on the way to the end; what was flooded elsewhere only when all is wanted. */
function hopsToShow(
  path: TracePath,
  level: TraceLevel,
): { readonly hop: TraceHop; readonly depth: number }[] {
  if (level === "full") {
    const depths: number[] = [];
    return path.hops.map((hop) => {
      const depth = hop.parent === null ? 0 : depths[hop.parent]! + 1;
      depths.push(depth);
      return { hop, depth };
    });
  }
  const chain: TraceHop[] = [];
  for (let index: number | null = path.end; index !== null && index >= 0; index = path.hops[index]!.parent)
    chain.unshift(path.hops[index]!);
  return chain.map((hop) => ({ hop, depth: 0 }));
}

function hopLines(hop: TraceHop, depth: number, options: TraceTextOptions): string[] {
  const { paint, level } = options;
  const indent = "  ".repeat(depth);
  const steps = hop.steps.filter((step) => RANK[step.level] <= RANK[level] && !isEnd(step));
  if (level === "brief" && steps.length === 0) return [];
  const ports = [hop.ingress, ...hop.egress.filter((port, i, all) => all.indexOf(port) === i)].filter(
    (port) => port !== null,
  );
  const way = level === "brief" || ports.length === 0 ? "" : paint("faint", `  ${ports.join(" → ")}`);
  const lines = [`${indent}${paint("title", hop.node.name)} ${paint("faint", `(${hop.node.kind})`)}${way}`];
  for (const step of steps) lines.push(`${indent}  ${step.text}${placeOf(step.span, options)}`);
  if (level === "full") {
    for (const { port, direction, frame } of hop.captures)
      lines.push(
        `${indent}  ${paint("faint", `${direction === "in" ? "‹" : "›"} ${port}: ${formatFrame(frame)}`)}`,
      );
  }
  return lines;
}

/** What ended the way is said at the end. */
function isEnd({ kind }: TraceStep): boolean {
  return kind === "deliver" || kind === "drop";
}

function placeOf(span: Span | null, { paint }: TraceTextOptions): string {
  return span === null || span.line === 0 ? "" : paint("place", `  [${formatPlace(span)}]`);
}
