import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SPAN } from "../../diagnostic/span.ts";
import {
  CONVERTERS,
  type ConverterName,
  FETCHES,
  type FetchName,
  type SampleExpression,
} from "../../model/sample.ts";
import { makeBackend } from "../balance/backend.fixture.ts";
import { PatternLists } from "../rules/patterns/pattern-lists.ts";
import { createCheckSamples } from "./check-samples.ts";
import type { CheckContext } from "./check-step.ts";

const clock = { nowMs: 0, wallClockMs: 0, random: () => 0 };
const samples = createCheckSamples(clock, "node", new PatternLists([]));

function sample(name: FetchName, argument: string | number | null, ...converters: ConverterName[]) {
  const expression: SampleExpression = {
    fetch: { name, arguments: argument === null ? [] : [argument] },
    converters: converters.map((converter) => ({ name: converter, arguments: [] })),
    text: name,
    span: NO_SPAN,
  };
  return expression;
}

function contextOf(reply: string): CheckContext {
  const server = makeBackend({ a: {} }).servers[0]!;
  return { server, nowSeconds: 0, variables: new Map([["check.code", 7]]), reply };
}

test("rules of checks read the reply, variables, and the server's own names", () => {
  const context = contextOf("HTTP/1.1 202 Accepted\r\nx-name: one, two\r\n\r\n");
  assert.equal(samples.value(sample("res.fhdr", "x-name", "upper"), context), "ONE, TWO");
  assert.equal(samples.value(sample("res.hdr_cnt", "x-name"), context), 2);
  assert.equal(samples.value(sample("status", null), context), 202);
  assert.equal(samples.value(sample("var", "check.code"), context), 7);
  assert.equal(samples.value(sample("srv_name", null), context), "a");
});

test("without a whole head there is no response to read", () => {
  const context = contextOf("+PONG\r\n");
  assert.equal(samples.value(sample("res.hdr", "x-name"), context), undefined);
  assert.equal(samples.value(sample("res.len", null), context), 7);
});

test("what only a client's connection could tell has no value, and nothing throws", () => {
  const context = contextOf("HTTP/1.1 200 OK\r\n\r\n");
  assert.equal(samples.value(sample("src", null), context), undefined);
  for (const name of Object.keys(FETCHES) as FetchName[]) {
    if (FETCHES[name].parameters.length === 0) samples.value(sample(name, null), context);
  }
  for (const name of Object.keys(CONVERTERS) as ConverterName[]) {
    if (CONVERTERS[name].parameters.every((shape) => shape.endsWith("?")))
      samples.value(sample("res.len", null, name), context);
  }
});
