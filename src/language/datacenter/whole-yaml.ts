// A text in any YAML as a tree of our own. The `yaml` package parses; anchors, aliases and merge keys are
// resolved, so that whoever reads the tree need not know them; the place of an aliased value is where it was
// written. What is wrong is said in our words (`yaml-faults.ts`).
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import { LineMap } from "./line-map.ts";
import type { Reading } from "./reading.ts";
import { DEPTH_MAX, type MapEntry, spanOfBlock, type TreeNode } from "./tree-node.ts";
import { reportYamlFaults } from "./yaml-faults.ts";

/** Aliases of aliases can make a short text a huge tree ("billion laughs"). */
const ALIASED_COUNT_MAX = 200_000;

/** Null when the text is empty or nothing of it could be read. Everything wrong is reported. */
export function parseWholeYaml(text: string, file: string, reading: Reading): TreeNode | null {
  const lines = new LineMap(text, file);
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, merge: true });
  reportYamlFaults(document.errors, true, lines, reading);
  reportYamlFaults(document.warnings, false, lines, reading);
  if (document.contents === null) return null;
  return new TreeBuilder(lines, reading).build(document.contents, 0);
}

class TreeBuilder {
  readonly #lines: LineMap;
  readonly #reading: Reading;
  /** The last node of each anchor above. */
  readonly #anchors = new Map<string, Node>();
  /** Nodes that were built behind an alias. */
  #aliasedCount = 0;
  #aliasDepth = 0;
  #outermostAlias: Span | null = null;
  #isTooLarge = false;

  constructor(lines: LineMap, reading: Reading) {
    this.#lines = lines;
    this.#reading = reading;
  }

  build(node: Node | null, depth: number): TreeNode {
    const span = this.#spanOf(node);
    if (this.#aliasDepth > 0) this.#aliasedCount++;
    if (depth > DEPTH_MAX || this.#aliasedCount > ALIASED_COUNT_MAX) {
      if (!this.#isTooLarge) {
        const reason = depth > DEPTH_MAX ? "is nested too deeply" : "becomes too large by its aliases";
        this.#reading.error("yaml-too-large", this.#outermostAlias ?? span, `the file ${reason}`);
      }
      this.#isTooLarge = true;
      return { kind: "scalar", text: "", isEmpty: true, isQuoted: false, span };
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) {
        if (this.#aliasDepth++ === 0) this.#outermostAlias = span;
        const built = this.build(target, depth + 1);
        this.#aliasDepth--;
        return built;
      }
      this.#reading.error("unknown-anchor", span, `there is no anchor \`&${node.source}\` above`, {
        help: suggestWord(node.source, this.#anchors.keys()),
      });
      return { kind: "scalar", text: "", isEmpty: true, isQuoted: false, span };
    }
    if (node?.anchor !== undefined && this.#aliasDepth === 0) this.#anchors.set(node.anchor, node);
    if (isMap(node)) {
      const [first] = node.items;
      const isInBlock = node.flow !== true && first !== undefined;
      const place = isInBlock ? this.#spanOfItem(first.key as Node, first.value as Node | null) : span;
      return { kind: "map", entries: this.#entriesOf(node, depth), span: place };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.build(item as Node, depth + 1));
      const [first] = node.items;
      const dash = { ...span, endColumn: span.column + 1 };
      const isInBlock = node.flow !== true && first !== undefined;
      return { kind: "list", items, span: isInBlock ? spanOfBlock(dash, this.#spanOf(first as Node)) : span };
    }
    const source = isScalar(node) ? node : null;
    const isQuoted = source?.type === "QUOTE_DOUBLE" || source?.type === "QUOTE_SINGLE";
    const isBlock = source?.type === "BLOCK_LITERAL" || source?.type === "BLOCK_FOLDED";
    const text = isQuoted || isBlock ? String(source?.value ?? "") : (source?.source ?? "");
    const isEmpty = !isQuoted && !isBlock && (text === "" || text === "null" || text === "~");
    return { kind: "scalar", text, isEmpty, isQuoted: isQuoted || isBlock, span };
  }

  #entriesOf(map: YAMLMap, depth: number): MapEntry[] {
    const entries: MapEntry[] = [];
    const seen = new Map<string, Span>();
    const merged: MapEntry[] = [];
    for (const { key, value } of map.items) {
      const span = this.#spanOf(key as Node);
      if (!isScalar(key)) {
        this.#reading.error("yaml-key", span, "a key must be a plain word, not a map or list");
        continue;
      }
      const text = typeof key.source === "string" ? key.source : String(key.value);
      const built =
        value === null
          ? ({ kind: "scalar", text: "", isEmpty: true, isQuoted: false, span } as const)
          : this.build(value as Node, depth + 1);
      if (text === "<<") {
        merged.push(...mergedEntries(built));
        continue;
      }
      const first = seen.get(text);
      if (first !== undefined) {
        this.#reading.error("duplicate-key", span, `\`${text}\` is there twice`, {
          help: "Each key may stand once: the second would hide the first.",
          related: [{ span: first, message: "the first is here" }],
        });
        continue;
      }
      seen.set(text, span);
      entries.push({ key: { text, span }, value: built });
    }
    // What is written wins over what is merged, wherever it stands (YAML 1.1, merge key).
    for (const entry of merged) {
      if (seen.has(entry.key.text)) continue;
      seen.set(entry.key.text, entry.key.span);
      entries.push(entry);
    }
    return entries;
  }

  #spanOfItem(key: Node, value: Node | null): Span {
    const span = this.#spanOf(key);
    return value === null ? span : spanOfBlock(span, this.#spanOf(value));
  }

  #spanOf(node: Node | null): Span {
    const range = (node as ParsedNode | null)?.range;
    if (range == null) return this.#lines.spanOf(0, 0);
    let [start, end] = range;
    // Nothing stands right behind its colon or dash, whatever blanks follow.
    if (start === end) while (start > 0 && this.#lines.text[start - 1] === " ") start--;
    end = start === range[0] ? end : start;
    return this.#lines.spanOf(start, end);
  }
}

function mergedEntries(node: TreeNode): readonly MapEntry[] {
  if (node.kind === "map") return node.entries;
  return node.kind === "list" ? node.items.flatMap(mergedEntries) : [];
}
