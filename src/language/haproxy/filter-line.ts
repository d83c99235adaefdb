// `filter …` (manual 9): says where a filter stands among others. Compression is all there is, behind
// everything else, so its line only has to be right.
import { cursorOf, type ProxyLine } from "./reading.ts";

export function readFilter(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const kind = cursor.expectOneOf("filter", ["compression"]);
  if (kind === null) return;
  cursor.expectEnd();
  const first = line.draft.filters.get(kind);
  if (first !== undefined)
    line.report.error("conflict", line.span, `there is already a \`filter ${kind}\` in this section`, null, [
      { span: first, message: "it is here" },
    ]);
  else line.draft.filters.set(kind, line.span);
}
