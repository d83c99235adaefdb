// `h1-case-adjust FROM TO` and `h1-case-adjust-file FILE` of `global` (manual 3.1): how names of headers are
// written for peers that take case for a part of them.
import type { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import { latin1, type Reading } from "./reading.ts";
import type { Word } from "./word.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function readCaseAdjust(reading: Reading, cursor: Cursor): void {
  const from = cursor.expect("a header's name in lower case");
  const to = from === null ? null : cursor.expect("the same name as it is to be written");
  if (from !== null && to !== null) addName(reading, from.text, to.text, to, "");
}

/** The last file counts, and is read when all lines have been: from where HAProxy was started. */
export function readCaseAdjustFile(reading: Reading, cursor: Cursor): void {
  const word = cursor.expect("a file");
  if (word === null) return;
  if (reading.headerNamesFile === null) reading.deferred.push(() => readNames(reading));
  reading.headerNamesFile = word;
}

function readNames(reading: Reading): void {
  const word = reading.headerNamesFile!;
  const bytes = reading.environment.readFile(word.text);
  if (bytes === null) {
    reading.report.error("unreadable-file", word.span, `\`${displayText(word.text)}\` cannot be read`);
    return;
  }
  for (const [index, line] of latin1(bytes).split(/\r?\n/).entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const [from = "", to = "", more] = text.split(/[ \t]+/);
    const place = `in line ${index + 1} of \`${displayText(word.text)}\`, `;
    if (to === "" || more !== undefined)
      reading.report.error("bad-argument", word.span, `${place}there have to be two names`);
    else addName(reading, from, to, word, place);
  }
}

/** `place`: where in a file, "" on a line of the configuration. */
function addName({ report, global }: Reading, from: string, to: string, word: Word, place: string): void {
  const [shownFrom, shownTo] = [displayText(from), displayText(to)];
  const problem = !TOKEN.test(from)
    ? `\`${shownFrom}\` is no name of a header`
    : from !== from.toLowerCase()
      ? `\`${shownFrom}\` is not in lower case`
      : to.toLowerCase() !== from
        ? `\`${shownTo}\` is not \`${shownFrom}\` in another case`
        : null;
  if (problem !== null)
    report.error(
      "bad-argument",
      word.span,
      place + problem,
      "Write the name in lower case, then as it is to be written: `content-length Content-Length`.",
    );
  else if (global.headerNames.some((name) => name.toLowerCase() === from))
    report.error("duplicate-name", word.span, `${place}\`${shownFrom}\` was said before`);
  else global.headerNames = [...global.headerNames, to];
}
