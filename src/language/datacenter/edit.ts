// Changes a datacentre file by meaning, and its text only where it must: comments, anchors, quotes, blank
// lines and line ends of all other lines stay as they are. The result is read again, and returned only when
// nothing but what was asked for has changed; so a file is never damaged.
import { type Document, parseDocument } from "yaml";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { DocumentEdit, DocumentPath } from "../../model/document-edit.ts";
import { isRefusal, type Splice, Splicer } from "./edit-splice.ts";
import { editedTree, isSameTree, isSetAlready, type PlainTree, plainTree } from "./edit-tree.ts";
import { Reading } from "./reading.ts";
import { parseTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

export type EditResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Carries out those of `edits` that are for `file`, one after the other. */
export function applyEdits(text: string, edits: readonly DocumentEdit[], file: string): EditResult {
  const before = readTree(text, file);
  if ("diagnostic" in before) return { ok: false, diagnostic: before.diagnostic };
  let expected: PlainTree | null = before.tree === null ? null : plainTree(before.tree);
  const editing = new Editing(text);
  for (const edit of edits) {
    if (edit.file !== file || isSetAlready(expected, edit)) continue;
    const refusal = editing.apply(edit);
    expected = editedTree(expected, edit);
    if (refusal !== null) return refused(before.tree, edit.path, file, refusal);
  }
  const result = editing.finish();
  const after = readTree(result, file);
  if (!("diagnostic" in after) && isSameTree(after.tree === null ? null : plainTree(after.tree), expected))
    return { ok: true, text: result };
  const path = edits.find((edit) => edit.file === file)?.path ?? [];
  return refused(
    before.tree,
    path,
    file,
    "it would change other entries as well: is it behind an anchor or a merge key?",
  );
}

/** Several edits share one parse as long as none is in the way of another. */
class Editing {
  #text: string;
  #splicer: Splicer | null = null;
  #splices: Splice[] = [];
  #touched: DocumentPath[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Null when it went well, else why not. */
  apply(edit: DocumentEdit): string | null {
    // What is added or taken away moves what stands beside it.
    const region = edit.kind === "append" ? edit.path : edit.path.slice(0, -1);
    const isInTheWay = this.#touched.some((path) => isPrefix(path, edit.path) || isPrefix(region, path));
    if (isInTheWay) this.#flush();
    let result = this.#compute(edit);
    if (!isRefusal(result) && this.#overlaps(result)) {
      this.#flush();
      result = this.#compute(edit);
    }
    if (isRefusal(result)) return result.refusal;
    this.#splices.push(...result);
    const isInPlace = edit.kind === "set" && result.every(({ start, end }) => start !== end);
    this.#touched.push(isInPlace ? edit.path : region);
    return null;
  }

  finish(): string {
    this.#flush();
    return this.#text;
  }

  #compute(edit: DocumentEdit): readonly Splice[] | { readonly refusal: string } {
    this.#splicer ??= new Splicer(this.#text, parseForEdit(this.#text));
    switch (edit.kind) {
      case "set":
        return this.#splicer.set(edit.path, edit.value);
      case "append":
        return this.#splicer.append(edit.path, edit.value);
      case "delete":
        return this.#splicer.delete(edit.path);
    }
  }

  #overlaps(added: readonly Splice[]): boolean {
    return added.some((one) => this.#splices.some(({ start, end }) => one.start <= end && one.end >= start));
  }

  #flush(): void {
    let text = "";
    let end = 0;
    for (const splice of this.#splices.toSorted((a, b) => a.start - b.start)) {
      text += this.#text.slice(end, splice.start) + splice.text;
      end = splice.end;
    }
    this.#text = text + this.#text.slice(end);
    this.#splices = [];
    this.#touched = [];
    this.#splicer = null;
  }
}

function parseForEdit(text: string): Document.Parsed {
  return parseDocument(text, { uniqueKeys: false, prettyErrors: false, merge: true });
}

/** The tree, or the first thing that keeps it from being read. */
function readTree(
  text: string,
  file: string,
): { readonly tree: TreeNode | null } | { readonly diagnostic: Diagnostic } {
  const reading = new Reading(() => []);
  const tree = parseTree(text, file, reading);
  const [diagnostic] = reading.diagnostics;
  return diagnostic === undefined ? { tree } : { diagnostic };
}

function refused(tree: TreeNode | null, path: DocumentPath, file: string, reason: string): EditResult {
  const place = path.length === 0 ? "the document" : path.join(" › ");
  return {
    ok: false,
    diagnostic: {
      code: "edit-refused",
      severity: "error",
      span: placeOf(tree, path, file),
      message: `${place} cannot be changed: ${reason}`,
      help: null,
      related: [],
    },
  };
}

/** Of the deepest part of the path that is there. */
function placeOf(tree: TreeNode | null, path: DocumentPath, file: string): Span {
  let span: Span = tree?.span ?? { file, line: 1, column: 1, endColumn: 1 };
  let node = tree;
  for (const step of path) {
    if (node?.kind === "map") {
      const entry = node.entries.find(({ key }) => key.text === String(step));
      if (entry === undefined) break;
      span = entry.key.span;
      node = entry.value;
    } else if (node?.kind === "list") {
      node = typeof step === "number" ? (node.items[step] ?? null) : null;
      if (node === null) break;
      span = node.span;
    } else break;
  }
  return span;
}

function isPrefix(short: DocumentPath, long: DocumentPath): boolean {
  return short.length <= long.length && short.every((step, index) => String(step) === String(long[index]));
}
