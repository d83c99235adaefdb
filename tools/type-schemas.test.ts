import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DASHBOARD_API, dashboardApi } from "./dashboard-api.ts";
import { schemasOf } from "./type-schemas.ts";

const ROOT = new URL("../", import.meta.url);

test("the OpenAPI file of the dashboard is that of its routes and types", () => {
  assert.equal(readFileSync(new URL(DASHBOARD_API, ROOT), "utf8"), dashboardApi(), "run npm run documents");
});

test("a type brings along all that it names, and nothing else", () => {
  const schemas = schemasOf(["UndoQuestion", "RequestsAnswer"], ROOT);
  assert.deepEqual(Object.keys(schemas), [
    "RequestRecord",
    "RequestTimers",
    "RequestsAnswer",
    "RequestsKept",
    "UndoQuestion",
  ]);
  assert.deepEqual(schemas["UndoQuestion"]!["required"], ["token"]);
});

test("unions of words, optional members, what is extended, and comments are kept", () => {
  const schemas = schemasOf(
    ["ServerCondition", "ExplainRequestQuestion", "CheckFinding", "EventTopic"],
    ROOT,
  );
  assert.ok((schemas["ServerCondition"]!["enum"] as string[]).includes("maintenance"));
  assert.deepEqual(schemas["EventTopic"]!["enum"], ["overview", "servers", "requests"]);
  assert.deepEqual(schemas["ExplainRequestQuestion"]!["required"], ["url"]);
  const [parent] = schemas["CheckFinding"]!["allOf"] as object[];
  assert.deepEqual(parent, { $ref: "#/components/schemas/Diagnostic" });
  const { kind } = (schemas["Diagnostic"]!["properties"] ?? {}) as Record<string, object>;
  assert.equal(kind, undefined);
});

test("a name that no file declares is said", () => {
  assert.throws(() => schemasOf(["Nonsense"], ROOT), /no file of the contract declares Nonsense/);
});
