// For the tests of this folder: a line of an haproxy.cfg as words, and a context that remembers what was reported.
import type { Diagnostic } from "../../../diagnostic/diagnostic.ts";
import type { Acl, LogFormat, SampleExpression } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { type Word, wordAt } from "../word.ts";
import { PREDEFINED_ACLS } from "./predefined-acls.ts";

export interface RecordingContext extends ExpressionContext {
  readonly acls: Map<string, Acl>;
  readonly diagnostics: Diagnostic[];
  /** Runs the checks that wait for the end of the file. */
  finish(): void;
}

export interface ContextFacts extends Partial<Pick<ExpressionContext, "direction" | "proxyKind" | "mode">> {
  readonly files?: Readonly<Record<string, string>>;
}

/** A proxy `here`, with a userlist `people` and a server `one`. */
export function recordingContext(facts: ContextFacts = {}): RecordingContext {
  const diagnostics: Diagnostic[] = [];
  const deferred: (() => void)[] = [];
  const slots = { requestCount: 0, responseCount: 0 };
  const bytesOf = (path: string): Uint8Array | null => {
    const text = facts.files?.[path];
    return text === undefined ? null : new Uint8Array(Buffer.from(text));
  };
  return {
    direction: facts.direction ?? "request",
    proxyName: "here",
    proxyKind: facts.proxyKind ?? "listen",
    mode: facts.mode ?? "http",
    acls: new Map(PREDEFINED_ACLS),
    names: {
      frontends: new Set(["here"]),
      backends: new Set(["here"]),
      userlists: new Set(["people"]),
      servers: new Set(["here/one"]),
    },
    variable: () => null,
    report: (diagnostic) => diagnostics.push(diagnostic),
    readFile: bytesOf,
    loadMap: (path) => bytesOf(path) !== null,
    deferCheck: (check) => deferred.push(check),
    httpErrorReply: (section, status) =>
      section === "errors" && status === 404 ? { status, content: { kind: "none" }, headers: [] } : null,
    hasHttpErrors: (section) => section === "errors",
    captures: {
      get requestCount() {
        return slots.requestCount;
      },
      get responseCount() {
        return slots.responseCount;
      },
      addRequestSlot: () => slots.requestCount++,
      addResponseSlot: () => slots.responseCount++,
    },
    diagnostics,
    finish: () => {
      for (const check of deferred.splice(0)) check();
    },
  };
}

/** The words of one line: quotes removed, and a backslash before a space, a quote or a backslash. */
export function wordsOf(line: string): readonly Word[] {
  return [...line.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^ "'\\])+/g)].map(({ 0: source, index }) => {
    const span = { file: "test.cfg", line: 1, column: index + 1, endColumn: index + 1 + source.length };
    const text = source.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\\.)/g, unquote);
    const isQuotedWhole = text === source.slice(1, -1);
    const written = Array.from(
      { length: text.length + 1 },
      (_, i) => span.column + i + (isQuotedWhole ? 1 : 0),
    );
    const isAsWritten = isQuotedWhole || text === source;
    const columns = isAsWritten ? written : wordAt(text, span).columns;
    return { text, span, isQuoted: /["']/.test(source), columns };
  });
}

function unquote(
  _: string,
  double: string | undefined,
  single: string | undefined,
  pair: string | undefined,
): string {
  return single ?? (double ?? pair ?? "").replace(/\\([ "'\\])/g, "$1");
}

/** One diagnostic as "column-endColumn severity code: message | help". */
export function showDiagnostic(diagnostic: Diagnostic): string {
  const { span, severity, code, message, help } = diagnostic;
  return `${span.column}-${span.endColumn} ${severity} ${code}: ${message}${help === null ? "" : ` | ${help}`}`;
}

/** An expression as the names and values that were understood: "req.hdr("host")|field(1,".")". */
export function showSample(sample: SampleExpression): string {
  const calls = [sample.fetch, ...sample.converters];
  return calls
    .map(
      (call) =>
        call.name +
        (call.arguments.length === 0
          ? ""
          : `(${call.arguments.map((value) => JSON.stringify(value)).join(",")})`),
    )
    .join("|");
}

/** A format as its parts: text in quotes, %alias, %[sample], flags in braces. */
export function showFormat(format: LogFormat): string {
  return format.parts
    .map((part) => {
      if (part.kind === "text") return JSON.stringify(part.text);
      const isOptional = part.kind === "sample" && part.optional;
      const flags = `${part.quoted ? "Q" : ""}${part.hexadecimal ? "X" : ""}${part.escaped ? "E" : ""}${isOptional ? "?" : ""}`;
      return `%${flags === "" ? "" : `{${flags}}`}${part.kind === "alias" ? part.alias : `[${showSample(part.sample)}]`}`;
    })
    .join(" ");
}
