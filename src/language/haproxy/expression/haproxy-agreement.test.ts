// Compares what these parsers accept with what `haproxy -c` accepts. Skipped, by name, where HAProxy 2.6 is
// missing.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Word } from "../word.ts";
import { parseAclLine } from "./acl-parser.ts";
import { parseCondition } from "./condition-parser.ts";
import { recordingContext, showDiagnostic, wordsOf } from "./expression.fixture.ts";
import { AGREED_LINES, REFUSED_LINES } from "./haproxy-lines.fixture.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import {
  parseHttpAfterResponseRule,
  parseHttpRequestRule,
  parseHttpResponseRule,
  parseTcpRequestRule,
  parseTcpResponseRule,
} from "./rule-parser.ts";

const HAPROXY = "/usr/sbin/haproxy";
const skip = isHaproxyThere() ? false : "HAProxy 2.6 is not installed";

/** Keyword, and what stands behind it. */
type Line = readonly [string, string];

const DIRECTORY = mkdtempSync(join(tmpdir(), "sallyport-agreement-"));
const PATH = join(DIRECTORY, "test.cfg");
after(() => rmSync(DIRECTORY, { recursive: true }));

test("HAProxy 2.6 and Sallyport accept and refuse the same lines", { skip }, () => {
  const lines = Object.entries(AGREED_LINES).flatMap(([keyword, rest]) =>
    rest.map((line): Line => [keyword, line]),
  );
  assert.ok(lines.length >= 120);
  const refusedThere = linesRefusedByHaproxy(lines);
  const differences = lines.flatMap((line) => {
    const here = judge(line);
    if (here.isAccepted !== refusedThere.has(line)) return [];
    return [
      `${here.isAccepted ? "only HAProxy refuses" : "only Sallyport refuses"}: ${line.join(" ")} ${here.messages}`,
    ];
  });
  assert.deepEqual(differences, []);
});

test("what Sallyport refuses beyond HAProxy 2.6 is what the list says", { skip }, () => {
  const lines = Object.entries(REFUSED_LINES).flatMap(([keyword, rest]) =>
    rest.map(([line]): Line => [keyword, line]),
  );
  assert.deepEqual([...linesRefusedByHaproxy(lines)], []);
  assert.deepEqual(
    lines.filter((line) => judge(line).isAccepted),
    [],
  );
});

interface Judgement {
  readonly isAccepted: boolean;
  readonly messages: string;
}

function judge([keyword, line]: Line): Judgement {
  const direction = keyword.includes("response") ? "response" : "request";
  const context = recordingContext({ direction });
  context.acls.set("known", {
    name: "known",
    tests: [parseAclLine(wordsOf("known")[0]!, wordsOf("path /known"), context)!],
  });
  const result = parseWith(keyword, wordsOf(line), context);
  context.finish();
  const errors = context.diagnostics.filter(({ severity }) => severity === "error");
  assert.ok(result !== null || errors.length > 0, `${keyword} ${line}: refused without a word`);
  return { isAccepted: errors.length === 0, messages: context.diagnostics.map(showDiagnostic).join(" // ") };
}

function parseWith(
  keyword: string,
  words: readonly Word[],
  context: ReturnType<typeof recordingContext>,
): unknown {
  switch (keyword) {
    case "http-request":
      return parseHttpRequestRule(words, context);
    case "http-response":
      return parseHttpResponseRule(words, context);
    case "http-after-response":
      return parseHttpAfterResponseRule(words, context);
    case "tcp-request connection":
    case "tcp-request session":
    case "tcp-request content":
      return parseTcpRequestRule(keyword.slice(12) as "connection" | "session" | "content", words, context);
    case "tcp-response content":
      return parseTcpResponseRule(words, context);
    case "acl":
      return parseAclLine(words[0]!, words.slice(1), context);
    case "use_backend":
      return parseCondition(words.slice(1), context);
    case "log-format":
      return parseLogFormat(words[0]!, context, "log");
    default:
      return assert.fail(keyword);
  }
}

const HEAD =
  "global\n expose-experimental-directives\ndefaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nuserlist people\n group admin users a\n user a insecure-password b\nbackend there\n";
const TAIL = " server one 127.0.0.1:1\n";

/**
 * The lines that HAProxy refuses, as "keyword rest". It stops at the first error, so the lines that we refuse
 * are tried one by one, and the others together until nothing is left that it complains of.
 */
function linesRefusedByHaproxy(lines: readonly Line[]): Set<Line> {
  const refused = new Set(lines.filter((line) => !judge(line).isAccepted && !isAccepted([line])));
  let others = lines.filter((line) => judge(line).isAccepted);
  while (!isAccepted(others)) {
    const [first, second] = [others.slice(0, others.length / 2), others.slice(others.length / 2)];
    for (const half of [first, second]) for (const line of findRefused(half)) refused.add(line);
    others = others.filter((line) => !refused.has(line));
  }
  return refused;
}

/** Halves the lines until those are left that are refused alone. */
function findRefused(lines: readonly Line[]): readonly Line[] {
  if (lines.length === 0 || isAccepted(lines)) return [];
  if (lines.length === 1) return lines;
  const middle = lines.length >> 1;
  return [...findRefused(lines.slice(0, middle)), ...findRefused(lines.slice(middle))];
}

/** A proxy has one log-format, so each of them gets a proxy of its own. */
function isAccepted(lines: readonly Line[]): boolean {
  const rules = lines.filter(([keyword]) => keyword !== "log-format");
  const formats = lines.filter(([keyword]) => keyword === "log-format");
  const sections = [
    `${HEAD}listen here\n bind 127.0.0.1:1\n acl known path /known\n${rules.map((line) => ` ${line.join(" ")}\n`).join("")}${TAIL}`,
    ...formats.map(
      (line, index) => `frontend log${index}\n bind 127.0.0.1:1\n log 127.0.0.1 local0\n ${line.join(" ")}\n`,
    ),
  ];
  writeFileSync(PATH, sections.join(""));
  return spawnSync(HAPROXY, ["-c", "-f", PATH]).status === 0;
}

function isHaproxyThere(): boolean {
  try {
    return execFileSync(HAPROXY, ["-v"], { encoding: "utf8" }).includes("version 2.6");
  } catch {
    return false;
  }
}
