// Random words through every parser: whatever comes, they answer with a value or with at least one error, and
// never throw. The seed is in the message of a failure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CONVERTERS, FETCHES } from "../../../model/sample.ts";
import type { Word } from "../word.ts";
import { parseAclLine } from "./acl-parser.ts";
import { parseCondition } from "./condition-parser.ts";
import { recordingContext, wordsOf } from "./expression.fixture.ts";
import { AGREED_LINES } from "./haproxy-lines.fixture.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { parseHttpReturnReply } from "./reply-parser.ts";
import {
  parseHttpAfterResponseRule,
  parseHttpRequestRule,
  parseHttpResponseRule,
  parseRedirect,
  parseTcpRequestRule,
  parseTcpResponseRule,
} from "./rule-parser.ts";
import { parseSampleExpression } from "./sample-parser.ts";

const ROUND_COUNT = 6000;
const PIECES = [
  ..."()[]{}%,.:!\"'\\/-+ \t\0\xff0123456789",
  "if",
  "unless",
  "or",
  "{",
  "}",
  "-i",
  "-m",
  "-f",
  "--",
  "hdr(",
  "txn.a",
  "%[",
  "%{+Q}",
  "path_beg",
  "len",
  "id",
  "status",
  "lower",
  "beg",
  "gt",
  ...Object.keys(FETCHES),
  ...Object.keys(CONVERTERS),
];
const WORDS = Object.values(AGREED_LINES)
  .flat()
  .flatMap((line) => wordsOf(line).map((word) => word.text));

/** A small generator of which a seed says all (mulberry32). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

function randomWords(random: (limit: number) => number): Word[] {
  let column = 1;
  return Array.from({ length: random(7) }, () => {
    let text = "";
    if (random(3) === 0)
      for (let count = random(8); count >= 0; count--) text += PIECES[random(PIECES.length)]!;
    else text = WORDS[random(WORDS.length)]!;
    if (random(4) === 0)
      text =
        text.slice(0, random(text.length + 1)) +
        PIECES[random(PIECES.length)]! +
        text.slice(random(text.length + 1));
    const span = { file: "test.cfg", line: 1, column, endColumn: column + text.length };
    column += text.length + 1;
    return { text, span, isQuoted: false, columns: null };
  });
}

const PARSERS: readonly ((
  words: readonly Word[],
  context: ReturnType<typeof recordingContext>,
) => unknown)[] = [
  (words, context) => words[0] === undefined || parseSampleExpression(words[0], context),
  (words, context) => words[0] === undefined || parseAclLine(words[0], words.slice(1), context),
  (words, context) => words.length === 0 || parseCondition([wordsOf("if")[0]!, ...words], context),
  (words, context) => words[0] === undefined || parseLogFormat(words[0], context, "log"),
  (words, context) => parseHttpRequestRule(words, context),
  (words, context) => parseHttpResponseRule(words, context),
  (words, context) => parseHttpAfterResponseRule(words, context),
  (words, context) => parseTcpRequestRule("connection", words, context),
  (words, context) => parseTcpRequestRule("content", words, context),
  (words, context) => parseTcpResponseRule(words, context),
  (words, context) => parseRedirect(words, context),
  (words, context) => parseHttpReturnReply(words, context, 200),
];

test("random words give a value or errors, with every place inside the line, and never an exception", () => {
  for (let seed = 1; seed <= ROUND_COUNT; seed++) {
    const random = randomOf(seed);
    const words = randomWords(random);
    const parse = PARSERS[seed % PARSERS.length]!;
    const context = recordingContext({ direction: random(2) === 0 ? "request" : "response" });
    const label = `seed ${seed}: ${words.map((word) => word.text).join(" ")}`;
    let result: unknown;
    assert.doesNotThrow(() => {
      result = parse(words, context);
      context.finish();
    }, label);
    const errors = context.diagnostics.filter((one) => one.severity === "error");
    assert.ok(result !== null || errors.length > 0, label);
    const end = (words.at(-1)?.span.endColumn ?? 1) + 1;
    for (const { span, message } of context.diagnostics) {
      assert.ok(message.length > 0 && span.column <= span.endColumn && span.endColumn <= end, label);
    }
  }
});
