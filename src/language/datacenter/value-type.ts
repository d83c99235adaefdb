// How a value of the file is read, said once: a ValueType reads a node, describes itself for the JSON Schema
// and for the reference. Tables of keys are made of them (`keys.ts`), so that reader, schema and documents
// cannot differ.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Located } from "../../model/datacenter.ts";
import type { EntryInfo } from "./keys.ts";
import type { Reading } from "./reading.ts";
import { type ScalarNode, spanInside, type TreeNode } from "./tree-node.ts";

export type JsonSchema = { readonly [keyword: string]: unknown };

export interface ValueType<T> {
  /** What it is in words: "an address", "a list of ports". */
  readonly words: string;
  readonly schema: JsonSchema;
  /** Kinds of entries inside, each with the steps to it: ".NAME" or "[]". */
  readonly nested?: readonly Nested[];
  /** Undefined when it is none; then the reason was reported. */
  read(node: TreeNode, reading: Reading): T | undefined;
}

export interface Nested {
  readonly steps: string;
  readonly entry: EntryInfo;
}

/** What a parser of a scalar says: the value, or what is wrong with it. */
export type Parsed<T> = { readonly value: T } | Complaint;

export interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
  /** Characters of the text that are meant; all when not said. */
  readonly from?: number;
  readonly to?: number;
}

export function complaint(code: string, message: string, help: string | null = null): Complaint {
  return { code, message, help };
}

/** What stands for any value in the schema: a text with variables. */
const VARIABLE: JsonSchema = { $ref: "#/$defs/variable" };

/** A value written as one word or text. */
export function scalar<T>(
  words: string,
  schema: JsonSchema,
  parse: (text: string, node: ScalarNode) => Parsed<T>,
): ValueType<Located<T>> {
  const isAnyText = schema["type"] === "string" && schema["pattern"] === undefined;
  return {
    words,
    schema: isAnyText ? schema : { anyOf: [schema, VARIABLE] },
    read(node, reading) {
      const text = scalarText(node, words, reading);
      if (text === null || node.kind !== "scalar") return undefined;
      const parsed = parse(text, node);
      if ("value" in parsed) return { value: parsed.value, span: node.span };
      const { from, to = text.length } = parsed;
      const isPart = from !== undefined && text === node.text;
      const span = isPart ? spanInside(node, from, to) : node.span;
      reading.error(parsed.code, span, parsed.message, { help: parsed.help });
      return undefined;
    },
  };
}

/** The text of a scalar with its variables put in; null when it is none, after a report. */
export function scalarText(node: TreeNode, words: string, reading: Reading): string | null {
  if (node.kind !== "scalar") {
    reading.error("wrong-kind", node.span, `${words} is expected here, not a ${node.kind}`);
    return null;
  }
  const text = node.isEmpty ? "" : reading.textOf(node);
  if (text !== "") return text;
  reading.error("missing-value", node.span, `the value is missing: ${words}`);
  return null;
}

/** One of several words. */
export function word<const W extends string>(
  words: string,
  choices: readonly W[],
  /** What people write instead, and what to say then. */
  mixUps: Readonly<Record<string, string | Complaint>> = {},
): ValueType<Located<W>> {
  return scalar(words, { enum: choices }, (text) => {
    const choice = choices.find((one) => one === text);
    if (choice !== undefined) return { value: choice };
    const mixUp = Object.hasOwn(mixUps, text.toLowerCase()) ? mixUps[text.toLowerCase()]! : null;
    if (mixUp !== null && typeof mixUp !== "string") return mixUp;
    const help = mixUp ?? suggestWord(text, choices) ?? `It is one of ${choices.join(", ")}.`;
    return complaint("unknown-word", `\`${text}\` is not ${words}`, help);
  });
}

/** One value or a list of them. */
export function oneOrMore<T>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    words: `${item.words}, or a list`,
    schema: { anyOf: [item.schema, { type: "array", items: item.schema }] },
    ...nestedIn("[]", item),
    read(node, reading) {
      if (node.kind === "list") return node.items.flatMap((each) => item.read(each, reading) ?? []);
      const one = item.read(node, reading);
      return one === undefined ? undefined : [one];
    },
  };
}

/** A list of entries. */
export function listOf<T>(words: string, item: ValueType<T>): ValueType<readonly T[]> {
  return {
    words,
    schema: { type: ["array", "null"], items: item.schema },
    ...nestedIn("[]", item),
    read(node, reading) {
      if (isEmptyScalar(node)) return [];
      if (node.kind === "list") return node.items.flatMap((each) => item.read(each, reading) ?? []);
      reading.error("wrong-kind", node.span, `a list is expected here: ${words}`, {
        help: "Begin each entry with a dash, or write [a, b].",
      });
      return undefined;
    },
  };
}

/** A name and its value, as `mapOf` gives them. */
export interface NamedValue<T> {
  readonly name: Located<string>;
  readonly value: T;
}

/** Entries with names of their own: `name: …`. */
export function mapOf<T>(
  words: string,
  item: ValueType<T>,
  faultOf: (name: string) => string | null = nameFault,
): ValueType<readonly NamedValue<T>[]> {
  return {
    words,
    schema: { type: ["object", "null"], additionalProperties: item.schema },
    ...nestedIn(".NAME", item),
    read(node, reading) {
      if (isEmptyScalar(node)) return [];
      if (node.kind !== "map") {
        reading.error("wrong-kind", node.span, `${words} are expected here, as \`name: …\``);
        return undefined;
      }
      return node.entries.flatMap(({ key, value }) => {
        const fault = faultOf(key.text);
        if (fault !== null) reading.error("bad-name", key.span, fault);
        const read = item.read(value, reading);
        return read === undefined ? [] : { name: { value: key.text, span: key.span }, value: read };
      });
    },
  };
}

export function isEmptyScalar(node: TreeNode): boolean {
  return node.kind === "scalar" && node.isEmpty;
}

function nestedIn(step: string, item: ValueType<unknown>): { nested?: readonly Nested[] } {
  if (item.nested === undefined) return {};
  return { nested: item.nested.map(({ steps, entry }) => ({ steps: step + steps, entry })) };
}

const RESERVED = ["any", "none", "default"];
/** Most names: an expression with all the letters of Unicode costs a short command some milliseconds. */
const PLAIN_NAME = /^[\w-]*$/;

/** Null for a good name: references are made of names, dots and slashes, so names have none. */
export function nameFault(name: string): string | null {
  if (name === "") return "a name is missing";
  const wrong = PLAIN_NAME.test(name) ? null : /[^\p{L}\p{M}\p{N}_-]/u.exec(name);
  if (wrong !== null)
    return `the name \`${name}\` has '${wrong[0]}' in it: letters, digits, - and _ are free`;
  if (name.length > 63) return `the name \`${name.slice(0, 20)}…\` is longer than 63 characters`;
  if (name.startsWith("-")) return `the name \`${name}\` begins with -, as options of commands do`;
  return RESERVED.includes(name) ? `\`${name}\` is a word of the language, not a name` : null;
}

/** Names of interfaces and VLAN devices also have dots; those of ports of physical switches slashes. */
export function deviceNameFault(name: string): string | null {
  if (name === "") return "a name is missing";
  return /\s/.test(name) ? `the name \`${name}\` has a blank in it` : null;
}

/** The kernel's own rule (dev_valid_name): at most 15 bytes, no slash, no colon, no blank. */
export function interfaceNameFault(name: string): string | null {
  const wrong = /[\s/:]/.exec(name);
  if (wrong !== null)
    return `the interface name \`${name}\` has '${wrong[0]}' in it, which Linux does not take`;
  return name.length > 15
    ? `the interface name \`${name}\` is longer than 15 characters, Linux's limit`
    : null;
}
