// Reads the YAML that nearly all files are made of, about ten times as fast as a parser for all of YAML:
// block maps and lists, braces and brackets within one line, plain and quoted words, comments. Anything else,
// and anything wrong, is not looked at further: then the `yaml` package reads the file (`tree.ts`). 10,000
// machines take 40 ms instead of 350. A test holds both against each other on thousands of damaged files.
import type { Span } from "../../diagnostic/span.ts";
import {
  DEPTH_MAX,
  type ListNode,
  type MapEntry,
  type MapNode,
  type ScalarNode,
  spanOfBlock,
  type TreeNode,
  type Word,
} from "./tree-node.ts";

/** Tabs, control characters, line ends of Windows, halves of characters, and marks of documents. */
const UNUSUAL = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|^(?:---|\.\.\.|%)/m;
// Words of letters beyond ASCII go the other way too: to make an expression with all the letters of Unicode
// takes longer than to read a short file.
/** A word that is a key, with its colon. */
const KEY = /(\w[\w./-]*|"[^"\\\n]*"|'[^'\n]*'):(?=[ \n]|$)/y;
/** A word outside of braces: up to its line's end or a comment. */
const BLOCK_WORD = /[\w./$](?:[^\n ]| +(?![ #\n]|$))*/y;
/** A word between braces or brackets. */
const FLOW_WORD = /[\w./$](?:[^\n,[\]{}:#]|:(?![\s,[\]{}]))*(?<! )(?= *[,\]}])/y;
const QUOTED = /"[^"\\\n]*"|'[^'\n]*'(?!')/y;
const BLANKS = / */y;
/** The rest of a line behind a value. */
const LINE_REST = / *(?: #[^\n]*)?(?:\n|$)/y;
/** A line that says nothing: blanks, or a comment. */
const EMPTY_LINE = / *(?:#[^\n]*)?(?:\n|$)/y;

/** Null: read it by a parser for all of YAML. */
export function readPlainTree(text: string, file: string): TreeNode | null {
  if (UNUSUAL.test(text)) return null;
  return new PlainReader(text, file).read();
}

class PlainReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): TreeNode | null {
    const indent = this.#nextIndent();
    if (indent !== 0) return null;
    const tree = this.#block(0, 0);
    return tree !== null && this.#nextIndent() < 0 ? tree : null;
  }

  /** The map or list whose entries begin in column `indent`, at the first of them. */
  #block(indent: number, depth: number): TreeNode | null {
    if (depth >= DEPTH_MAX) return null;
    return this.#isDash() ? this.#list(indent, depth) : this.#map(indent, depth);
  }

  #map(indent: number, depth: number): MapNode | null {
    const entries: MapEntry[] = [];
    const seen = new Set<string>();
    do {
      const key = this.#key();
      if (key === null || seen.has(key.text)) return null;
      seen.add(key.text);
      const value = this.#behindKey(key, indent, depth);
      if (value === null) return null;
      entries.push({ key, value });
    } while (this.#nextIndent() === indent && !this.#isDash());
    return this.#endsAt(indent)
      ? { kind: "map", entries, span: spanOfBlock(entries[0]!.key.span, entries[0]!.value.span) }
      : null;
  }

  #list(indent: number, depth: number): ListNode | null {
    const items: TreeNode[] = [];
    const start = this.#spanOf(this.#at, this.#at + 1);
    do {
      this.#at++;
      const inner = this.#skip(BLANKS) - this.#lineStart;
      const item = this.#isKey() ? this.#map(inner, depth + 1) : this.#inlineValue(indent, depth);
      if (item === null) return null;
      items.push(item);
    } while (this.#nextIndent() === indent && this.#isDash());
    return this.#endsAt(indent) ? { kind: "list", items, span: spanOfBlock(start, items[0]!.span) } : null;
  }

  /** Whether what follows is indented less, so that it belongs to something above. */
  #endsAt(indent: number): boolean {
    const next = this.#nextIndent();
    // A list may end at a key in its own column.
    return next < indent || (next === indent && !this.#isDash());
  }

  #behindKey(key: Word, indent: number, depth: number): TreeNode | null {
    if (!this.#endLine()) {
      this.#skip(BLANKS);
      return this.#inlineValue(indent, depth);
    }
    const next = this.#nextIndent();
    if (next > indent || (next === indent && this.#isDash())) return this.#block(next, depth + 1);
    const { line, endColumn } = key.span;
    const column = endColumn + 1;
    const span = { file: this.#file, line, column, endColumn: column };
    return { kind: "scalar", text: "", isEmpty: true, isQuoted: false, span };
  }

  /** A value that is whole on this line. `indent`: of the entry that it belongs to. */
  #inlineValue(indent: number, depth: number): TreeNode | null {
    const value = this.#isFlow() ? this.#flow(depth + 1) : this.#scalar(BLOCK_WORD);
    if (value === null || !this.#endLine()) return null;
    // An indented line would go on with it.
    return this.#nextIndent() > indent ? null : value;
  }

  #flow(depth: number): TreeNode | null {
    if (!this.#isFlow()) return this.#scalar(FLOW_WORD);
    if (depth >= DEPTH_MAX) return null;
    const start = this.#at;
    const isMap = this.#text[start] === "{";
    const close = isMap ? "}" : "]";
    const entries: MapEntry[] = [];
    const items: TreeNode[] = [];
    const seen = new Set<string>();
    this.#at++;
    this.#skip(BLANKS);
    while (this.#text[this.#at] !== close) {
      if (entries.length + items.length > 0 && !this.#comma()) return null;
      const key = isMap ? this.#flowKey(seen) : null;
      const value = isMap && key === null ? null : this.#flow(depth + 1);
      if (value === null) return null;
      if (key === null) items.push(value);
      else entries.push({ key, value });
      this.#skip(BLANKS);
    }
    this.#at++;
    const span = this.#spanOf(start, this.#at);
    return isMap ? { kind: "map", entries, span } : { kind: "list", items, span };
  }

  #comma(): boolean {
    if (this.#text[this.#at] !== ",") return false;
    this.#at++;
    this.#skip(BLANKS);
    return true;
  }

  #flowKey(seen: Set<string>): Word | null {
    const key = this.#key();
    if (key === null || seen.has(key.text)) return null;
    seen.add(key.text);
    this.#skip(BLANKS);
    return key;
  }

  #key(): Word | null {
    const start = this.#at;
    const match = this.#match(KEY);
    if (match === null) return null;
    const source = match[1]!;
    const isQuoted = source[0] === '"' || source[0] === "'";
    return {
      text: isQuoted ? source.slice(1, -1) : source,
      span: this.#spanOf(start, start + source.length),
    };
  }

  #scalar(word: RegExp): ScalarNode | null {
    const start = this.#at;
    const first = this.#text[start];
    const isQuoted = first === '"' || first === "'";
    const source = this.#match(isQuoted ? QUOTED : word)?.[0];
    // In a word outside of braces `: ` would make it a key.
    if (source === undefined || (!isQuoted && (source.includes(": ") || source.endsWith(":")))) return null;
    const isEmpty = !isQuoted && source === "null";
    const text = isQuoted ? source.slice(1, -1) : source;
    return { kind: "scalar", text, isEmpty, isQuoted, span: this.#spanOf(start, this.#at) };
  }

  #isKey(): boolean {
    KEY.lastIndex = this.#at;
    return KEY.test(this.#text);
  }

  #isDash(): boolean {
    const next = this.#text[this.#at + 1];
    return this.#text[this.#at] === "-" && next === " ";
  }

  #isFlow(): boolean {
    const char = this.#text[this.#at];
    return char === "{" || char === "[";
  }

  /** Goes to the next line that says something, and tells its indent; -1 at the end. */
  #nextIndent(): number {
    if (this.#at === this.#lineStart) {
      while (this.#at < this.#text.length && this.#match(EMPTY_LINE) !== null) {
        this.#line++;
        this.#lineStart = this.#at;
      }
      this.#skip(BLANKS);
    }
    return this.#at >= this.#text.length ? -1 : this.#at - this.#lineStart;
  }

  /** Goes behind the end of this line when there is nothing more on it. */
  #endLine(): boolean {
    if (this.#match(LINE_REST) === null) return false;
    this.#line++;
    this.#lineStart = this.#at;
    return true;
  }

  #skip(pattern: RegExp): number {
    this.#match(pattern);
    return this.#at;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  /** Of this line. */
  #spanOf(start: number, end: number): Span {
    const column = start - this.#lineStart + 1;
    return { file: this.#file, line: this.#line, column, endColumn: column + end - start };
  }
}
