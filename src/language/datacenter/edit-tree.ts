// The meaning of a document without places and styles, before and after an edit: what `applyEdits` compares.
import type { DocumentEdit, DocumentPath, DocumentValue } from "../../model/document-edit.ts";
import { isList } from "./edit-format.ts";
import type { TreeNode } from "./tree-node.ts";

/** Scalars are their text; null is an empty one. Never changed in place. */
export type PlainTree = string | null | readonly PlainTree[] | ReadonlyMap<string, PlainTree>;

export function plainTree(node: TreeNode): PlainTree {
  switch (node.kind) {
    case "scalar":
      return node.isEmpty ? null : node.text;
    case "list":
      return node.items.map(plainTree);
    case "map":
      return new Map(node.entries.map(({ key, value }) => [key.text, plainTree(value)]));
  }
}

/** What must be read after `edit`. An edit that cannot be carried out leaves all as it is. */
export function editedTree(tree: PlainTree | null, edit: DocumentEdit): PlainTree | null {
  switch (edit.kind) {
    case "set":
      return changed(tree, edit.path, () => plainValue(edit.value));
    case "append":
      return changed(tree, edit.path, (present) => {
        const items = present == null ? [] : Array.isArray(present) ? present : [present];
        return [...items, plainValue(edit.value)];
      });
    case "delete":
      return changed(tree, edit.path, () => undefined);
  }
}

/** Whether a `set` would change nothing. */
export function isSetAlready(tree: PlainTree | null, edit: DocumentEdit): boolean {
  if (edit.kind !== "set") return false;
  let present: PlainTree | undefined = tree;
  for (const step of edit.path) {
    if (present instanceof Map) present = present.get(String(step));
    else if (Array.isArray(present) && typeof step === "number") present = present[step];
    else return false;
  }
  return present !== undefined && isSameTree(present, plainValue(edit.value));
}

export function isSameTree(a: PlainTree | null, b: PlainTree | null): boolean {
  if (a instanceof Map && b instanceof Map)
    return (
      a.size === b.size && [...a].every(([name, value]) => b.has(name) && isSameTree(value, b.get(name)!))
    );
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSameTree(item, b[index]));
  return a === b;
}

/** `change` gets what is there, undefined for nothing, and says what is to be there. */
function changed(
  tree: PlainTree | null,
  path: DocumentPath,
  change: (present: PlainTree | undefined) => PlainTree | undefined,
): PlainTree | null {
  const [step, ...rest] = path;
  if (step === undefined) return change(tree) ?? null;
  const apply = (present: PlainTree | undefined): PlainTree | undefined =>
    rest.length === 0 ? change(present) : changed(present ?? null, rest, change);
  if (Array.isArray(tree) && typeof step === "number") {
    const value = apply(tree[step]);
    return value === undefined ? tree.toSpliced(step, 1) : tree.toSpliced(step, 1, value);
  }
  if (tree === null && typeof step === "number") return [apply(undefined) ?? null];
  const copy = new Map(tree instanceof Map ? tree : []);
  const value = apply(copy.get(String(step)));
  if (value === undefined) copy.delete(String(step));
  else copy.set(String(step), value);
  return copy;
}

function plainValue(value: DocumentValue): PlainTree {
  if (value === null) return null;
  if (typeof value !== "object") return String(value);
  if (isList(value)) return value.map(plainValue);
  return new Map(Object.entries(value).map(([name, item]) => [name, plainValue(item)]));
}
