// What is wrong with the files, with their lines, and the fixes that can do no harm: for the page of checks.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import { applyEdits } from "../../language/datacenter/edit.ts";
import type {
  CheckAnswer,
  CheckFinding,
  CheckFix,
  FixAnswer,
  SourceLine,
} from "../../model/dashboard-api.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import { loadConfiguration, type SourceText } from "../prepare.ts";
import type { DatacenterFile } from "./datacenter-file.ts";
import { changedLines } from "./line-changes.ts";
import { withoutSecrets } from "./secrets.ts";
import type { DashboardSource } from "./source.ts";

const LINES_AROUND = 2;
/** To show what a fix changes it is tried on the text, which for a large file takes its time. */
const TRIED_CHARACTERS_MAX = 200_000;

/** `datacenter` null: there is none. */
export function checkView(source: DashboardSource, datacenter: DatacenterFile | null): CheckAnswer {
  const proxy = loadConfiguration(source.files, { environment: source.environment });
  const own = datacenter === null ? [] : datacenter.findings;
  const sources = datacenter === null ? [] : datacenter.loaded.sources;
  const findings = [
    ...proxy.diagnostics.map((one) => findingOf(one, null, "proxy", proxy.sources)),
    ...own.map((one) => findingOf(one, one.fix, "datacenter", sources)),
  ];
  const count = (severity: Diagnostic["severity"]) =>
    findings.filter((one) => one.severity === severity).length;
  return {
    files: [
      ...proxy.sources.map(({ name }) => ({ name, kind: "proxy" as const })),
      ...sources.map(({ name }) => ({ name, kind: "datacenter" as const })),
    ],
    findings,
    errorCount: count("error"),
    warningCount: count("warning"),
  };
}

export function findingOf(
  diagnostic: Diagnostic,
  fix: readonly DocumentEdit[] | null,
  kind: CheckFinding["kind"],
  sources: readonly SourceText[],
): CheckFinding {
  const { code, severity, span, message, help, related } = diagnostic;
  const id = createHash("sha256")
    .update(JSON.stringify([kind, code, span, message]))
    .digest("hex")
    .slice(0, 16);
  return {
    id,
    kind,
    code,
    severity,
    span,
    message,
    help,
    related,
    excerpt: excerptOf(span, sources),
    relatedExcerpts: related.map((one) => excerptOf(one.span, sources)),
    fix: fix === null ? null : fixOf(fix, sources),
  };
}

/** Writes the fixes of the findings with these ids. Throws nothing: what cannot be written is told. */
export function applyFixes(
  ids: readonly string[],
  source: DashboardSource,
  datacenter: DatacenterFile | null,
): FixAnswer {
  const before = checkView(source, datacenter);
  const fixed: string[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const id of ids) {
    const finding = before.findings.find((one) => one.id === id);
    const reason =
      finding === undefined
        ? "this is no longer found"
        : finding.fix === null
          ? "there is no fix that could do no harm"
          : writeEdits(finding.fix.edits);
    if (reason === null) fixed.push(id);
    else refused.push({ id, reason });
  }
  return { fixed, refused, check: checkView(source, datacenter) };
}

/** Null: written. Several files are first all worked out, then written. */
function writeEdits(edits: readonly DocumentEdit[]): string | null {
  const texts = new Map<string, string>();
  try {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const result = applyEdits(readFileSync(file, "utf8"), edits, file);
      if (!result.ok) return result.diagnostic.message;
      texts.set(file, result.text);
    }
    for (const [file, text] of texts) writeFileSync(file, text);
  } catch (error) {
    return (error as Error).message;
  }
  return null;
}

function fixOf(edits: readonly DocumentEdit[], sources: readonly SourceText[]): CheckFix {
  const changes = [...new Set(edits.map(({ file }) => file))].flatMap((file) => {
    const text = sources.find(({ name }) => name === file)?.text;
    if (text === undefined || text.length > TRIED_CHARACTERS_MAX) return [];
    const result = applyEdits(text, edits, file);
    return result.ok ? changedLines(file, text, result.text) : [];
  });
  return { edits, changes };
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
