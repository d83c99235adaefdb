// One reading of a datacentre file: collects what is wrong with it, and puts variables into values. Reading
// goes on after each fault, so that all are told at once.
import type { Diagnostic, Severity } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import { type ScalarNode, spanInside } from "./tree-node.ts";
import { expandVariables, type Variables } from "./variables.ts";

interface Details {
  readonly help?: string | null;
  readonly related?: Diagnostic["related"];
}

/** More would only be repetitions of one mistake, and nobody reads them. */
const DIAGNOSTICS_MAX = 1000;

export class Reading {
  readonly diagnostics: Diagnostic[] = [];
  /** Of the file and of the environment; set as soon as they are known, before any value is read. */
  variables: Variables = new Map();
  readonly #ownersOfKey: (key: string) => readonly string[];
  /** A value behind an anchor is read once for each alias; what is wrong with it is said once. */
  readonly #said = new Set<string>();
  readonly #brokenLines = new Set<string>();

  /** `ownersOfKey`: the kinds of entry that have a key, for the help where it stands in another. */
  constructor(ownersOfKey: (key: string) => readonly string[]) {
    this.#ownersOfKey = ownersOfKey;
  }

  ownersOfKey(key: string): readonly string[] {
    return this.#ownersOfKey(key);
  }

  /** Nothing more is said then, so nobody need look for the nearest word. */
  get isFull(): boolean {
    return this.diagnostics.length >= DIAGNOSTICS_MAX;
  }

  error(code: string, span: Span, message: string, details: Details = {}): void {
    this.#add("error", code, span, message, details);
  }

  warning(code: string, span: Span, message: string, details: Details = {}): void {
    this.#add("warning", code, span, message, details);
  }

  /**
   * The scalar's text with its variables put in; null when one of them is not set, which has been reported.
   */
  textOf(node: ScalarNode): string | null {
    if (!node.text.includes("${")) return node.text;
    const expanded = expandVariables(node.text, this.variables);
    if ("text" in expanded) return expanded.text;
    const span = spanInside(node, expanded.from, expanded.to);
    this.error(expanded.code, span, expanded.message, { help: expanded.help });
    return null;
  }

  /** In the order of `files`, then of the lines. */
  inFileOrder(files: readonly string[]): Diagnostic[] {
    const rank = new Map(files.map((file, index) => [file, index]));
    const place = ({ span }: Diagnostic): number => rank.get(span.file) ?? files.length;
    return this.diagnostics.toSorted(
      (a, b) => place(a) - place(b) || a.span.line - b.span.line || a.span.column - b.span.column,
    );
  }

  #add(severity: Severity, code: string, span: Span, message: string, details: Details): void {
    if (this.isFull) return;
    const line = `${span.file}:${span.line}`;
    // Where the YAML is broken, what it seems to say is not worth a word.
    if (code === "yaml-syntax") this.#brokenLines.add(line);
    else if (this.#brokenLines.has(line)) return;
    const identity = `${line}:${span.column} ${message}`;
    if (this.#said.has(identity)) return;
    this.#said.add(identity);
    const { help = null, related = [] } = details;
    this.diagnostics.push({ code, severity, span, message, help, related });
  }
}
