// The normalizers of `http-request normalize-uri` (HAProxy 2.6 manual, section 4.2; RFC 3986, section 6.2.2).
// Each takes a path with its query and gives it back in its normal form, or null where `strict` finds a
// malformed percent encoding.
import type { UriNormalizer } from "../../model/rule.ts";

type Normalize = (pathAndQuery: string) => string | null;

/** `isStrict`: refuse what is malformed. `isFull`: also remove a leading "/../". */
export function createNormalizer({ name, isStrict, isFull }: UriNormalizer): Normalize {
  switch (name) {
    case "fragment-encode":
      return (text) => text.replaceAll("#", "%23");
    case "fragment-strip":
      return (text) => cutAt(text, "#")[0];
    case "path-merge-slashes":
      return ofPath((path) => path.replace(/\/{2,}/g, "/"));
    case "path-strip-dot":
      return ofPath((path) => path.replace(/(?:\/\.(?=\/|$))+(\/|$)/g, "/"));
    case "path-strip-dotdot":
      return ofPath((path) => stripParents(path, isFull));
    case "percent-decode-unreserved":
      return ofPercent(isStrict, (encoded) => {
        const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
        return /[A-Za-z0-9._~-]/.test(character) ? character : encoded;
      });
    case "percent-to-uppercase":
      return ofPercent(isStrict, (encoded) => encoded.toUpperCase());
    case "query-sort-by-name":
      return sortQuery;
  }
}

function ofPath(change: (path: string) => string): Normalize {
  return (text) => {
    const [path, query] = cutAt(text, "?");
    return change(path) + query;
  };
}

/** One pass from left to right: what decoding brings forth is not decoded again. */
function ofPercent(isStrict: boolean, change: (encoded: string) => string): Normalize {
  return (text) => {
    if (isStrict && /%(?![0-9A-Fa-f]{2})/.test(text)) return null;
    return text.replace(/%[0-9A-Fa-f]{2}/g, change);
  };
}

/** "/.." takes the segment before it along; what is left over stays in front, unless `isFull`. */
function stripParents(path: string, isFull: boolean): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment !== "..") {
      kept.push(segment);
      continue;
    }
    if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isFull) kept.push("..");
    if (index === segments.length - 1 && kept.at(-1) !== "..") kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** Stable, by name only: several values of one name keep their order. */
function sortQuery(text: string): string {
  const [path, query] = cutAt(text, "?");
  if (query.length < 2) return text;
  const named = query
    .slice(1)
    .split("&")
    .map((parameter) => ({ parameter, name: cutAt(parameter, "=")[0] }));
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return `${path}?${named.map(({ parameter }) => parameter).join("&")}`;
}

/** The text up to the first `mark`, and the rest with it. */
function cutAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}
