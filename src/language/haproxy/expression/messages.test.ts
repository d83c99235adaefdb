// What people read when something is wrong: each file of golden/ has lines, "----", and the messages for
// them. UPDATE_GOLDEN=1 writes the messages anew, to be looked at.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderDiagnostics } from "../../../diagnostic/render.ts";
import type { Word } from "../word.ts";
import { parseAclLine } from "./acl-parser.ts";
import { parseCondition } from "./condition-parser.ts";
import { type RecordingContext, recordingContext, wordsOf } from "./expression.fixture.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { parseHttpReturnReply } from "./reply-parser.ts";
import {
  parseHttpRequestRule,
  parseHttpResponseRule,
  parseTcpRequestRule,
  parseTcpResponseRule,
} from "./rule-parser.ts";

const FOLDER = join(import.meta.dirname, "golden");
const SEPARATOR = "----\n";

/** Parsers by the words that begin a line, and how many of them. */
const PARSERS: Readonly<Record<string, (words: readonly Word[], context: RecordingContext) => unknown>> = {
  acl: (words, context) => parseAclLine(words[0]!, words.slice(1), context),
  condition: (words, context) => parseCondition(words, context),
  "http-error": (words, context) => parseHttpReturnReply(words, context, null),
  "http-request": (words, context) => parseHttpRequestRule(words, context),
  "http-response": (words, context) => parseHttpResponseRule(words, context),
  "log-format": (words, context) => parseLogFormat(words[0]!, context, "log"),
  "tcp-log-format": (words, context) => parseLogFormat(words[0]!, context, "log"),
  "tcp-request connection": (words, context) => parseTcpRequestRule("connection", words, context),
  "tcp-request content": (words, context) => parseTcpRequestRule("content", words, context),
  "tcp-response content": (words, context) => parseTcpResponseRule(words, context),
};

function messagesFor(line: string): string {
  const keyword = Object.keys(PARSERS).find((one) => line.startsWith(`${one} `) || line === one)!;
  const words = wordsOf(line).slice(keyword.split(" ").length);
  const direction = keyword.includes("response") ? "response" : "request";
  const mode = keyword.startsWith("tcp-log") ? "tcp" : "http";
  const context = recordingContext({ direction, mode, files: { junk: "hello" } });
  context.acls.set("known", {
    name: "known",
    tests: [parseAclLine(wordsOf("known")[0]!, wordsOf("path /known"), context)!],
  });
  PARSERS[keyword]!(words, context);
  context.finish();
  return renderDiagnostics(context.diagnostics, { source: () => line, colour: false });
}

for (const file of readdirSync(FOLDER)) {
  test(`the messages of ${file} are those that were agreed on`, () => {
    const path = join(FOLDER, file);
    const [input, expected = ""] = readFileSync(path, "utf8").split(SEPARATOR);
    const messages = input!.trimEnd().split("\n").map(messagesFor);
    assert.ok(!messages.includes(""), `line ${messages.indexOf("") + 1} has nothing wrong`);
    const output = messages.join("\n");
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, `${input}${SEPARATOR}${output}`);
    else assert.equal(output, expected);
  });
}
