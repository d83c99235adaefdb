import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { compileRegex, expandReplacement, LINEAR_WHEN_SLOW, parseReplacement } from "./regex.ts";

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const compiled = compileRegex(pattern, ignoreCase);
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.error);
  return compiled.value.test(text);
}

const AGREED: readonly (readonly [pattern: string, matching: string, other: string])[] = [
  ["^/api/v[0-9]+/", "/api/v12/x", "/api/vx/"],
  ["[[:alpha:]]+[[:digit:]]", "abc1", "123"],
  ["^[^[:space:]]+$", "abc", "a c"],
  ["^[]a]+$", "]a]", "b"],
  ["^[^]a]+$", "bc", "]"],
  ["\\Aabc\\z", "abc", "xabc"],
  ["^a\\hb$", "a\tb", "a\nb"],
  ["^\\Qa.b\\E$", "a.b", "axb"],
  ["(?i)^ABC", "abcd", "xabc"],
  ["a(?i)b", "aB", "AB"],
  ["(?i:x)y", "Xy", "xY"],
  ["^(?P<word>\\w+)-(?P=word)$", "ab-ab", "ab-cd"],
  ["a{,3}", "a{,3}", "aaa"],
  ["x{2}y", "xxy", "xy"],
  ["^\\x41\\x{42}\\103$", "ABC", "abc"],
  ["^.$", "\r", "\n"],
  ["(?s)^.$", "\n", "ab"],
  ["a(?#note)b", "ab", "a"],
  ["^\\s$", "\v", "\xa0"],
  ["\\.(?:png|jpe?g)$", "/x.jpeg", "/x.jpg/"],
  ["^[\\w.-]+@", "a.b-c@", "@"],
  ["^\\/\\-\\_$", "/-_", "x"],
  ["^(a(?i)b|c)$", "C", "A"],
  ["^(?i)a(?-i)b$", "Ab", "aB"],
  ["^((?i)a)b$", "Ab", "AB"],
  ["(?i)^\\Qa.B\\E\\x43$", "A.bc", "axbc"],
  ["(?i)^(ab)-\\1$", "aB-Ab", "ab-ac"],
  ["(?im)^b$", "a\nB\nc", "ab"],
];

test("patterns mean what they mean to PCRE", () => {
  for (const [pattern, matching, other] of AGREED) {
    assert.equal(matches(pattern, matching), true, `${pattern} on ${JSON.stringify(matching)}`);
    assert.equal(matches(pattern, other), false, `${pattern} on ${JSON.stringify(other)}`);
  }
});

test("in any case, letters mean both of theirs, alone, in brackets and in ranges, and no other sign does", () => {
  const caseless: readonly (readonly [pattern: string, same: string])[] = [
    ["a", "Aa"],
    ["[a-f_]", "abcdefABCDEF_"],
    ["[X-b]", "XYZxyz[\\]^_`abAB"],
    ["[^a-y]", ""],
    ["[[:upper:]]", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"],
    ["[\\x41\\142-c]", "AaBbCc"],
    ["[\\w]", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"],
    ["[k-]", "kK-"],
    ["[\\-k]", "kK-"],
    ["[\\s-k]", "kK-\t\n\v\f\r "],
    ["\\d", "0123456789"],
    ["\\xe4", "\xe4"],
    ["\\xff", "\xff"],
  ];
  for (const [pattern, same] of caseless) {
    for (let code = 0; code < 256; code++) {
      const letter = String.fromCharCode(code);
      const isIn = pattern === "[^a-y]" ? !/[a-yA-Y]/.test(letter) : same.includes(letter);
      assert.equal(matches(`^${pattern}\\z`, letter, true), isIn, `${pattern} on ${JSON.stringify(letter)}`);
    }
  }
});

test("what would try for years ends at once, in any case too", () => {
  setFlagsFromString(LINEAR_WHEN_SLOW);
  for (const ignoreCase of [false, true]) {
    for (const pattern of ["^(a+)+$", "^(a|a?)+$", "^(([a-z])+.)+[0-9]$", "(?s)^(.*a.*)*b$"])
      assert.equal(matches(pattern, `${"a".repeat(200)}!`, ignoreCase), false, pattern);
  }
});

test("what JavaScript cannot do is refused with its reason", () => {
  const reasons: Readonly<Record<string, string>> = {
    "a++b": "possessive quantifiers (++) are not supported",
    "(?>a)": "atomic groups (?>…) are not supported",
    "(?R)": "recursion is not supported",
    "(?(1)a|b)": "conditional groups (?(…)…) are not supported",
    "(?|a|b)": "branch reset groups (?|…) are not supported",
    "(*UTF8)a": "verbs such as (*UTF8) are not supported",
    "(?x)a b": "the modifier (?x) is not supported",
    "(a": "a parenthesis is not closed",
    "a)": "a closing parenthesis has no opening one",
    "[a": "a bracket is not closed",
    "[[:nope:]]": "there is no character class [:nope:]",
    "a\\": "it ends in a backslash",
    "\\pL": "the escape \\p is not supported",
  };
  for (const [pattern, reason] of Object.entries(reasons)) {
    const compiled = compileRegex(pattern, false);
    assert.deepEqual(compiled, { ok: false, error: reason }, pattern);
  }
  assert.equal(compileRegex("*a", false).ok, false);
});

test("bytes above 0x7f match their escapes", () => {
  assert.equal(matches("^\\xe4$", "\xe4"), true);
  assert.equal(matches("^[\\x80-\\xff]+$", "\xc3\xa4"), true);
});

test("a replacement puts in groups, bytes and escaped characters", () => {
  const match = /(a)(x)?(b)/.exec("ab")!;
  const expand = (text: string) => expandReplacement(parseReplacement(text)!, match);
  assert.equal(expand("<\\0|\\1|\\2|\\3|\\9>"), "<ab|a||b|>");
  assert.equal(expand("\\x41\\\\\\n"), "A\\n");
  assert.equal(parseReplacement("x\\"), null);
});
