// For the tests of this folder: a line of an haproxy.cfg as words, and a context that remembers what was reported.
import type { Diagnostic } from "../../../diagnostic/diagnostic.ts";
import type { Acl } from "../../../model/sample.ts";
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
    const columns = text.length === source.length ? null : wordAt(text, span).columns;
    return { text, span, isQuoted: /["']/.test(source), columns };
  });
}

function unquote(
  _: string,
  double: string | undefined,
  single: string | undefined,
  escape: string | undefined,
): string {
  return single ?? (double ?? escape ?? "").replace(/\\([ "'\\])/g, "$1");
}

/** One diagnostic as "column-endColumn severity code: message | help". */
export function showDiagnostic(diagnostic: Diagnostic): string {
  const { span, severity, code, message, help } = diagnostic;
  return `${span.column}-${span.endColumn} ${severity} ${code}: ${message}${help === null ? "" : ` | ${help}`}`;
}
