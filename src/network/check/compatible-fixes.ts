// Fixes of one run that can all be carried out, in any order. Where two would get into each other's way, the
// first stays and the other waits for the next run: deleting an item of a list moves those behind it, and one
// key cannot have two values.
import type { DocumentEdit, DocumentPath } from "../../model/document-edit.ts";
import type { Finding } from "./rule.ts";

export function compatibleFixes(findings: readonly Finding[]): Finding[] {
  const shrunkLists = new Map<string, Finding>();
  for (const finding of findings) {
    for (const edit of finding.fix ?? []) {
      const list = edit.kind === "delete" ? lastList(edit) : null;
      if (list !== null && !shrunkLists.has(list)) shrunkLists.set(list, finding);
    }
  }
  const written = new Map<string, string>();
  return findings.map((finding) => {
    const { fix } = finding;
    if (fix === null) return finding;
    const isMoved = fix.some((edit) =>
      listsOf(edit).some((list) => (shrunkLists.get(list) ?? finding) !== finding),
    );
    const isInTheWay = fix.some((edit) => {
      const present = written.get(placeOf(edit));
      // Setting a key twice to one value does nothing; appending twice does.
      return present !== undefined && (edit.kind === "append" || present !== contentOf(edit));
    });
    if (isMoved || isInTheWay) return { ...finding, fix: null };
    for (const edit of fix) written.set(placeOf(edit), contentOf(edit));
    return finding;
  });
}

/** The lists that a path goes through, by the path to each. */
function listsOf({ file, path }: DocumentEdit): string[] {
  return path.flatMap((step, index) => (typeof step === "number" ? [keyOf(file, path.slice(0, index))] : []));
}

/** The list that loses an item; null when it is a key that is taken away. */
function lastList({ file, path }: DocumentEdit): string | null {
  return typeof path.at(-1) === "number" ? keyOf(file, path.slice(0, -1)) : null;
}

/** What an edit writes to: a key, or for `append` the item itself, since a list takes many. */
function placeOf(edit: DocumentEdit): string {
  return edit.kind === "append"
    ? `${keyOf(edit.file, edit.path)} ${contentOf(edit)}`
    : keyOf(edit.file, edit.path);
}

function contentOf(edit: DocumentEdit): string {
  return edit.kind === "delete" ? "" : JSON.stringify(edit.value);
}

function keyOf(file: string, path: DocumentPath): string {
  return JSON.stringify([file, ...path]);
}
