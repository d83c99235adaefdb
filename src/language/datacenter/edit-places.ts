// Where the nodes of a YAML document and their lines begin and end in its text.
import { isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from "yaml";

export type MapNode = YAMLMap.Parsed<ParsedNode, ParsedNode | null>;
export type ListNode = YAMLSeq.Parsed<ParsedNode>;
export type Item = Pair<ParsedNode, ParsedNode | null> | ParsedNode;

/** Offsets in one text, and the lines around them. */
export class Places {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the comment lines directly above begin, when they are indented as the entry is. */
  commentsStart(lineStart: number, indentLength: number): number {
    let start = lineStart;
    const indent = this.#text.slice(lineStart, lineStart + indentLength).match(/^ */)![0];
    while (start > 0) {
      const previous = this.#text.lastIndexOf("\n", start - 2) + 1;
      const line = this.#text.slice(previous, start);
      if (!line.startsWith(`${indent}#`)) break;
      start = previous;
    }
    return start;
  }

  /** Of a pair: the end of its value, or of its key when it has none. */
  itemEnd(item: Item): number {
    if (!("key" in item)) return this.contentEnd(item);
    const keyEnd = rangeOf(item.key)[1];
    return item.value == null ? keyEnd : Math.max(keyEnd, this.contentEnd(item.value));
  }

  /** Behind the last character that is no blank or comment. */
  contentEnd(node: ParsedNode): number {
    if (isBlock(node) && (isMap(node) || isSeq(node))) {
      const last = (node.items as Item[]).at(-1);
      if (last !== undefined) return Math.max(this.itemEnd(last), rangeOf(node)[0]);
    }
    const [start, end] = rangeOf(node);
    return Math.max(start, start + this.#text.slice(start, end).trimEnd().length);
  }

  extent(node: ParsedNode): { start: number; end: number } {
    return { start: rangeOf(node)[0], end: this.contentEnd(node) };
  }

  /** From 0. */
  columnOf(offset: number): number {
    return offset - (this.#text.lastIndexOf("\n", offset - 1) + 1);
  }

  /** Before the line feed, and the carriage return if there is one. */
  lineEnd(offset: number): number {
    const end = this.#text.indexOf("\n", offset);
    if (end < 0) return this.#text.length;
    return this.#text[end - 1] === "\r" ? end - 1 : end;
  }

  /** Behind the line feed. */
  afterLine(lineEnd: number): number {
    const end = this.#text.indexOf("\n", lineEnd);
    return end < 0 ? this.#text.length : end + 1;
  }

  /** Whether only blanks and a comment follow on the line. */
  isAloneOnLine(offset: number): boolean {
    return /^[ \t]*(#.*)?$/.test(this.#text.slice(offset, this.lineEnd(offset)));
  }
}

export function rangeOf(node: ParsedNode): readonly [number, number, number] {
  return node.range;
}

export function itemStart(item: Item): number {
  return rangeOf("key" in item ? item.key : item)[0];
}

export function isBlock(node: ParsedNode): boolean {
  if (isMap(node) || isSeq(node)) return node.flow !== true;
  return isScalar(node) && (node.type === "BLOCK_FOLDED" || node.type === "BLOCK_LITERAL");
}

export function isEmptyNode(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}

export function pairOf(map: MapNode, name: string): Pair<ParsedNode, ParsedNode | null> | null {
  return map.items.find(({ key }) => textOfKey(key) === name) ?? null;
}

export function textOfKey(key: ParsedNode): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : "";
}
