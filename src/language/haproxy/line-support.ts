// What becomes of each line of an haproxy.cfg, by the tables that the reader works with: for people who look
// at their file and want to know what counts. It reads words only; whether their values are right, the reader
// says.
import type { Keyword, KeywordTable, Support } from "./keyword-table.ts";
import { GLOBAL_KEYWORDS, HTTP_ERRORS_KEYWORDS, SECTIONS, USERLIST_KEYWORDS } from "./keywords-global.ts";
import { BIND_KEYWORDS, SERVER_KEYWORDS } from "./keywords-line.ts";
import { OPTION_KEYWORDS } from "./keywords-option.ts";
import { LEGACY_KEYWORDS, PROXY_KEYWORDS } from "./keywords-proxy.ts";
import { lexLine } from "./lexer.ts";

export interface LineSupport {
  /** `none`: nothing stands there. `legacy`: words of HAProxy 1.5, read as those of today. */
  readonly support: Support | "legacy" | "unknown" | "none";
  readonly keyword: string | null;
  /** What is missing, or why it does nothing; null when there is nothing to say. */
  readonly note: string | null;
  /** The section that begins here, with its name; null on all other lines. */
  readonly section: { readonly keyword: string; readonly name: string } | null;
}

const NONE: LineSupport = { support: "none", keyword: null, note: null, section: null };
/** The worse a state, the more it has to be seen. */
const RANK: Readonly<Record<Support, number>> = { done: 0, "no-effect": 1, partly: 2, refused: 3 };

/** One entry for each line of the text. */
export function supportOfLines(text: string): LineSupport[] {
  let section = "";
  return text.split("\n").map((line, index) => {
    // Values do not matter here, so variables may stand for nothing.
    const words = lexLine(line, "", index + 1, () => "").words.map((word) => word.text);
    const found = supportOf(words, section);
    if (found.section !== null) section = found.section.keyword;
    return found;
  });
}

function supportOf(words: readonly string[], section: string): LineSupport {
  const [first = ""] = words;
  if (first === "") return NONE;
  if (first.startsWith(".")) return { ...NONE, support: "done", keyword: first };
  const opened = SECTIONS.get(first);
  if (opened !== undefined) return { ...entry(opened), section: { keyword: first, name: words[1] ?? "" } };
  const plain = first === "no" || first === "default" ? words.slice(1) : words;
  const found = keywordOf(plain, section);
  if (found === null) return { ...NONE, support: "unknown", keyword: plain[0] ?? first };
  if (found.isLegacy) return { ...entry(found.keyword), support: legacySupport(found.keyword) };
  return withWords(entry(found.keyword), plain);
}

function legacySupport({ support }: Keyword): LineSupport["support"] {
  return support === "refused" ? "refused" : "legacy";
}

function entry({ name, support, note }: Keyword): LineSupport {
  return { support, keyword: name, note: note === "" ? null : note, section: null };
}

function keywordOf(
  words: readonly string[],
  section: string,
): { readonly keyword: Keyword; readonly isLegacy: boolean } | null {
  const [first = "", second = ""] = words;
  if (section === "global") return known(inTable(GLOBAL_KEYWORDS, first, second));
  if (section === "userlist") return known(inTable(USERLIST_KEYWORDS, first, second));
  if (section === "http-errors") return known(inTable(HTTP_ERRORS_KEYWORDS, first, second));
  if (first === "option") {
    const option = OPTION_KEYWORDS.get(second);
    return known(option === undefined ? undefined : { ...option, name: `option ${second}` });
  }
  const legacy = LEGACY_KEYWORDS.get(first);
  return legacy === undefined
    ? known(inTable(PROXY_KEYWORDS, first, second))
    : { keyword: legacy, isLegacy: true };
}

function known(keyword: Keyword | undefined): { readonly keyword: Keyword; readonly isLegacy: false } | null {
  return keyword === undefined ? null : { keyword, isLegacy: false };
}

/** Some keywords are two words, such as `timeout client`. */
function inTable(table: KeywordTable, first: string, second: string): Keyword | undefined {
  return table.get(`${first} ${second}`) ?? table.get(first);
}

/** `bind` and `server` lines are as good as the worst of their words. */
function withWords(line: LineSupport, words: readonly string[]): LineSupport {
  const isBind = words[0] === "bind";
  const isServer = words[0] === "server" || words[0] === "default-server" || words[0] === "server-template";
  if (!isBind && !isServer) return line;
  const table = isBind ? BIND_KEYWORDS : SERVER_KEYWORDS;
  const special = words.slice(1).flatMap((word) => {
    const keyword = table.get(word);
    return keyword === undefined || keyword.support === "done" ? [] : [keyword];
  });
  if (special.length === 0) return line;
  const worst = special.reduce((a, b) => (RANK[b.support] > RANK[a.support] ? b : a));
  const note = special.map(({ name, note: why }) => (why === "" ? name : `${name}: ${why}`)).join("; ");
  return { ...line, support: worst.support, note };
}
