// Parts of a request target (RFC 9112, 3.2): where its path and its query are. Absolute forms lose their
// scheme and authority; `*` and authority forms have no path.

/** Path with query; undefined when the target has none. */
export function pathAndQueryOf(target: string): string | undefined {
  const start = pathStart(target);
  return start < 0 ? undefined : start === 0 ? target : target.slice(start);
}

/** Path without query. */
export function pathOf(target: string): string | undefined {
  const start = pathStart(target);
  if (start < 0) return undefined;
  const end = target.indexOf("?", start);
  return end < 0 ? (start === 0 ? target : target.slice(start)) : target.slice(start, end);
}

/** Where the path begins, or -1. */
export function pathStart(target: string): number {
  if (target.charCodeAt(0) === 47) return 0;
  if (target === "" || target === "*") return -1;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(target);
  if (scheme === null) return -1;
  let at = scheme[0].length;
  while (at < target.length && target[at] !== "/") at++;
  return at < target.length ? at : -1;
}

/** What follows the first question mark; undefined without one. */
export function queryOf(target: string): string | undefined {
  const mark = target.indexOf("?");
  return mark < 0 ? undefined : target.slice(mark + 1);
}
