// Replies for errors: `errorfile`, `errorfiles`, `errorloc…`, `http-error` (manual 4.2), and the lines of
// `http-errors` sections (3.8).

import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { ErrorReply } from "../../model/proxy.ts";
import type { ReplyDefinition } from "../../model/rule.ts";
import type { Cursor } from "./cursor.ts";
import { parseHttpRequestRule } from "./expression/rule-parser.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, latin1, type ProxyLine, type Reading } from "./reading.ts";
import type { Word } from "./word.ts";

/** Statuses that HAProxy itself can answer with. */
export const ERROR_STATUSES: readonly number[] = [
  200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504,
];

export function readErrorFile(line: ProxyLine): void {
  const read = readStatusAndFile(line.reading, cursorOf(line));
  if (read !== null) setReply(line, { status: read.status, reply: read.reply, span: line.span });
}

/** "STATUS FILE"; null after an error. */
export function readStatusAndFile(
  reading: Reading,
  cursor: Cursor,
): { status: number; reply: ReplyDefinition } | null {
  const status = expectStatus(cursor);
  const path = cursor.expect("a file");
  cursor.expectEnd();
  if (status === null || path === null) return null;
  const reply = readReplyFile(reading, path, status);
  return reply === null ? null : { status, reply };
}

function readReplyFile(reading: Reading, path: Word, status: number): ReplyDefinition | null {
  const bytes = path.text === "/dev/null" ? new Uint8Array(0) : reading.readFile(path.text);
  if (bytes === null) {
    reading.report.error("missing-file", path.span, `the file \`${displayText(path.text)}\` cannot be read`);
    return null;
  }
  if (bytes.length > 0 && !latin1(bytes.subarray(0, 5)).startsWith("HTTP/")) {
    const help =
      "It holds a whole HTTP response: `HTTP/1.0 503 Service Unavailable`, headers, an empty line, the page.";
    reading.report.error(
      "bad-error-file",
      path.span,
      `\`${displayText(path.text)}\` does not begin with an HTTP status line`,
      help,
    );
    return null;
  }
  return { status, content: { kind: "raw", bytes }, headers: [] };
}

function expectStatus(cursor: Cursor): number | null {
  const word = cursor.expect("a status");
  if (word === null) return null;
  const status = /^\d{3}$/.test(word.text) ? Number(word.text) : 0;
  if (ERROR_STATUSES.includes(status)) return status;
  cursor.report.error(
    "bad-number",
    word.span,
    `there is no reply of our own for status \`${displayText(word.text)}\``,
    `Possible: ${ERROR_STATUSES.join(", ")}.`,
  );
  return null;
}

function setReply(line: ProxyLine, reply: ErrorReply): void {
  const { draft } = line;
  draft.errorReplies = [...draft.errorReplies.filter((other) => other.status !== reply.status), reply];
}

export function readErrorLocation(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const status = expectStatus(cursor);
  const location = cursor.expect("a location");
  cursor.expectEnd("warning");
  if (status === null || location === null) return;
  const code = line.keyword.text === "errorloc303" ? 303 : 302;
  setReply(line, { status, reply: { location: location.text, code }, span: line.span });
}

/** `errorfiles SECTION [STATUS …]`. */
export function readErrorFiles(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("the name of an `http-errors` section");
  if (name === null) return;
  const section = line.reading.httpErrors.get(name.text);
  if (section === undefined) {
    const help =
      suggestWord(name.text, line.reading.httpErrors.keys()) ??
      `Add a section \`http-errors ${displayText(name.text)}\`.`;
    line.report.error(
      "unknown-name",
      name.span,
      `there is no \`http-errors\` section \`${displayText(name.text)}\``,
      help,
    );
    return;
  }
  const wanted: number[] = [];
  while (!cursor.isAtEnd) {
    const status = expectStatus(cursor);
    if (status !== null) wanted.push(status);
  }
  for (const [status, reply] of section) {
    if (wanted.length === 0 || wanted.includes(status)) setReply(line, { status, reply, span: line.span });
  }
}

/** `http-error status N …` has the arguments of `http-request return`. */
export function readHttpError(line: ProxyLine): void {
  const action: Word = { ...line.keyword, text: "return" };
  const rule = parseHttpRequestRule(
    [action, ...line.words.slice(1)],
    line.reading.contextFor(line.draft, "response"),
  );
  if (rule === null) return;
  if (rule.action.kind === "return")
    setReply(line, { status: rule.action.reply.status, reply: rule.action.reply, span: line.span });
  if (rule.condition !== null)
    line.report.error(
      "unexpected-word",
      rule.condition.span,
      "`http-error` takes no condition",
      "Use `http-request return`.",
    );
}
