import assert from "node:assert/strict";
import { test } from "node:test";
import type { UriNormalizer } from "../../model/rule.ts";
import { createNormalizer } from "./normalize-uri.ts";

function normalize(name: UriNormalizer["name"], text: string, option: "" | "strict" | "full" = "") {
  return createNormalizer({ name, isStrict: option === "strict", isFull: option === "full" })(text);
}

test("a parent segment takes the one before it along, and stays where there is none", () => {
  const cases = {
    "/foo/..": "/",
    "/foo/../": "/",
    "/foo/../bar/": "/bar/",
    "/foo/bar/..": "/foo/",
    "/../bar/": "/../bar/",
    "/bar/../../": "/../",
    "/foo//../": "/foo/",
    "/foo//../../bar/": "/bar/",
    "/..": "/..",
    "/a?x=/../y": "/a?x=/../y",
    "/...": "/...",
    "/foo/%2E%2E/": "/foo/%2E%2E/",
  };
  for (const [before, after] of Object.entries(cases))
    assert.equal(normalize("path-strip-dotdot", before), after);
  assert.equal(normalize("path-strip-dotdot", "/../bar/", "full"), "/bar/");
  assert.equal(normalize("path-strip-dotdot", "/bar/../../", "full"), "/");
});

test("percent encodings become upper case, or characters where those are unreserved", () => {
  assert.equal(normalize("percent-to-uppercase", "/%6f%zz?a=%aa"), "/%6F%zz?a=%AA");
  assert.equal(normalize("percent-decode-unreserved", "/%61dmin%3Fa%7e"), "/admin%3Fa~");
  assert.equal(normalize("percent-decode-unreserved", "/%%36%36"), "/%66");
});

test("strict refuses a malformed percent encoding", () => {
  for (const name of ["percent-to-uppercase", "percent-decode-unreserved"] as const) {
    assert.equal(normalize(name, "/%%36%36", "strict"), null);
    assert.equal(normalize(name, "/%zz", "strict"), null);
    assert.equal(normalize(name, "/a?b=%a", "strict"), null);
    assert.equal(normalize(name, "/%2F", "strict"), "/%2F");
  }
});
