// Tables of keys: what an entry may say, and how each is read. From the same tables come the answer to an
// unknown key, the JSON Schema (`schema.ts`) and the reference (`reference-page.ts`).
import { nearestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Named } from "../../model/datacenter.ts";
import type { Reading } from "./reading.ts";
import type { MapNode, TreeNode, Word } from "./tree-node.ts";
import { type JsonSchema, mapOf, nameFault, type ValueType } from "./value-type.ts";

interface Notes {
  /** As it is written in the file. */
  readonly example?: string;
  /** What holds when the key is not there. */
  readonly default?: string;
  /** The first version of a switch that may have it. */
  readonly since?: string;
}

export interface Key<T> {
  readonly type: ValueType<T>;
  /** One sentence for the reference and for editors. */
  readonly doc: string;
  /** Its absence is an error. */
  readonly isRequired: boolean;
  /** Nothing can be made of an entry without it. */
  readonly isEssential: boolean;
  readonly notes: Notes;
}

interface EssentialKey<T> extends Key<T> {
  readonly isEssential: true;
}

export type KeyTable = { readonly [name: string]: Key<unknown> };

/** What reading by a table gives: each key's value, null when it was not said or was wrong. */
export type KeyValues<K extends KeyTable> = {
  readonly [N in keyof K]: K[N] extends EssentialKey<infer T>
    ? T
    : K[N] extends Key<infer T>
      ? T | null
      : never;
};

export function key<T>(type: ValueType<T>, doc: string, notes: Notes = {}): Key<T> {
  return { type, doc, isRequired: false, isEssential: false, notes };
}

/** Must be there. When it is not, the entry is built all the same, so that what refers to it finds it. */
export function requiredKey<T>(type: ValueType<T>, doc: string, notes: Notes = {}): Key<T> {
  return { type, doc, isRequired: true, isEssential: false, notes };
}

/** Must be there, and nothing is built without it. */
export function essentialKey<T>(type: ValueType<T>, doc: string, notes: Notes = {}): EssentialKey<T> {
  return { type, doc, isRequired: true, isEssential: true, notes };
}

/** What is said of a kind of entry where it is described. */
export interface EntryInfo {
  /** Kebab-case, the name of its schema and its heading's anchor. */
  readonly id: string;
  /** "a bond" */
  readonly words: string;
  readonly doc: string;
  readonly table: KeyTable;
}

/**
 * An entry with the keys of `table`. `build` gets their values and the place of the entry. Keys that are
 * missing are reported; nothing is built when one of them is essential.
 */
export function entry<const K extends KeyTable, T>(
  info: { readonly id: string; readonly words: string; readonly doc: string; readonly table: K },
  build: (values: KeyValues<K>, place: EntryPlace, reading: Reading) => T | undefined,
): ValueType<T> {
  return {
    words: info.words,
    schema: { $ref: `#/$defs/${info.id}` },
    nested: [{ steps: "", entry: info }],
    read(node, reading) {
      const map = asMap(node, info.words, reading);
      if (map === null) return undefined;
      const values = readKeys(map, info, reading);
      return values === null ? undefined : build(values as KeyValues<K>, new EntryPlace(map), reading);
    },
  };
}

/** Entries of one kind, each with a name of its own: `name: {…}`. */
export function namedEntries<const K extends KeyTable, T>(
  words: string,
  info: EntryInfo & { readonly table: K },
  build: (name: Named, values: KeyValues<K>, place: EntryPlace, reading: Reading) => T | undefined,
  faultOf: (name: string) => string | null = nameFault,
): ValueType<readonly T[]> {
  const map = mapOf(
    words,
    entry(info, (values: KeyValues<K>, place) => ({ values, place })),
    faultOf,
  );
  return {
    ...map,
    read: (node, reading) =>
      map.read(node, reading)?.flatMap(({ name, value: { values, place } }) => {
        const named: Named = { name: name.value, span: name.span };
        return build(named, values, place, reading) ?? [];
      }),
  };
}

/** Where an entry and its keys stand. */
export class EntryPlace {
  readonly #map: MapNode;

  constructor(map: MapNode) {
    this.#map = map;
  }

  get span(): Span {
    return this.#map.span;
  }

  /** Of a key's name; of the entry when it is not there. */
  keySpan(name: string): Span {
    return this.#map.entries.find(({ key: { text } }) => text === name)?.key.span ?? this.#map.span;
  }

  has(name: string): boolean {
    return this.#map.entries.some(({ key: { text } }) => text === name);
  }
}

/** One of several kinds of entry, told apart by the key that only that kind has. */
export function choice<T>(
  words: string,
  kinds: { readonly [distinctiveKey: string]: ValueType<T> },
): ValueType<T> {
  const names = Object.keys(kinds);
  return {
    words,
    schema: { anyOf: Object.values(kinds).map(({ schema }) => schema) },
    nested: Object.values(kinds).flatMap(({ nested }) => nested ?? []),
    read(node, reading) {
      const map = asMap(node, words, reading);
      if (map === null) return undefined;
      const [first, second] = map.entries.filter(({ key: { text } }) => Object.hasOwn(kinds, text));
      if (first === undefined) {
        const wrong = map.entries.find(({ key: { text } }) => nearestWord(text, names) !== null)?.key;
        reading.error(
          "missing-key",
          (wrong ?? map).span,
          `${words} begins with ${orList(names.map((name) => `\`${name}\``))}`,
          {
            help: wrong === undefined ? null : `Did you mean \`${nearestWord(wrong.text, names)}\`?`,
          },
        );
        return undefined;
      }
      if (second !== undefined) {
        reading.error("conflicting-keys", second.key.span, `${words} has \`${first.key.text}\` already`, {
          help: "Make two of it.",
          related: [{ span: first.key.span, message: "the first is here" }],
        });
        return undefined;
      }
      return kinds[first.key.text]!.read(map, reading);
    },
  };
}

/** Null when an essential key is missing. */
function readKeys(map: MapNode, info: EntryInfo, reading: Reading): Record<string, unknown> | null {
  const { table } = info;
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(table)) values[name] = null;
  for (const { key: name, value } of map.entries) {
    if (Object.hasOwn(table, name.text))
      values[name.text] = table[name.text]!.type.read(value, reading) ?? null;
    else reportUnknownKey(name, info, reading);
  }
  let isComplete = true;
  for (const name of Object.keys(table)) {
    if (!table[name]!.isRequired || values[name] !== null) continue;
    if (table[name]!.isEssential) isComplete = false;
    // A value that is there and wrong has been reported.
    if (map.entries.some(({ key: { text } }) => text === name)) continue;
    const { example = "…" } = table[name]!.notes;
    reading.error("missing-key", map.span, `${info.words} needs \`${name}\``, {
      help: `Write \`${name}: ${example}\`.`,
    });
  }
  return isComplete ? values : null;
}

function reportUnknownKey(name: Word, { words, table }: EntryInfo, reading: Reading): void {
  if (reading.isFull) return;
  const nearest = nearestWord(name.text, Object.keys(table));
  const owners = reading.ownersOfKey(name.text);
  const [, beforeColon = "", behindColon] = /^([^:]*):(.+)$/.exec(name.text) ?? [];
  const help = Object.hasOwn(table, beforeColon)
    ? `A blank is missing: \`${beforeColon}: ${behindColon}\`.`
    : nearest !== null
      ? `Did you mean \`${nearest}\`?`
      : owners.length > 0
        ? `\`${name.text}\` belongs to ${orList(owners)}.`
        : `Its keys are ${Object.keys(table).join(", ")}.`;
  reading.error("unknown-key", name.span, `${words} has no key \`${name.text}\``, { help });
}

/** An entry without keys may be left empty. */
function asMap(node: TreeNode, words: string, reading: Reading): MapNode | null {
  if (node.kind === "map") return node;
  if (node.kind === "scalar" && node.isEmpty) return { kind: "map", entries: [], span: node.span };
  reading.error(
    "wrong-kind",
    node.span,
    `${words} is expected here, as \`key: value\` lines or {key: value}`,
  );
  return null;
}

/** "a, b or c"; no more than four. */
export function orList(words: readonly string[]): string {
  const shown = words.slice(0, 4);
  const last = shown.pop()!;
  return shown.length === 0 ? last : `${shown.join(", ")} or ${last}`;
}

/**
 * Every kind of entry that `type` has inside it, itself included, with the steps to each place where it
 * stands.
 */
export function entriesInside(type: ValueType<unknown>): Map<EntryInfo, string[]> {
  const found = new Map<EntryInfo, string[]>();
  const visit = (steps: string, nested: ValueType<unknown>["nested"]): void => {
    for (const { steps: further, entry: info } of nested ?? []) {
      const place = steps + further;
      const places = found.get(info);
      found.set(info, [...(places ?? []), place]);
      for (const [name, { type: inner }] of Object.entries(info.table))
        visit(`${place}.${name}`, inner.nested);
    }
  };
  visit("", type.nested);
  return found;
}

/** The schema of one kind of entry. */
export function schemaOfEntry({ doc, table }: EntryInfo): JsonSchema {
  const properties = Object.entries(table).map(([name, { type, doc: description, notes }]) => [
    name,
    {
      description: notes.default === undefined ? description : `${description} Default: ${notes.default}.`,
      ...type.schema,
    },
  ]);
  const required = Object.keys(table).filter((name) => table[name]!.isRequired);
  return {
    type: required.length > 0 ? "object" : ["object", "null"],
    description: doc,
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}
