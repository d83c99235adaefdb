// What an edit makes of a file's lines, for people who decide whether they want it.
import type { CheckFix } from "../../model/dashboard-api.ts";

type LineChange = CheckFix["changes"][number];

/** Lines that differ, by their numbers in the old text; those that are new have no old one beside them. */
export function changedLines(file: string, before: string, after: string): LineChange[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let [oldEnd, freshEnd] = [old.length, fresh.length];
  while (oldEnd > start && freshEnd > start && old[oldEnd - 1] === fresh[freshEnd - 1]) {
    oldEnd--;
    freshEnd--;
  }
  const length = Math.max(oldEnd, freshEnd) - start;
  return Array.from({ length }, (_, i): LineChange => {
    const at = start + i;
    return {
      file,
      line: at + 1,
      before: at < oldEnd ? old[at]! : null,
      after: at < freshEnd ? fresh[at]! : null,
    };
  }).filter(({ before: one, after: other }) => one !== other);
}
