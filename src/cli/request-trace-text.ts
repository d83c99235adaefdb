// An explained request on a terminal: phase by phase, each line with the place in the file that decided it.
import { formatPlace, type Span } from "../diagnostic/span.ts";
import type { RequestTrace, RequestTraceStep, TestTrace, TracedLine } from "../model/request-trace.ts";
import type { TraceLevel } from "../model/trace.ts";
import { colour, type TextRole } from "./terminal.ts";

export interface TextOptions {
  readonly level: TraceLevel;
  readonly isColour: boolean;
  /** In characters; texts are broken at blanks to keep to it. */
  readonly columns: number;
}

const LEVELS: Readonly<Record<TraceLevel, number>> = { brief: 0, normal: 1, full: 2 };
const GOOD: ReadonlySet<string> = new Set(["forwarded", "connected", "accepted", "answered"]);
const MARKS: Readonly<Record<RequestTraceStep["outcome"], readonly [mark: string, role: TextRole]>> = {
  matched: ["✓", "good"],
  "not-matched": ["·", "faint"],
  lacking: ["?", "warning"],
  failed: ["✗", "error"],
  noted: ["→", "notice"],
};
const CHANGES: Readonly<Record<TracedLine["change"], readonly [mark: string, role: TextRole | null]>> = {
  kept: [" ", null],
  added: ["+", "good"],
  changed: ["~", "warning"],
  removed: ["-", "error"],
};

/** Ends in a line feed. */
export function requestTraceText(trace: RequestTrace, options: TextOptions): string {
  const paint = (role: TextRole, text: string): string => colour(options.isColour, role, text);
  const lines: string[] = [];
  for (const { name, steps } of trace.phases) {
    const shown = steps.filter((step) => LEVELS[step.level] <= LEVELS[options.level]);
    if (shown.length === 0) continue;
    lines.push(paint("title", name));
    for (const step of shown) lines.push(...stepLines(step, options));
  }
  const role: TextRole = GOOD.has(trace.disposition) ? "good" : "error";
  lines.push("", `${paint(role, trace.disposition)}: ${trace.summary}`);
  return `${lines.join("\n")}\n`;
}

function stepLines(step: RequestTraceStep, options: TextOptions): string[] {
  const [mark, role] = MARKS[step.outcome];
  const first = colour(options.isColour, role, mark);
  const lines = withPlace(`  ${first} `, 4, step.text, step.span, options);
  if (options.level !== "brief")
    for (const test of step.tests) lines.push(...testLines(test, step.span, options));
  for (const effect of step.effects) lines.push(...wrapped("      ", effect, options));
  for (const [index, line] of step.lines.entries()) {
    if (line.change === "kept" && index > 0 && options.level === "brief") continue;
    lines.push(...headLine(line, options));
  }
  return lines;
}

function headLine(line: TracedLine, options: TextOptions): string[] {
  const [mark, role] = CHANGES[line.change];
  const text = role === null ? line.text : colour(options.isColour, role, line.text);
  const by = line.by === null ? "" : `${line.by}${line.span === null ? "" : ` ${formatPlace(line.span)}`}`;
  const shown = `      ${mark} ${text}`;
  if (by === "") return [shown];
  const width = 8 + line.text.length + 3 + by.length;
  const note = colour(options.isColour, "faint", by);
  return width <= options.columns ? [`${shown}   ${note}`] : [shown, `          ${note}`];
}

function testLines(test: TestTrace, ruleSpan: Span | null, options: TextOptions): string[] {
  const name = test.acl === "" ? "" : `${test.acl}: `;
  const place = test.span.line > 0 && test.span.line !== ruleSpan?.line ? test.span : null;
  return withPlace("      ", 6, `${name}${testText(test, options.level)}`, place, options);
}

/** `path is "/login": not beginning with /static /images`. */
function testText(test: TestTrace, level: TraceLevel): string {
  const { sample, values, method, pattern, matched } = test;
  if (values.length === 0) return `${sample}: there is none`;
  if (method === "bool") return `${sample} is ${values[0] === "1" ? "true" : "false"}`;
  const read = values.map((value) => (method === "int" ? value : JSON.stringify(value))).join(", ");
  if (method === "found") return `${sample} is ${read}`;
  const wanted = matched && pattern !== null && level !== "full" ? pattern : patternsText(test, level);
  const anyCase = test.ignoreCase ? " (any case)" : "";
  return `${sample} is ${read}: ${matched ? "" : "not "}${METHODS[method] ?? method} ${wanted}${anyCase}`;
}

function patternsText({ patterns }: TestTrace, level: TraceLevel): string {
  const limit = level === "full" ? Number.POSITIVE_INFINITY : 8;
  const shown = patterns.slice(0, limit).join(" ");
  return patterns.length > limit ? `${shown} … (${patterns.length} in all)` : shown;
}

const METHODS: Readonly<Record<string, string>> = {
  str: "equal to",
  sub: "containing",
  beg: "beginning with",
  end: "ending in",
  reg: "matching",
  dir: "with a folder",
  dom: "with a label",
  ip: "in",
  int: "in",
  len: "of length",
  bin: "equal to",
};

/** The place stands behind the text where there is room, else below it. */
function withPlace(
  prefix: string,
  indent: number,
  text: string,
  span: Span | null,
  options: TextOptions,
): string[] {
  const place = span === null ? "" : formatPlace(span);
  const lines = wrapText(text, options.columns - indent);
  const last = lines.at(-1) ?? "";
  const shown = lines.map((line, i) => (i === 0 ? prefix : " ".repeat(indent)) + line);
  if (place === "") return shown;
  const painted = colour(options.isColour, "place", place);
  if (indent + last.length + 3 + place.length <= options.columns) {
    shown[shown.length - 1] += `   ${painted}`;
    return shown;
  }
  return [...shown, " ".repeat(indent + 2) + painted];
}

function wrapped(indent: string, text: string, options: TextOptions): string[] {
  return wrapText(text, options.columns - indent.length).map((line) => indent + line);
}

/** Broken at blanks; a word longer than the width stays whole. */
function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === "" && lines.length === 0 ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
