import assert from "node:assert/strict";
import { test } from "node:test";
import { type BuildFacts, compareVersions, evaluateBuildCondition } from "./build-condition.ts";

const facts: BuildFacts = {
  variable: (name) => (name === "SET" ? "" : null),
  features: new Set(["OPENSSL"]),
  version: "2.6.0",
  opensslVersion: "3.5.0",
};

function evaluate(text: string): boolean | string {
  const result = evaluateBuildCondition(text, facts);
  return result.ok ? result.value : `${result.offset}: ${result.message}`;
}

test("predicates, negation, parentheses and precedence work as in the manual", () => {
  assert.equal(evaluate(""), false);
  assert.equal(evaluate("0"), false);
  assert.equal(evaluate("-3"), true);
  assert.equal(evaluate("defined(SET) && !defined(UNSET)"), true);
  assert.equal(evaluate("feature(OPENSSL)"), true);
  assert.equal(evaluate("feature(OPEN)"), false);
  assert.equal(evaluate("streq(a,b) || strneq(a,b)"), true);
  assert.equal(evaluate("1 || 1 && 0"), true);
  assert.equal(evaluate("(1 || 1) && 0"), false);
  assert.equal(evaluate("version_atleast(2.4-dev19) && version_before(2.7)"), true);
  assert.equal(evaluate("openssl_version_atleast(3.0.0) && !openssl_version_before(1.1.1a)"), true);
  assert.equal(evaluate("ssllib_name_startswith(OpenSSL)"), true);
});

test("what cannot be read says where", () => {
  assert.equal(evaluate("1 &&"), "4: a condition is expected here");
  assert.equal(evaluate("(1"), "2: a `)` is missing here");
  assert.equal(evaluate("1 x"), "2: unexpected `x` behind the condition");
  assert.match(String(evaluate("streq(a)")), /^0: `streq` takes two arguments/);
  assert.match(String(evaluate("nope(a)")), /^0: `nope` is no predicate/);
});

test("deep nesting is refused, not a crash", () => {
  assert.match(String(evaluate("(".repeat(100_000))), /nested too deeply/);
});

test("versions compare part by part, development versions before their release", () => {
  assert.ok(compareVersions("2.6", "2.6.0") === 0);
  assert.ok(compareVersions("2.10", "2.9") > 0);
  assert.ok(compareVersions("2.4-dev19", "2.4") < 0);
  assert.ok(compareVersions("1.1.1b", "1.1.1a") > 0);
});
