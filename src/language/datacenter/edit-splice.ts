// Where a text must be cut, and what is put there, so that one entry of a YAML document is set, added or
// taken away. Works on lines and offsets of the text as it is; nothing is printed anew.
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  type ParsedNode,
  type Scalar,
} from "yaml";
import type { DocumentPath, DocumentValue } from "../../model/document-edit.ts";
import { formatBlock, formatFlow, formatPair, isList, type QuoteStyle } from "./edit-format.ts";
import {
  type Item,
  isBlock,
  isEmptyNode,
  itemStart,
  type ListNode,
  type MapNode,
  Places,
  pairOf,
  rangeOf,
  textOfKey,
} from "./edit-places.ts";

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What cannot be done, in words. */
export interface Refusal {
  readonly refusal: string;
}

export class Splicer {
  readonly #text: string;
  readonly #places: Places;
  readonly #root: ParsedNode | null;
  readonly #newline: string;

  constructor(text: string, document: Document.Parsed) {
    this.#text = text;
    this.#places = new Places(text);
    this.#root = document.contents;
    this.#newline = /\r?\n/.exec(text)?.[0] ?? "\n";
  }

  set(path: DocumentPath, value: DocumentValue): readonly Splice[] | Refusal {
    const last = path.at(-1);
    if (last === undefined) return { refusal: "the whole document cannot be set" };
    const parentPath = path.slice(0, -1);
    const parent = this.#find(parentPath);
    if (isRefusal(parent)) return parent;
    if (isMap(parent)) {
      const pair = pairOf(parent as MapNode, String(last));
      return pair === null
        ? [this.#addPair(parent as MapNode, String(last), value)]
        : this.#replace(pair.value ?? null, value, pair);
    }
    if (isSeq(parent)) {
      const item = typeof last === "number" ? (parent as ListNode).items[last] : undefined;
      if (item !== undefined) return this.#replace(item, value, null);
      return last === parent.items.length
        ? [this.#addItem(parent as ListNode, value)]
        : { refusal: `there is no entry ${last} in the list` };
    }
    return this.#fill(parentPath, typeof last === "number" ? [value] : { [last]: value });
  }

  append(path: DocumentPath, value: DocumentValue): readonly Splice[] | Refusal {
    const list = this.#find(path);
    if (isRefusal(list)) return list;
    if (isSeq(list)) return [this.#addItem(list as ListNode, value)];
    if (isMap(list)) return { refusal: "there is no list here, but a map" };
    if (list === null || isEmptyNode(list)) return this.#fill(path, [value]);
    // One value may stand where several may: it becomes a list.
    const { start, end } = this.#places.extent(list);
    const present = this.#text.slice(start, end);
    return [{ start, end, text: `[${present}, ${formatFlow(value)}]` }];
  }

  delete(path: DocumentPath): readonly Splice[] | Refusal {
    const last = path.at(-1);
    const parent = last === undefined ? null : this.#find(path.slice(0, -1));
    if (isRefusal(parent)) return parent;
    if (isMap(parent)) {
      const map = parent as MapNode;
      const index = map.items.findIndex(({ key }) => textOfKey(key) === String(last));
      if (index >= 0) return [this.#remove(map, map.items as Item[], index)];
    }
    if (isSeq(parent) && typeof last === "number" && last >= 0 && last < parent.items.length)
      return [this.#remove(parent as ListNode, parent.items as Item[], last)];
    return { refusal: "there is nothing to delete" };
  }

  /** The node at a path; null when it, or something above it, is not there. */
  #find(path: DocumentPath): ParsedNode | null | Refusal {
    let node: ParsedNode | null = this.#root;
    for (const step of path) {
      if (isAlias(node)) break;
      if (isMap(node)) node = pairOf(node as MapNode, String(step))?.value ?? null;
      else if (isSeq(node) && typeof step === "number") node = (node as ListNode).items[step] ?? null;
      else return null;
    }
    return isAlias(node) ? { refusal: "an alias stands here: change what it refers to" } : node;
  }

  /** Puts a collection where nothing is yet, with what must be above it. */
  #fill(path: DocumentPath, value: DocumentValue): readonly Splice[] | Refusal {
    if (path.length > 0) return this.set(path, value);
    if (this.#root !== null && !isEmptyNode(this.#root)) return { refusal: "the document is no map" };
    if (value === null || typeof value !== "object" || isList(value))
      return { refusal: "the document is no map" };
    const lines = Object.entries(value).map(([name, item]) => formatPair(name, item, 0, this.#newline));
    const end = this.#text.length;
    const isAtLineStart = end === 0 || this.#text.endsWith("\n");
    return [
      {
        start: end,
        end,
        text: `${isAtLineStart ? "" : this.#newline}${lines.join(this.#newline)}${this.#newline}`,
      },
    ];
  }

  /** `pair`: of which `node` is the value; null when it is an item of a list. */
  #replace(
    node: ParsedNode | null,
    value: DocumentValue,
    pair: Pair<ParsedNode, ParsedNode | null> | null,
  ): readonly Splice[] | Refusal {
    if (isAlias(node)) return { refusal: "an alias stands here: change what it refers to" };
    if (isMap(node) && isPlainMap(value)) return this.#setEach(node as MapNode, value);
    if (isSeq(node) && isList(value)) return this.#setItems(node as ListNode, value);
    if (isScalar(node) && isSameScalar(node, value)) return [];
    if (node === null || isEmptyNode(node)) return [this.#fillEmpty(node, value, pair)];
    const { start, end } = this.#places.extent(node);
    const keyEnd = pair === null ? -1 : rangeOf(pair.key)[1];
    // What stood on lines of its own goes to the line of its key.
    const from = isBlock(node) && pair !== null ? this.#text.indexOf(":", keyEnd) + 1 : start;
    const text = formatFlow(value, typeof value === "string" ? styleOf(node) : "plain");
    return [{ start: from, end, text: from === start ? text : ` ${text}` }];
  }

  #setEach(map: MapNode, value: { readonly [key: string]: DocumentValue }): readonly Splice[] | Refusal {
    const splices: Splice[] = [];
    const removed = map.items.flatMap(({ key }, index) =>
      Object.hasOwn(value, textOfKey(key)) ? [] : index,
    );
    const added = Object.keys(value).filter((name) => pairOf(map, name) === null);
    // Several changes at one end would be in each other's way.
    if (removed.length + added.length > 1 || (removed.length > 0 && map.items.length === 1)) {
      const { start, end } = this.#places.extent(map);
      const column = this.#places.columnOf(start);
      const lines = Object.entries(value).map(([name, item]) =>
        formatPair(name, item, column, this.#newline),
      );
      const text =
        isBlock(map) && lines.length > 0 ? lines.join(this.#newline + " ".repeat(column)) : formatFlow(value);
      return [{ start, end, text }];
    }
    for (const { key, value: node } of map.items) {
      const name = textOfKey(key);
      if (!Object.hasOwn(value, name)) continue;
      const inner = this.#replace(node, value[name]!, pairOf(map, name));
      if (isRefusal(inner)) return inner;
      splices.push(...inner);
    }
    for (const index of removed) splices.push(this.#remove(map, map.items as Item[], index));
    for (const name of added) splices.push(this.#addPair(map, name, value[name]!));
    return splices;
  }

  #setItems(list: ListNode, value: readonly DocumentValue[]): readonly Splice[] | Refusal {
    if (value.length !== list.items.length) {
      const { start, end } = this.#places.extent(list);
      const column = this.#places.columnOf(start);
      const lines = value.map((item) => `- ${formatBlock(item, column, this.#newline)}`);
      const text =
        isBlock(list) && lines.length > 0
          ? lines.join(this.#newline + " ".repeat(column))
          : formatFlow(value);
      return [{ start, end, text }];
    }
    const splices: Splice[] = [];
    for (const [index, item] of value.entries()) {
      const inner = this.#replace(list.items[index]!, item, null);
      if (isRefusal(inner)) return inner;
      splices.push(...inner);
    }
    return splices;
  }

  /** Behind `key:` or `-` stands nothing, or `null`. */
  #fillEmpty(
    node: ParsedNode | null,
    value: DocumentValue,
    pair: Pair<ParsedNode, ParsedNode | null> | null,
  ): Splice {
    if (node !== null && rangeOf(node)[0] !== rangeOf(node)[1]) {
      const [start, end] = rangeOf(node);
      return { start, end, text: formatFlow(value) };
    }
    if (pair === null) {
      const start = rangeOf(node!)[0];
      return {
        start,
        end: start,
        text: this.#text[start - 1] === "-" ? ` ${formatFlow(value)}` : formatFlow(value),
      };
    }
    const keyEnd = rangeOf(pair.key)[1];
    const colon = /^\s*:/.exec(this.#text.slice(keyEnd, keyEnd + 1024));
    if (colon === null) return { start: keyEnd, end: keyEnd, text: `: ${formatFlow(value)}` };
    const start = keyEnd + colon[0].length;
    const column = this.#places.columnOf(rangeOf(pair.key)[0]);
    // A list or map under a key of a block begins on a line of its own; a comment behind the key stays there.
    if (typeof value !== "object" || value === null || !this.#places.isAloneOnLine(start))
      return { start, end: start, text: ` ${formatFlow(value)}` };
    const end = this.#places.lineEnd(start);
    const indent = this.#newline + " ".repeat(column + 2);
    const lines = isList(value)
      ? value.map((item) => `${indent}- ${formatBlock(item, column + 2, this.#newline)}`)
      : Object.entries(value).map(
          ([name, item]) => indent + formatPair(name, item, column + 2, this.#newline),
        );
    return lines.length > 0
      ? { start: end, end, text: lines.join("") }
      : { start, end: start, text: ` ${formatFlow(value)}` };
  }

  #addPair(map: MapNode, name: string, value: DocumentValue): Splice {
    if (!isBlock(map))
      return this.#addInFlow(map, map.items as Item[], formatFlow({ [name]: value }).slice(1, -1));
    const column = this.#places.columnOf(rangeOf(map)[0]);
    return this.#addLine(map, " ".repeat(column) + formatPair(name, value, column, this.#newline));
  }

  #addItem(list: ListNode, value: DocumentValue): Splice {
    if (!isBlock(list)) return this.#addInFlow(list, list.items, formatFlow(value));
    const column = this.#places.columnOf(rangeOf(list)[0]);
    return this.#addLine(list, `${" ".repeat(column)}- ${formatBlock(value, column, this.#newline)}`);
  }

  #addLine(node: ParsedNode, line: string): Splice {
    const end = this.#places.lineEnd(this.#places.contentEnd(node));
    return { start: end, end, text: this.#newline + line };
  }

  #addInFlow(node: ParsedNode, items: readonly Item[], text: string): Splice {
    const last = items.at(-1);
    const start = last === undefined ? rangeOf(node)[0] + 1 : this.#places.itemEnd(last);
    return { start, end: start, text: last === undefined ? text : `, ${text}` };
  }

  #remove(parent: ParsedNode, items: readonly Item[], index: number): Splice {
    const item = items[index]!;
    const [start, end] = [itemStart(item), this.#places.itemEnd(item)];
    const next = items[index + 1];
    if (!isBlock(parent)) {
      if (index > 0) return { start: this.#places.itemEnd(items[index - 1]!), end, text: "" };
      return { start, end: next === undefined ? rangeOf(parent)[1] - 1 : itemStart(next), text: "" };
    }
    if (items.length === 1) {
      const { start: from, end: to } = this.#places.extent(parent);
      return { start: from, end: to, text: isMap(parent) ? "{}" : "[]" };
    }
    const lineStart = this.#text.lastIndexOf("\n", start - 1) + 1;
    const before = this.#text.slice(lineStart, start);
    // The first key behind a dash: the second takes its place.
    if (next !== undefined && isMap(parent) && /\S/.test(before))
      return { start, end: itemStart(next), text: "" };
    const lineEnd = this.#places.lineEnd(end);
    return {
      start: this.#places.commentsStart(lineStart, before.length),
      end: this.#places.afterLine(lineEnd),
      text: "",
    };
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refusal" in value;
}

function styleOf(node: ParsedNode): QuoteStyle {
  if (!isScalar(node)) return "plain";
  return node.type === "QUOTE_SINGLE" ? "single" : node.type === "QUOTE_DOUBLE" ? "double" : "plain";
}

function isPlainMap(value: DocumentValue): value is { readonly [key: string]: DocumentValue } {
  return typeof value === "object" && value !== null && !isList(value);
}

/** Plain ones by their text: to this language `5.1` and `"5.1"` are the same. */
function isSameScalar(node: Scalar, value: DocumentValue): boolean {
  if (node.type === "PLAIN" && value !== null) return node.source === String(value);
  return node.value === value;
}
