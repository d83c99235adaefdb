// What is wrong with the files, with their lines, and the fixes that can do no harm: for the page of checks.
import { createHash } from "node:crypto";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import { applyEdits } from "../../language/datacenter/edit.ts";
import type { CheckAnswer, CheckFinding, CheckFix, SourceLine } from "../../model/dashboard-api.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import { changedLines } from "../fixes/line-changes.ts";
import { changesOfLines, type RememberedProxyFixes } from "../fixes/proxy-fixes.ts";
import { loadConfiguration, type SourceText } from "../prepare.ts";
import type { DatacenterFile } from "./datacenter-file.ts";
import { withoutSecrets } from "./secrets.ts";
import type { DashboardSource } from "./source.ts";

const LINES_AROUND = 2;
/** To show what a fix changes it is tried on the text, which for a large file takes its time. */
const TRIED_CHARACTERS_MAX = 200_000;

/** A fix in the terms of the file that it is for. */
export type OwnFix =
  | { readonly kind: "datacenter"; readonly edits: readonly DocumentEdit[] }
  | { readonly kind: "proxy"; readonly edits: readonly LineEdit[] };

export interface Checked {
  readonly answer: CheckAnswer;
  /** By the id of the finding. */
  readonly fixes: ReadonlyMap<string, OwnFix>;
  /** Of the haproxy.cfg. */
  readonly sources: readonly SourceText[];
}

export interface CheckedFiles {
  readonly source: DashboardSource;
  /** Null: there is none. */
  readonly datacenter: DatacenterFile | null;
  readonly proxyFixes: RememberedProxyFixes;
}

/** Reads all of them anew. */
export function checkFiles({ source, datacenter, proxyFixes }: CheckedFiles): Checked {
  const { environment } = source;
  const proxy = loadConfiguration(source.files, { environment });
  const oldWords = proxyFixes.find(proxy.sources, proxy.diagnostics, environment);
  const own = datacenter === null ? [] : datacenter.findings;
  const sources = datacenter === null ? [] : datacenter.loaded.sources;
  const fixes = new Map<string, OwnFix>();
  const withFix = (finding: CheckFinding, fix: OwnFix | null): CheckFinding => {
    if (fix !== null) fixes.set(finding.id, fix);
    return finding;
  };
  const findings = [
    ...proxy.diagnostics.map((one) => {
      const edits = oldWords.get(one);
      const fix: OwnFix | null = edits === undefined ? null : { kind: "proxy", edits };
      return withFix(findingOf(one, fix, "proxy", proxy.sources), fix);
    }),
    ...own.map((one) => {
      const fix: OwnFix | null = one.fix === null ? null : { kind: "datacenter", edits: one.fix };
      return withFix(findingOf(one, fix, "datacenter", sources), fix);
    }),
  ];
  const count = (severity: Diagnostic["severity"]) =>
    findings.filter((one) => one.severity === severity).length;
  const answer: CheckAnswer = {
    files: [
      ...proxy.sources.map(({ name }) => ({ name, kind: "proxy" as const })),
      ...sources.map(({ name }) => ({ name, kind: "datacenter" as const })),
    ],
    findings,
    errorCount: count("error"),
    warningCount: count("warning"),
  };
  return { answer, fixes, sources: proxy.sources };
}

export function findingOf(
  diagnostic: Diagnostic,
  fix: OwnFix | null,
  kind: CheckFinding["kind"],
  sources: readonly SourceText[],
): CheckFinding {
  const { code, severity, span, message, help, related } = diagnostic;
  // With the fix: what is written is what was shown, or nothing.
  const facts = JSON.stringify([kind, code, span, message, fix]);
  return {
    id: createHash("sha256").update(facts).digest("hex").slice(0, 16),
    kind,
    code,
    severity,
    span,
    message: withoutSecrets(message),
    help: help === null ? null : withoutSecrets(help),
    related,
    excerpt: excerptOf(span, sources),
    relatedExcerpts: related.map((one) => excerptOf(one.span, sources)),
    fix: fix === null ? null : { changes: changesOf(fix, sources).map(shownChange) },
  };
}

type LineChange = CheckFix["changes"][number];

function changesOf(fix: OwnFix, sources: readonly SourceText[]): readonly LineChange[] {
  if (fix.kind === "proxy") return changesOfLines(fix.edits);
  return [...new Set(fix.edits.map(({ file }) => file))].flatMap((file) => {
    const text = sources.find(({ name }) => name === file)?.text;
    if (text === undefined || text.length > TRIED_CHARACTERS_MAX) return [];
    const result = applyEdits(text, fix.edits, file);
    return result.ok ? changedLines(file, text, result.text) : [];
  });
}

function shownChange({ before, after, ...place }: LineChange): LineChange {
  const shown = (text: string | null) => (text === null ? null : withoutSecrets(text));
  return { ...place, before: shown(before), after: shown(after) };
}

function excerptOf({ file, line }: Span, sources: readonly SourceText[]): SourceLine[] {
  const text = line === 0 ? undefined : sources.find(({ name }) => name === file)?.text;
  if (text === undefined) return [];
  const lines = text.split("\n");
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({
    line: first + i,
    text: withoutSecrets(lines[first + i - 1]!.replace(/\r$/, "")),
  }));
}
