// The request of an HTTP check: `option httpchk [METHOD] [URI] [VERSION]`, where old files put headers and a
// body behind the version, and what `http-check send` says besides (manual 4.2).
import type { CheckRule } from "../../model/proxy.ts";
import type { Cursor } from "./cursor.ts";
import { parseLogFormat } from "./expression/log-format-parser.ts";
import { displayText } from "./lexer.ts";
import { quoteWord } from "./quote.ts";
import type { ProxyLine } from "./reading.ts";
import { partOfWord, type Word } from "./word.ts";

export type HttpSend = Extract<CheckRule, { kind: "http-send" }>;

const DEFAULTS = { method: "OPTIONS", uri: "/", version: "HTTP/1.0" } as const;
const LINE_END = "\r\n";

/** `cursor` stands behind `option httpchk`. */
export function readOptionRequest(line: ProxyLine, cursor: Cursor): HttpSend {
  const words = cursor.rest();
  const [first, second, third] = words;
  const hasMethod = words.length > 1;
  if (words[3] !== undefined)
    line.report.error(
      "unexpected-word",
      words[3].span,
      "`option httpchk` takes a method, a path and a version",
    );
  const hidden = third === undefined ? null : splitHidden(third);
  if (hidden !== null)
    line.report.warning(
      "obsolete-keyword",
      third!.span,
      "what stands behind the version of `option httpchk` is now on a line of its own",
      displayText(sendLine(hidden)),
    );
  return {
    kind: "http-send",
    method: hasMethod ? first!.text : DEFAULTS.method,
    uri: (hasMethod ? second : first)?.text ?? DEFAULTS.uri,
    version: hidden?.version ?? third?.text ?? DEFAULTS.version,
    headers: (hidden?.headers ?? []).flatMap(({ name, value }) => {
      const format = parseLogFormat(value, line.reading.contextFor(line.draft, "request"), "any");
      return format === null ? [] : [{ name, value: format }];
    }),
    body: hidden?.body ?? null,
    span: line.span,
  };
}

interface Hidden {
  readonly version: string;
  readonly headers: readonly { readonly name: string; readonly value: Word }[];
  readonly body: string | null;
}

/** Null: there is a version and nothing else. */
function splitHidden(word: Word): Hidden | null {
  const { text } = word;
  const versionEnd = text.indexOf(LINE_END);
  if (versionEnd < 0) return null;
  const headEnd = text.indexOf(LINE_END + LINE_END, versionEnd);
  const end = headEnd < 0 ? text.length : headEnd;
  const headers: { name: string; value: Word }[] = [];
  for (let start = versionEnd + LINE_END.length; start < end; ) {
    const next = text.indexOf(LINE_END, start);
    const stop = next < 0 || next > end ? end : next;
    const header = splitHeader(word, start, stop);
    if (header !== null) headers.push(header);
    start = stop + LINE_END.length;
  }
  const body = headEnd < 0 ? "" : text.slice(headEnd + 2 * LINE_END.length);
  return { version: text.slice(0, versionEnd), headers, body: body === "" ? null : body };
}

function splitHeader(word: Word, start: number, end: number): { name: string; value: Word } | null {
  const text = word.text.slice(start, end);
  const [, name = "", gap = "", value = ""] = /^([^:]+)(:\s*)(.*?)\s*$/s.exec(text) ?? [];
  if (name === "") return null;
  const from = start + name.length + gap.length;
  return { name: name.trim(), value: partOfWord(word, from, from + value.length) };
}

/**
 * The words of an `option httpchk` with something behind its version, as the lines of today; null: it has
 * nothing.
 */
export function optionRequestLines(words: readonly Word[]): readonly [option: string, send: string] | null {
  const version = words[4];
  const hidden = version === undefined ? null : splitHidden(version);
  if (hidden === null) return null;
  const texts = [...words.slice(0, 4).map(({ text }) => text), hidden.version];
  return [texts.map(quoteWord).join(" "), sendLine(hidden)];
}

function sendLine({ headers, body }: Hidden): string {
  const words = headers.flatMap(({ name, value }) => ["hdr", name, value.text]);
  return ["http-check", "send", ...words, ...(body === null ? [] : ["body", body])].map(quoteWord).join(" ");
}

/** The rules with the request of the option: before all, behind a first `connect`, or completing a `send`. */
export function withRequest(rules: readonly CheckRule[], request: CheckRule | null): readonly CheckRule[] {
  if (request?.kind !== "http-send") return rules;
  const at = rules.findIndex((rule) => rule.kind === "http-send");
  if (at >= 0) return rules.with(at, completed(rules[at] as HttpSend, request));
  return rules.toSpliced(rules.findIndex((rule) => rule.kind === "connect") + 1, 0, request);
}

/** What `http-check send` does not say is as `option httpchk` has it. */
function completed(explicit: HttpSend, request: HttpSend): HttpSend {
  return {
    ...explicit,
    method: explicit.method === DEFAULTS.method ? request.method : explicit.method,
    uri: explicit.uri === DEFAULTS.uri ? request.uri : explicit.uri,
    version: explicit.version === DEFAULTS.version ? request.version : explicit.version,
    headers: explicit.headers.length > 0 ? explicit.headers : request.headers,
    body: explicit.body ?? request.body,
  };
}
