// What the YAML parser found wrong, in words for who writes such files rarely.
import type { YAMLError } from "yaml";
import type { LineMap } from "./line-map.ts";
import type { Reading } from "./reading.ts";

interface Words {
  readonly message: string;
  readonly help: string | null;
}

const WORDS: Readonly<Partial<Record<string, Words>>> = {
  TAB_AS_INDENT: {
    message: "a tab indents this line; YAML takes blanks only",
    help: "Replace the tab by blanks; two for each level are usual.",
  },
  BAD_INDENT: {
    message: "this line is indented differently from those that it belongs to",
    help: "Entries of one level begin in one column.",
  },
  MULTILINE_IMPLICIT_KEY: {
    message: "a colon is missing, or this line is indented too little",
    help: "An entry is `key: value`; what belongs to it is indented further.",
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: "there are two entries on one line",
    help: "Begin a new line, or put the second into braces: {key: value}.",
  },
  BAD_SCALAR_START: {
    message: "a value cannot begin with this character",
    help: 'Put the value into quotes: "…".',
  },
  BAD_DQ_ESCAPE: {
    message: "there is no such escape in double quotes",
    help: "A backslash itself is written \\\\, or use single quotes.",
  },
  BAD_ALIAS: {
    message: "there is no anchor of this name above",
    help: "An anchor is `&name` before its value.",
  },
  MULTIPLE_ANCHORS: { message: "a value has one anchor only", help: null },
  MULTIPLE_DOCS: {
    message: "a second document begins here; a datacentre is one",
    help: "Remove the line `---`, or make it a file of its own and `include` it.",
  },
  MISSING_CHAR: { message: "a closing bracket, brace or quote is missing", help: null },
  UNEXPECTED_TOKEN: {
    message: "this does not belong here",
    help: "Is a comma, bracket or quote missing before it?",
  },
  KEY_OVER_1024_CHARS: { message: "a key is longer than 1024 characters", help: "Is a quote missing?" },
};

export function reportYamlFaults(faults: readonly YAMLError[], lines: LineMap, reading: Reading): void {
  // One slip makes the parser stumble on in its line; the first tells what it was.
  const linesSeen = new Set<number>();
  for (const { code, pos, message } of faults) {
    const span = lines.spanOf(pos[0], Math.max(pos[0] + 1, pos[1]));
    if (linesSeen.has(span.line)) continue;
    linesSeen.add(span.line);
    const words = WORDS[code] ?? { message: lowerFirst(message), help: null };
    reading.error("yaml-syntax", span, words.message, { help: words.help });
  }
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, "")}`;
}
