// COMPATIBILITY.md, made from the keyword tables: what of HAProxy 2.6's language is read, and what is not
// and why.
import { CONVERTERS, FETCHES } from "../../model/sample.ts";
import type { KeywordTable, Support } from "./keyword-table.ts";
import { GLOBAL_KEYWORDS, HTTP_ERRORS_KEYWORDS, SECTIONS, USERLIST_KEYWORDS } from "./keywords-global.ts";
import { BIND_KEYWORDS, SERVER_KEYWORDS } from "./keywords-line.ts";
import { OPTION_KEYWORDS } from "./keywords-option.ts";
import { LEGACY_KEYWORDS, PROXY_KEYWORDS } from "./keywords-proxy.ts";
import { describePlaces } from "./places.ts";

const STATES: Readonly<Record<Support, string>> = {
  done: "yes",
  partly: "partly",
  "no-effect": "accepted, no effect",
  refused: "no",
};

interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly table: KeywordTable;
  /** True where it is worth saying in which sections a keyword can stand. */
  readonly showsPlaces: boolean;
}

const CHAPTERS: readonly Chapter[] = [
  { title: "Sections", text: "", table: SECTIONS, showsPlaces: false },
  { title: "global", text: "", table: GLOBAL_KEYWORDS, showsPlaces: false },
  {
    title: "Proxies",
    text: "Keywords of `defaults`, `frontend`, `listen` and `backend`.",
    table: PROXY_KEYWORDS,
    showsPlaces: true,
  },
  { title: "option …", text: "", table: OPTION_KEYWORDS, showsPlaces: true },
  { title: "bind …", text: "Words behind the address.", table: BIND_KEYWORDS, showsPlaces: false },
  {
    title: "server …, default-server …",
    text: "Words behind the address.",
    table: SERVER_KEYWORDS,
    showsPlaces: false,
  },
  { title: "userlist", text: "", table: USERLIST_KEYWORDS, showsPlaces: false },
  { title: "http-errors", text: "", table: HTTP_ERRORS_KEYWORDS, showsPlaces: false },
  {
    title: "The language of HAProxy 1.5",
    text: "Read as rules of today, with a warning that shows them. `sallyport convert config` writes the file anew.",
    table: LEGACY_KEYWORDS,
    showsPlaces: true,
  },
];

/** The whole file, with a line feed at its end. */
export function renderCompatibility(): string {
  const parts = [
    "# Compatibility with HAProxy 2.6",
    "",
    "Made by `npm run compatibility` from the tables that the reader works with. Do not edit.",
    "",
    "- **yes**: means what it means in HAProxy.",
    "- **partly**: the note says what is missing.",
    "- **accepted, no effect**: read and checked for its place; it tunes something that works differently here.",
    "- **no**: an error, with the reason given here. Nothing is ignored silently.",
    "",
    "A word that HAProxy does not know either is an error that names the nearest word.",
    "",
    ...CHAPTERS.flatMap(renderChapter),
    ...renderNames("Sample fetches", "Other fetches of HAProxy are refused.", Object.keys(FETCHES)),
    ...renderNames("Converters", "Other converters of HAProxy are refused.", Object.keys(CONVERTERS)),
  ];
  return `${parts.join("\n").trimEnd()}\n`;
}

function renderChapter({ title, text, table, showsPlaces }: Chapter): string[] {
  const keywords = [...table.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = keywords.map(({ name, support, places, note }) => {
    const cells = [`\`${name}\``, STATES[support], ...(showsPlaces ? [describePlaces(places)] : []), note];
    return `| ${cells.join(" | ")} |`;
  });
  const head = showsPlaces
    ? ["| keyword | state | sections | note |", "|---|---|---|---|"]
    : ["| keyword | state | note |", "|---|---|---|"];
  const intro = text === "" ? [] : [text, ""];
  return [`## ${title}`, "", ...intro, ...head, ...rows, ""];
}

function renderNames(title: string, text: string, names: readonly string[]): string[] {
  return [
    `## ${title}`,
    "",
    text,
    "",
    names
      .toSorted()
      .map((name) => `\`${name}\``)
      .join(" "),
    "",
  ];
}
