// The file behind `crt-list` (manual 5.1): lines of `CERTIFICATE [OPTIONS] NAMES…`. A comment begins a line;
// behind a name HAProxy takes it for more names, and so it is here. No certificate is read.
import type { Span } from "../../diagnostic/span.ts";
import type { CrtListLine } from "../../model/crt-list.ts";
import type { BindTls, TlsCommon } from "../../model/proxy.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { displayText } from "./lexer.ts";
import { Report } from "./report.ts";
import { newTlsDraft, readPath, readTlsWord, resolvePath } from "./tls-words.ts";
import { type Word, wordAt } from "./word.ts";

/** Where relative paths begin: `crt-base` and `ca-base`. */
export interface CrtListBases {
  readonly crtBase: string | null;
  readonly caBase: string | null;
}

export interface CrtListReading {
  readonly lines: readonly CrtListLine[];
  readonly report: Report;
}

/** All lines that can be read, and everything that is wrong with the others. */
export function readCrtList(text: string, file: string, bases: CrtListBases): CrtListReading {
  const report = new Report();
  const lines = text.split("\n").flatMap((line, i) => {
    const read = readCrtListLine(line, i + 1, { file, line: i + 1 }, bases, report);
    return read === null ? [] : [read];
  });
  return { lines, report };
}

/** Null for an empty line, for a comment, and for what cannot be read. */
export function readCrtListLine(
  text: string,
  line: number,
  place: Pick<Span, "file" | "line">,
  bases: CrtListBases,
  report: Report,
): CrtListLine | null {
  const [, path, options = "", names = ""] =
    /^\s*([^\s#][^\s[]*)\s*(?:\[([^\]]*)(?:\]|$))?(.*)$/.exec(text.replace(/\r$/, "")) ?? [];
  if (path === undefined) return null;
  const words = splitWords(options);
  const span = { ...place, column: 1, endColumn: text.length + 1 };
  const tls = readOptions(
    words.map((word) => wordAt(word, span)),
    bases.caBase,
    report,
  );
  return {
    path: resolvePath(path, bases.crtBase),
    line,
    tls,
    options: words.join(" "),
    filters: splitWords(names),
  };
}

function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

type Draft = Mutable<TlsCommon & Partial<Pick<BindTls, "verify" | "caVerifyFile">>>;

function readOptions(words: readonly Word[], caBase: string | null, report: Report): Partial<BindTls> {
  const draft: Draft = newTlsDraft();
  const cursor = new Cursor(words, 0, report);
  for (let word = cursor.next(); word !== null; word = cursor.next()) readOption(word, cursor, draft, caBase);
  // What is not said is as the `bind` line has it.
  return Object.fromEntries(
    Object.entries(draft).filter(
      ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
    ),
  ) as Partial<BindTls>;
}

function readOption(word: Word, cursor: Cursor, draft: Draft, caBase: string | null): void {
  switch (word.text) {
    case "verify":
      draft.verify = cursor.expectOneOf("way to verify", ["none", "optional", "required"]) ?? "none";
      return;
    case "ca-verify-file":
      draft.caVerifyFile = readPath(cursor, caBase);
      return;
    case "allow-0rtt":
    case "no-ca-names":
      return; // Early data is not taken, and names of authorities are sent, as on `bind`.
    case "ssl-min-ver":
      if (cursor.take("SSLv3") === null) break;
      // The least there is.
      draft.minVersion = "TLSv1.0";
      return;
  }
  if (ALLOWED.has(word.text) && readTlsWord(word, cursor, draft, caBase)) return;
  cursor.report.error(
    "unknown-keyword",
    word.span,
    `unknown ssl keyword ${displayText(word.text)}`,
    "Possible between brackets: allow-0rtt, ca-verify-file, no-ca-names, verify, " +
      `${[...ALLOWED].join(", ")}.`,
  );
}

/** Of the words that `bind` has, too. */
const ALLOWED: ReadonlySet<string> = new Set([
  "alpn",
  "ca-file",
  "ciphers",
  "ciphersuites",
  "crl-file",
  "curves",
  "ecdhe",
  "ssl-max-ver",
  "ssl-min-ver",
]);
