import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { knownFiles } from "./mutate.fixture.ts";
import { readDatacenter } from "./reader.ts";
import { datacenterSchema } from "./schema.ts";
import type { JsonSchema } from "./value-type.ts";

const schema = datacenterSchema();
const definitions = schema["$defs"] as Record<string, JsonSchema>;

/**
 * Where and why `value` does not fit; empty when it does. Knows what our schema uses, and fails on anything
 * else.
 */
function faultsOf(value: unknown, rule: JsonSchema, place: string): string[] {
  const faults: string[] = [];
  for (const [keyword, argument] of Object.entries(rule)) {
    switch (keyword) {
      case "$schema":
      case "$defs":
      case "title":
      case "description":
        break;
      case "$ref":
        faults.push(...faultsOf(value, definitions[String(argument).replace("#/$defs/", "")]!, place));
        break;
      case "anyOf":
        if (!(argument as JsonSchema[]).some((one) => faultsOf(value, one, place).length === 0))
          faults.push(`${place}: ${JSON.stringify(value)} is none of ${JSON.stringify(argument)}`);
        break;
      case "type":
        if (
          ![argument].flat().includes(typeOf(value)) &&
          !(typeOf(value) === "integer" && argument === "number")
        )
          faults.push(`${place}: ${JSON.stringify(value)} is no ${argument}`);
        break;
      case "enum":
        if (!(argument as unknown[]).includes(value))
          faults.push(`${place}: ${value} is none of ${argument}`);
        break;
      case "minimum":
        if (typeof value === "number" && value < Number(argument))
          faults.push(`${place}: ${value} is too low`);
        break;
      case "maximum":
        if (typeof value === "number" && value > Number(argument))
          faults.push(`${place}: ${value} is too high`);
        break;
      case "pattern":
        if (typeof value === "string" && !new RegExp(String(argument), "u").test(value))
          faults.push(`${place}: ${value} is not as ${argument}`);
        break;
      case "required":
        for (const name of argument as string[])
          if (typeOf(value) === "object" && !Object.hasOwn(value as object, name))
            faults.push(`${place}: no ${name}`);
        break;
      case "items":
        if (Array.isArray(value))
          faults.push(
            ...value.flatMap((item, index) => faultsOf(item, argument as JsonSchema, `${place}[${index}]`)),
          );
        break;
      case "properties":
      case "patternProperties":
        break;
      case "additionalProperties":
        faults.push(...faultsOfProperties(value, rule, place));
        break;
      default:
        assert.fail(`the validator does not know ${keyword}`);
    }
  }
  return faults;
}

function faultsOfProperties(value: unknown, rule: JsonSchema, place: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const properties = (rule["properties"] ?? {}) as Record<string, JsonSchema>;
  const patterns = Object.keys(rule["patternProperties"] ?? {});
  const rest = rule["additionalProperties"] as JsonSchema | false;
  return Object.entries(value).flatMap(([name, item]) => {
    if (Object.hasOwn(properties, name)) return faultsOf(item, properties[name]!, `${place}.${name}`);
    if (patterns.some((pattern) => new RegExp(pattern, "u").test(name))) return [];
    return rest === false ? [`${place} has ${name}`] : faultsOf(item, rest, `${place}.${name}`);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

test("all that the reader takes without a word fits the schema", () => {
  for (const [name, text] of knownFiles()) {
    const { diagnostics } = readDatacenter([{ name, text }], {
      variables: { SITE: "x" },
      readFile: () => null,
    });
    if (diagnostics.length > 0) continue;
    assert.deepEqual(faultsOf(parse(text, { merge: true }), schema, name), []);
  }
});

test("a wrong key, a wrong word and a number out of its range do not fit", () => {
  for (const [text, fault] of [
    ["hots: {}", /has hots/],
    ["datacenter: a\nhosts: {h: {bonds: {b: {links: a, mode: bad}}}}", /mode/],
    ["datacenter: a\nhosts: {h: {vlans: {v: {link: a, id: 5000}}}}", /id/],
    ["datacenter: a\nhosts: {h: {vlans: {v: {link: a}}}}", /no id/],
    ["datacenter: a\nmachines: {a: {forwarding: yes}}", /forwarding/],
  ] as const)
    assert.match(faultsOf(parse(text), schema, "file").join("\n"), fault);
});

test("every key has a description, and every definition is used", () => {
  const text = JSON.stringify(schema);
  for (const [id, definition] of Object.entries(definitions)) {
    assert.ok(text.includes(`"#/$defs/${id}"`), id);
    for (const [name, property] of Object.entries(
      (definition["properties"] ?? {}) as Record<string, JsonSchema>,
    ))
      assert.equal(typeof property["description"], "string", `${id}.${name}`);
  }
});
