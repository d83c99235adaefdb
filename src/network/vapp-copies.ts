// More copies of a vApp, and fewer: as edits of the file. What each copy is then, `network/resolve/` works
// out.
import type { Datacenter, Vapp } from "../model/datacenter.ts";
import type { DocumentEdit } from "../model/document-edit.ts";

export interface CopyChange {
  /** Full names: "shop.test-a". */
  readonly names: readonly string[];
  readonly edits: readonly DocumentEdit[];
}

export const COPIES_MAX = 1000;

/** `names`: what the copies are called; `count` more get names of their own. A sentence when it cannot be. */
export function addCopies(
  datacenter: Datacenter,
  vappName: string,
  names: readonly string[],
  count: number,
): CopyChange | string {
  const vapp = datacenter.vapps.find(({ name }) => name === vappName);
  if (vapp === undefined) return `there is no vApp ${vappName}`;
  const present = new Set(vapp.copies.map(({ name }) => name));
  const taken = names.find((name, index) => present.has(name) || names.indexOf(name) !== index);
  if (taken !== undefined) return `${vappName} has a copy ${taken} already`;
  if (present.size + names.length + count > COPIES_MAX) return `a vApp has ${COPIES_MAX} copies at most`;
  const added = [...names, ...freeNames(new Set([...present, ...names]), count)];
  const path = ["vapps", vappName, "copies"];
  const { file } = vapp.span;
  // Without `copies` the vApp itself is one: it stays, under its own name.
  const first = vapp.copies.length === 0 ? [vappName] : [];
  const edits = [...first, ...added].map(
    (name): DocumentEdit =>
      isMap(vapp)
        ? { kind: "set", file, path: [...path, name], value: {} }
        : { kind: "append", file, path, value: name },
  );
  return { names: added.map((name) => `${vappName}.${name}`), edits };
}

export function removeCopies(
  datacenter: Datacenter,
  vappName: string,
  names: readonly string[],
): CopyChange | string {
  const vapp = datacenter.vapps.find(({ name }) => name === vappName);
  if (vapp === undefined) return `there is no vApp ${vappName}`;
  const missing = names.find((name) => !vapp.copies.some((copy) => copy.name === name));
  if (missing !== undefined) return `${vappName} has no copy ${missing}`;
  if (names.length === vapp.copies.length)
    return `these are all copies of ${vappName}: remove the vApp from the file instead`;
  const { file } = vapp.span;
  const path = ["vapps", vappName, "copies"];
  const places = names.map((name) =>
    isMap(vapp) ? name : vapp.copies.findIndex((copy) => copy.name === name),
  );
  // From the end, so that places before stay what they are.
  const ordered = [...places].sort((a, b) => (typeof a === "number" && typeof b === "number" ? b - a : 0));
  const edits = ordered.map((place): DocumentEdit => ({ kind: "delete", file, path: [...path, place] }));
  return { names: names.map((name) => `${vappName}.${name}`), edits };
}

/** Whether copies are written with settings of their own: a pinned address is only possible in a map. */
function isMap({ copies }: Vapp): boolean {
  return copies.some(({ address, outside }) => address !== null || outside.length > 0);
}

function freeNames(taken: Set<string>, count: number): string[] {
  const names: string[] = [];
  for (let number = 1; names.length < count; number++) {
    const name = `copy-${number}`;
    if (!taken.has(name)) names.push(name);
  }
  return names;
}
