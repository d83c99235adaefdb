// `http-request cache-use NAME` and `http-response cache-store NAME` (manual 6.2.2).
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { CacheAction } from "../../../model/cache.ts";
import type { ExpressionContext } from "../context.ts";
import type { Word } from "../word.ts";
import { quote, reportError } from "./report.ts";
import type { RuleLine } from "./rule-line.ts";

export function readCacheAction(line: RuleLine, kind: CacheAction["kind"]): CacheAction | null {
  const name = line.expect("a cache's name");
  if (name === null) return null;
  checkCache(name, line.context);
  return { kind, cache: name.text };
}

/** Its section may come later. */
export function checkCache(name: Word, context: ExpressionContext): void {
  context.deferCheck(() => {
    if (context.caches.some((cache) => cache.name === name.text)) return;
    const known = context.caches.map((cache) => cache.name);
    const help = suggestWord(name.text, known) ?? `Add a section \`cache ${name.text}\`.`;
    reportError(context, "unknown-cache", name.span, `there is no cache ${quote(name.text)}`, help);
  });
}
