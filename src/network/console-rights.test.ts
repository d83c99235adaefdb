import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SPAN } from "../diagnostic/span.ts";
import type { ConsoleRight } from "../model/datacenter.ts";
import { consoleAccess, isLike } from "./console-rights.ts";

const located = <T>(value: T) => ({ value, span: NO_SPAN });

function right(user: string, open: readonly string[], look: readonly string[] = []): ConsoleRight {
  return { user: located(user), open: open.map(located), look: look.map(located), span: NO_SPAN };
}

test("a star stands for any letters, and everything else for itself", () => {
  for (const [pattern, name, isMeant] of [
    ["web-001", "web-001", true],
    ["web-001", "web-0011", false],
    ["*", "", true],
    ["*", "shop.test-a/web", true],
    ["web-*", "web-", true],
    ["web-*", "xweb-1", false],
    ["*/web", "shop.test-a/web", true],
    ["*/web", "shop.test-a/web-2", false],
    ["shop.*/w*b", "shop.test-a/web", true],
    ["a*a", "a", false],
    ["a*a*a", "aaa", true],
    ["a*b*c", "abcb", false],
    ["w.b", "web", false],
    ["**", "x", true],
  ] as const)
    assert.equal(isLike(pattern, name), isMeant, `${pattern} ${name}`);
});

test("a pattern that would make a regular expression run for ever is answered at once", () => {
  assert.equal(isLike("*a".repeat(2000), `${"a".repeat(4000)}b`), false);
});

test("without rights all is open; with them what is not given is refused", () => {
  assert.equal(consoleAccess(null, "anna", "db"), "open");
  assert.equal(consoleAccess([], "anna", "db"), null);
  const rights = [right("anna", ["web-*"], ["*"]), right("*", [], ["web-001"])];
  assert.equal(consoleAccess(rights, "anna", "web-007"), "open");
  assert.equal(consoleAccess(rights, "anna", "db"), "look");
  assert.equal(consoleAccess(rights, "ben", "web-001"), "look");
  assert.equal(consoleAccess(rights, "ben", "db"), null);
  assert.equal(consoleAccess([right("anna", [])], "ben", "web-001"), null);
  assert.equal(consoleAccess(rights, "*", "db"), null, "nobody has that name, but nothing comes of it");
});
