import assert from "node:assert/strict";
import { test } from "node:test";
import { displayText, lexLine, utf8Units } from "./lexer.ts";
import { quoteWord } from "./quote.ts";
import { spanInside } from "./word.ts";

const variables: Readonly<Record<string, string>> = {
  NAME: "value",
  EMPTY: "",
  LIST: "a b  c",
  ".LINE": "7",
};
const lookup = (name: string): string | null => variables[name] ?? null;

function words(text: string): string[] {
  const { words: found, problem } = lexLine(text, "f", 1, lookup);
  assert.equal(problem, null);
  return found.map((word) => word.text);
}

function problem(text: string): string | undefined {
  return lexLine(text, "f", 1, lookup).problem?.code;
}

test("words are separated by spaces and tabs, and a comment ends the line", () => {
  assert.deepEqual(words("\tbind  *:80\tssl # comment"), ["bind", "*:80", "ssl"]);
  assert.deepEqual(words("daemon#comment"), ["daemon"]);
  assert.deepEqual(words("   "), []);
});

test("a carriage return ends the line, so files from Windows read the same", () => {
  assert.deepEqual(words("mode http\r"), ["mode", "http"]);
});

test("backslashes escape what the manual says and stay before anything else", () => {
  assert.deepEqual(words("a\\ b \\# \\\\ \\' \\\" \\x41\\x0a \\t\\n\\r \\1 \\."), [
    "a b",
    "#",
    "\\",
    "'",
    '"',
    "A\n",
    "\t\n\r",
    "\\1",
    "\\.",
  ]);
});

test("double quotes protect spaces and quotes and let variables and escapes through", () => {
  assert.deepEqual(words('"a b" x"y z"w "it\'s" "#" "\\$NAME" "$NAME" "${NAME}x"'), [
    "a b",
    "xy zw",
    "it's",
    "#",
    "$NAME",
    "value",
    "valuex",
  ]);
});

test("single quotes protect everything", () => {
  assert.deepEqual(words(`'a b' '$NAME' '\\1' '"' ''`), ["a b", "$NAME", "\\1", '"', ""]);
});

test("a dollar sign outside double quotes is a dollar sign", () => {
  assert.deepEqual(words("^/(here)(/|$) $NAME"), ["^/(here)(/|$)", "$NAME"]);
});

test("a default replaces a variable that is not set, but not an empty one", () => {
  assert.deepEqual(words('"${MISSING-x y}" "${EMPTY-x}" "${MISSING}"'), ["x y", "", ""]);
});

test("a list becomes several words only when asked to", () => {
  assert.deepEqual(words('"$LIST" "${LIST[*]}" end'), ["a b  c", "a", "b", "c", "end"]);
});

test("pseudo-variables are known and others beginning with a dot are not", () => {
  assert.deepEqual(words('"${.LINE}"'), ["7"]);
  assert.equal(problem('"${.NOPE}"'), "bad-variable-name");
});

test("what cannot be read is one problem", () => {
  assert.equal(problem('a "b'), "unmatched-quote");
  assert.equal(problem("a 'b"), "unmatched-quote");
  assert.equal(problem("\\x4"), "bad-escape");
  assert.equal(problem('"${NAME"'), "unmatched-brace");
  assert.equal(problem('"${NAME[1]}"'), "bad-expansion");
  assert.equal(problem('"$1"'), "bad-variable-name");
});

test("a word knows the columns of its characters through quotes and escapes", () => {
  const [, word] = lexLine('x a\\ "b"c', "f", 3, lookup).words;
  assert.equal(word!.text, "a bc");
  assert.deepEqual([word!.span.column, word!.span.endColumn], [3, 10]);
  assert.deepEqual(spanInside(word!, 2, 3), { file: "f", line: 3, column: 7, endColumn: 9 });
  assert.deepEqual(spanInside(word!, 3, 4), { file: "f", line: 3, column: 9, endColumn: 10 });
});

test("characters beyond ASCII are their UTF-8 bytes, as in HAProxy", () => {
  const [word] = lexLine("é\\xff", "f", 1, lookup).words;
  assert.equal(word!.text, "\xc3\xa9\xff");
  assert.equal(displayText(utf8Units("é…")), "é…");
});

test("a quoted word is read back as it was, whatever bytes are in it", () => {
  const random = seeded(42);
  for (let round = 0; round < 3000; round++) {
    const text = String.fromCharCode(
      ...Array.from({ length: 1 + Math.floor(random() * 8) }, () => Math.floor(random() * 256)),
    );
    const quoted = quoteWord(text);
    assert.deepEqual(words(quoted), [text], JSON.stringify({ text, quoted }));
  }
});

test("any text at all gives words or a problem, with columns inside the line", () => {
  const random = seeded(7);
  const alphabet = ` \t"'\\$#{}[]*-x41aN_.é\r\v😀\ud800`;
  for (let round = 0; round < 5000; round++) {
    const text = Array.from(
      { length: Math.floor(random() * 24) },
      () => alphabet[Math.floor(random() * alphabet.length)],
    ).join("");
    const { words: found, problem: fault } = lexLine(text, "f", 1, lookup);
    for (const { span } of [...found, ...(fault === null ? [] : [fault])]) {
      assert.ok(
        span.column >= 1 && span.column <= span.endColumn && span.endColumn <= text.length + 2,
        JSON.stringify({ text, span }),
      );
    }
  }
});

function seeded(seed: number): () => number {
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x80000000;
  };
}
