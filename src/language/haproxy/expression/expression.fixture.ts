// For the tests of this folder: a line of an haproxy.cfg as words, and a context that remembers what was
// reported.
import type { Diagnostic } from "../../../diagnostic/diagnostic.ts";
import { NO_SPAN } from "../../../diagnostic/span.ts";
import type { Acl, ConverterCall, FetchCall, LogFormat, SampleExpression } from "../../../model/sample.ts";
import type { StickTableDefinition } from "../../../model/stick-table.ts";
import type { ExpressionContext } from "../context.ts";
import { lexLine } from "../lexer.ts";
import { PatternListDrafts } from "../pattern-lists.ts";
import type { Word } from "../word.ts";

export interface RecordingContext extends ExpressionContext {
  readonly acls: Map<string, Acl>;
  readonly diagnostics: Diagnostic[];
  /** Runs the checks that wait for the end of the file. */
  finish(): void;
}

export interface ContextFacts extends Partial<Pick<ExpressionContext, "direction" | "proxyKind" | "mode">> {
  readonly files?: Readonly<Record<string, string>>;
}

const TABLE: StickTableDefinition = {
  name: "here",
  keyType: "ip",
  keyBytes: 4,
  size: 100,
  expireMs: null,
  isKept: false,
  stored: [{ name: "gpc0", periodMs: 0, count: 1 }],
  serverKey: "name",
  peers: null,
  span: NO_SPAN,
};

/** A proxy `here` with a stick table, with a userlist `people` and a server `one`. */
export function recordingContext(facts: ContextFacts = {}): RecordingContext {
  const diagnostics: Diagnostic[] = [];
  const deferred: (() => void)[] = [];
  const lists = new PatternListDrafts();
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
    acls: new Map(),
    stickTables: [TABLE],
    caches: [],
    noteServer: () => {},
    names: {
      frontends: new Set(["here"]),
      backends: new Set(["here"]),
      userlists: new Set(["people"]),
      resolvers: new Set(["dns"]),
      servers: new Set(["here/one"]),
    },
    variable: () => null,
    report: (diagnostic) => diagnostics.push(diagnostic),
    readFile: bytesOf,
    usePatternFile: (path, hasValues, use) => lists.useFile(path, hasValues, use, bytesOf),
    patternsOf: (list) => lists.entriesOf(list),
    addPatterns: (criterion, patterns, use, id) => lists.addOwn(criterion, patterns, use, id),
    hasPatternFile: (path) => lists.has(path),
    adoptAcl: (_name, adopt) => adopt(),
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

/** The words of one line; the line must be well-formed. */
export function wordsOf(line: string): readonly Word[] {
  const lexed = lexLine(line, "test.cfg", 1, () => null);
  if (lexed.problem !== null) throw new Error(lexed.problem.message);
  return lexed.words;
}

/** One diagnostic as "column-endColumn severity code: message | help". */
export function showDiagnostic(diagnostic: Diagnostic): string {
  const { span, severity, code, message, help } = diagnostic;
  return `${span.column}-${span.endColumn} ${severity} ${code}: ${message}${help === null ? "" : ` | ${help}`}`;
}

/** An expression as the names and values that were understood: "req.hdr("host")|field(1,".")". */
export function showSample(sample: SampleExpression): string {
  const values = (call: FetchCall | ConverterCall): string =>
    call.arguments.map((value) => JSON.stringify(value)).join(",");
  return [sample.fetch, ...sample.converters]
    .map((call) => (call.arguments.length === 0 ? call.name : `${call.name}(${values(call)})`))
    .join("|");
}

/** A format as its parts: text in quotes, %alias, %[sample], flags in braces. */
export function showFormat(format: LogFormat): string {
  return format.parts
    .map((part) => {
      if (part.kind === "text") return JSON.stringify(part.text);
      const isOptional = part.kind === "sample" && part.optional;
      const letters = { Q: part.quoted, X: part.hexadecimal, E: part.escaped, "?": isOptional };
      const flags = Object.entries(letters).flatMap(([letter, isSet]) => (isSet ? [letter] : []));
      const name = part.kind === "alias" ? part.alias : `[${showSample(part.sample)}]`;
      return `%${flags.length === 0 ? "" : `{${flags.join("")}}`}${name}`;
    })
    .join(" ");
}
