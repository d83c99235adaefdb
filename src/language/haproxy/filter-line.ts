// `filter …` (manual 9): says where a filter stands among others. Those there are have their places: the
// cache keeps what is not compressed yet. So these lines only have to be right.
import { checkCache } from "./expression/cache-actions.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";

export function readFilter(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const kind = cursor.expectOneOf("filter", ["cache", "compression"]);
  if (kind === null) return;
  const cache = kind === "cache" ? cursor.expect("a cache's name") : null;
  if (kind === "cache" && cache === null) return;
  cursor.expectEnd();
  if (cache !== null) checkCache(cache, line.reading.contextFor(line.draft, "request"));
  const key = cache === null ? kind : `cache ${cache.text}`;
  const first = line.draft.filters.get(key);
  if (first !== undefined)
    line.report.error(
      "conflict",
      line.span,
      `there is already a \`filter ${displayText(key)}\` in this section`,
      null,
      [{ span: first, message: "it is here" }],
    );
  else line.draft.filters.set(key, line.span);
}
