// What the YAML parser found wrong, in words for who writes such files rarely, and at the place where the
// slip was made rather than where the parser noticed it.
import type { YAMLError } from "yaml";
import { openAt } from "./brackets.ts";
import type { LineMap } from "./line-map.ts";
import type { Reading } from "./reading.ts";

interface Words {
  /** Of the parser's own message; all with that code when not said. */
  readonly when?: RegExp;
  readonly message: string;
  readonly help: string | null;
}

const MISSING_BLANK: Words = {
  message: "a blank is missing here",
  help: "An entry is `key: value`, a comment begins with ` #`.",
};

const WORDS: Readonly<Record<string, readonly Words[]>> = {
  TAB_AS_INDENT: [
    {
      message: "a tab indents this line; YAML takes blanks only",
      help: "Replace the tab by blanks; two for each level are usual.",
    },
  ],
  BAD_INDENT: [
    {
      when: /^Block scalar/,
      message: "a line of this text is indented too little",
      help: "All lines of a text behind | or > are indented further than its key.",
    },
    {
      message: "this line is indented differently from those that it belongs to",
      help: "Entries of one level begin in one column.",
    },
  ],
  MULTILINE_IMPLICIT_KEY: [
    {
      message: "a colon is missing, or the next line is indented too far",
      help: "An entry is `key: value`; what belongs to it is indented further.",
    },
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    {
      message: "there are two entries on one line",
      help: "Begin a new line, or put the second into braces: {key: value}.",
    },
  ],
  BLOCK_IN_FLOW: [
    {
      message: "this cannot stand between brackets or braces",
      help: "Is a comma missing? Entries are separated by commas: {a: 1, b: 2}.",
    },
  ],
  IMPOSSIBLE: [{ message: "this cannot be read here", help: "Is a bracket or quote missing before it?" }],
  BAD_SCALAR_START: [
    { message: "a value cannot begin with this character", help: 'Put the value into quotes: "…".' },
  ],
  BAD_DQ_ESCAPE: [
    {
      message: "there is no such escape in double quotes",
      help: "A backslash itself is written \\\\, or use single quotes.",
    },
  ],
  BAD_ALIAS: [
    {
      message: "this alias or anchor has no proper name",
      help: "An anchor is `&name` before its value, an alias `*name`.",
    },
  ],
  ALIAS_PROPS: [{ message: "an alias has no anchor or tag of its own", help: null }],
  MULTIPLE_ANCHORS: [{ message: "a value has one anchor only", help: null }],
  BAD_PROP_ORDER: [
    { message: "an anchor stands before its value, not before a dash or key mark", help: null },
  ],
  MULTIPLE_DOCS: [
    {
      message: "a second document begins here; a datacentre is one",
      help: "Remove the line `---`, or make it a file of its own and `include` it.",
    },
  ],
  MISSING_CHAR: [
    {
      when: /^Missing , /,
      message: "a comma is missing before this",
      help: "Entries between brackets or braces are separated by commas.",
    },
    { when: /white space|Missing space/, ...MISSING_BLANK },
    {
      when: /^Sequence item/,
      message: "a dash is missing before this",
      help: "Each entry of this list begins with `- `.",
    },
    {
      when: /^Implicit map keys/,
      message: "a colon is missing behind this",
      help: "An entry is `key: value`; what belongs to it is indented further.",
    },
  ],
  UNEXPECTED_TOKEN: [
    { when: /^Unexpected empty item|^Unexpected ,/, message: "there is a comma too many", help: null },
    { message: "this does not belong here", help: "Is a comma, bracket or quote missing before it?" },
  ],
  KEY_OVER_1024_CHARS: [{ message: "a key is longer than 1024 characters", help: "Is a quote missing?" }],
  TAG_RESOLVE_FAILED: [{ message: "tags (`!…`) mean nothing in this file", help: "Leave it out." }],
  RESOURCE_EXHAUSTION: [{ message: "the file is nested too deeply", help: null }],
};

const NEVER_CLOSED: Readonly<Record<string, string>> = {
  "[": "this bracket is never closed",
  "{": "this brace is never closed",
  '"': "this quote is never closed",
  "'": "this quote is never closed",
};
const CLOSING: Readonly<Record<string, string>> = { "[": "]", "{": "}", '"': '"', "'": "'" };

/** `isError`: else only odd, and read all the same. */
export function reportYamlFaults(
  faults: readonly YAMLError[],
  isError: boolean,
  lines: LineMap,
  reading: Reading,
): void {
  // One slip makes the parser stumble on in its line, and each bracket left open at every line below it.
  const placesSeen = new Set<string>();
  for (const fault of faults) {
    // A closing bracket below its opening line, no further indented: everybody writes it.
    if (!isError && fault.code === "BAD_INDENT") continue;
    const { start, end, message, help } = describe(fault, lines.text);
    const span = lines.spanOf(start, end);
    const place = String(span.line);
    if (placesSeen.has(place)) continue;
    placesSeen.add(place);
    if (isError) reading.error("yaml-syntax", span, message, { help });
    else reading.warning("yaml-syntax", span, message, { help });
  }
}

function describe({ code, pos, message }: YAMLError, text: string): Words & { start: number; end: number } {
  let [start, end] = pos;
  const isUnclosed =
    code === "BAD_INDENT" || code === "MISSING_CHAR"
      ? !/^Missing (,|space)|white space/.test(message)
      : false;
  const open = isUnclosed ? openAt(text, start) : null;
  if (open !== null) {
    const mark = text[open]!;
    const help = `Close it with ${CLOSING[mark]}.`;
    return { start: open, end: open + 1, message: NEVER_CLOSED[mark]!, help };
  }
  // At a line's begin, the word is meant and not the blanks before it.
  if (code === "BAD_INDENT") start += /^ */.exec(text.slice(start, start + 200))![0].length;
  end = Math.max(end, start + 1);
  const words = WORDS[code]?.find(({ when }) => when?.test(message) !== false);
  return { start, end, ...(words ?? { message: lowerFirst(message), help: null }) };
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, "")}`;
}
