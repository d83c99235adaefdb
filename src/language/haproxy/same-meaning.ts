// Whether two readings mean the same: equal in everything but the places in the files. This is what makes a
// fix safe, for it holds whatever the fix was.
import type { ProxyConfiguration } from "../../model/proxy.ts";

export function isSameMeaning(one: ProxyConfiguration, other: ProxyConfiguration): boolean {
  return isSame(withFilesOnly(one), withFilesOnly(other));
}

/**
 * What stands on a line is compared there; a list is the same wherever it comes in the order of all lists.
 */
function withFilesOnly(configuration: ProxyConfiguration): unknown {
  const files = configuration.patternLists.filter(({ path }) => path !== null);
  const contents = files.map(({ path, hasValues, entries }) => ({ path, hasValues, entries }));
  return { ...configuration, patternLists: contents.sort((a, b) => (a.path! < b.path! ? -1 : 1)) };
}

function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (isSpan(one) && isSpan(other)) return true;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Map) return isSame([...one], [...(other as Map<unknown, unknown>)]);
  if (one instanceof Set) return isSame([...one], [...(other as Set<unknown>)]);
  const names = namesOf(one);
  return (
    names.length === namesOf(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(fieldOf(one, name), fieldOf(other, name)))
  );
}

function fieldOf(of: object, name: string): unknown {
  return (of as Readonly<Record<string, unknown>>)[name];
}

/**
 * Where only places are kept, by the words that stand there, what `mode` and `option forceclose` mean is in
 * other fields.
 */
function namesOf(value: object): string[] {
  const isTest = "patterns" in value && "lists" in value;
  const names = Object.keys(value).filter((name) => !(isTest && name === "lists"));
  const isPlaces = Object.values(value).every(
    (one) => typeof one === "object" && one !== null && isSpan(one),
  );
  return isPlaces && !Array.isArray(value) ? names.filter((name) => !/^(?:mode$|option )/.test(name)) : names;
}

function isSpan(value: object): boolean {
  return "file" in value && "line" in value && "column" in value && "endColumn" in value;
}
