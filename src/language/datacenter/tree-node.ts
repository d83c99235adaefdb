// The tree that a datacentre file is read into: maps, lists and scalars, each with the place where it stands.
import type { Span } from "../../diagnostic/span.ts";

export type TreeNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly span: Span;
}

export interface MapEntry {
  readonly key: Word;
  readonly value: TreeNode;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly TreeNode[];
  readonly span: Span;
}

export interface ScalarNode {
  readonly kind: "scalar";
  /** As a reader takes it: without quotes and escapes, with variables put in. */
  readonly text: string;
  /** Nothing at all, or `null` or `~` without quotes. */
  readonly isEmpty: boolean;
  readonly isQuoted: boolean;
  readonly span: Span;
}

export interface Word {
  readonly text: string;
  readonly span: Span;
}

/**
 * The piece from `from` to `to` of a scalar's text, where the text stands in the file letter for letter;
 * else, with escapes, variables or several lines, the whole.
 */
export function spanInside({ text, span, isQuoted }: ScalarNode, from: number, to: number): Span {
  const shift = isQuoted ? 1 : 0;
  if (span.endColumn - span.column !== text.length + 2 * shift) return span;
  const start = span.column + shift;
  return { ...span, column: start + from, endColumn: start + to };
}

/** Deeper files are nobody's, and the readers recurse. */
export const DEPTH_MAX: number = 40;

/** Of a map or list in block style: its first entry, as far as it is on the first line. */
export function spanOfBlock(begin: Span, firstValue: Span): Span {
  return begin.line === firstValue.line
    ? { ...begin, endColumn: Math.max(begin.endColumn, firstValue.endColumn) }
    : begin;
}
