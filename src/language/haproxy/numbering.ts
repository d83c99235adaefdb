// Numbers for what a configuration leaves unnumbered: proxies, servers, binds. The same as HAProxy gives,
// because they appear in its statistics.

/**
 * Replaces each null by a free number, counting from `start`. A given number uses up a turn too: that is
 * how HAProxy counts, so [null, null, 2, null] from 1 becomes [1, 3, 2, 5].
 */
export function assignNumbers(given: readonly (number | null)[], start: number): number[] {
  const used = new Set(given);
  let next = start;
  return given.map((number) => {
    if (number === null) while (used.has(next)) next++;
    const assigned = number ?? next;
    next++;
    return assigned;
  });
}
