// Whose a unix socket is and who may use it: `mode`, `user`, `uid`, `group` and `gid` of a `bind` line
// (manual 5.1), and `unix-bind` of the global section, which says it for those of all `bind` lines (manual
// 3.1).
import type { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { Reading } from "./reading.ts";
import { expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

export interface UnixSocketWords {
  /** Octal permissions; null: the process's own way. */
  mode: number | null;
  uid: number | null;
  gid: number | null;
}

export interface UnixBind extends UnixSocketWords {
  /** In front of the paths of all sockets. */
  prefix: string;
}

export const NO_UNIX_BIND: UnixBind = { prefix: "", mode: null, uid: null, gid: null };

/** Where the machine keeps the names. */
const ACCOUNTS = { user: "/etc/passwd", group: "/etc/group" } as const;

/** False: it is another word. */
export function readUnixSocketWord(
  reading: Reading,
  word: Word,
  cursor: Cursor,
  words: UnixSocketWords,
): boolean {
  switch (word.text) {
    case "mode":
      words.mode = readMode(cursor);
      return true;
    case "uid":
      words.uid = expectInteger(cursor, "a number", 0);
      return true;
    case "gid":
      words.gid = expectInteger(cursor, "a number", 0);
      return true;
    case "user":
      words.uid = readAccount(reading, "user", cursor);
      return true;
    case "group":
      words.gid = readAccount(reading, "group", cursor);
      return true;
  }
  return false;
}

/** `unix-bind [prefix P] [mode M] [user U] [uid N] [group G] [gid N]`. */
export function readUnixBind(reading: Reading, cursor: Cursor): UnixBind {
  const words: UnixBind = { ...NO_UNIX_BIND };
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (word.text === "prefix") words.prefix = cursor.expect("the start of a path")?.text ?? "";
    else if (!readUnixSocketWord(reading, word, cursor, words))
      cursor.unknown(word, "word of `unix-bind`", ["prefix", "mode", "user", "uid", "group", "gid"]);
  }
  return words;
}

function readMode(cursor: Cursor): number | null {
  const word = cursor.expect("permissions in octal");
  if (word === null) return null;
  if (/^0?[0-7]{3}$/.test(word.text)) return Number.parseInt(word.text, 8);
  cursor.report.error(
    "bad-number",
    word.span,
    `\`${displayText(word.text)}\` is no mode of a file`,
    "Write three octal digits, such as 660.",
  );
  return null;
}

/**
 * Only a warning when there is none of that name: the file may be checked on another machine than its own.
 */
function readAccount({ environment }: Reading, kind: keyof typeof ACCOUNTS, cursor: Cursor): number | null {
  const word = cursor.expect(kind === "user" ? "a user's name" : "a group's name");
  if (word === null) return null;
  if (/^\d+$/.test(word.text)) return Number(word.text);
  const file = ACCOUNTS[kind];
  const bytes = environment.readFile(file);
  const lines = bytes === null ? [] : Buffer.from(bytes).toString("latin1").split("\n");
  for (const line of lines) {
    const [name, , number = ""] = line.split(":");
    if (name === word.text && /^\d+$/.test(number)) return Number(number);
  }
  cursor.report.warning(
    "unknown-account",
    word.span,
    `${file} has no ${kind} \`${displayText(word.text)}\`, so the socket keeps its owner`,
    kind === "user"
      ? "Write a name of this machine, or `uid NUMBER`."
      : "Write a name of this machine, or `gid NUMBER`.",
  );
  return null;
}
