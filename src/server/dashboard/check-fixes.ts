// Writes the fixes that somebody has seen and asked for. What has changed since then has other fixes under
// other names, and is left alone.
import { readFileSync } from "node:fs";
import { applyEdits } from "../../language/datacenter/edit.ts";
import type { FixAnswer } from "../../model/dashboard-api.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import { combineProxyFixes, writeLineEdits } from "../fixes/proxy-fixes.ts";
import { replaceFile } from "../fixes/replace-file.ts";
import { type Checked, type CheckedFiles, checkFiles } from "./check-view.ts";
import type { DashboardSource } from "./source.ts";

/** Writes the fixes of the findings with these ids. Throws nothing: what cannot be written is told. */
export function applyFixes(ids: readonly string[], files: CheckedFiles): FixAnswer {
  const checked = checkFiles(files);
  const wanted = [...new Set(ids)];
  /** Null: it is written. */
  const faults = new Map([
    ...wanted.map((id) => [id, whyNot(id, checked)] as const),
    ...writeDatacenterFixes(wanted, checked),
    ...writeProxyFixes(wanted, checked, files.source.environment),
  ]);
  const fixed = wanted.filter((id) => faults.get(id) === null);
  const refused = wanted.flatMap((id) => {
    const reason = faults.get(id) ?? null;
    return reason === null ? [] : [{ id, reason }];
  });
  return { fixed, refused, check: checkFiles(files).answer };
}

/** Of what has no fix, or is not there any more; null for the others. */
function whyNot(id: string, { answer, fixes }: Checked): string | null {
  if (fixes.has(id)) return null;
  const isFound = answer.findings.some((one) => one.id === id);
  return isFound ? "there is no fix that could do no harm" : "this is no longer found";
}

type Faults = readonly (readonly [id: string, fault: string | null])[];

function writeDatacenterFixes(ids: readonly string[], { fixes }: Checked): Faults {
  return ids.flatMap((id): Faults => {
    const fix = fixes.get(id);
    return fix?.kind === "datacenter" ? [[id, writeDocumentEdits(fix.edits)]] : [];
  });
}

/** All of them at once, since they may share lines: what is against each. */
function writeProxyFixes(
  ids: readonly string[],
  { fixes, sources }: Checked,
  environment: DashboardSource["environment"],
): Faults {
  const wanted = ids.flatMap((id): (readonly [string, readonly LineEdit[]])[] => {
    const fix = fixes.get(id);
    return fix?.kind === "proxy" ? [[id, fix.edits]] : [];
  });
  if (wanted.length === 0) return [];
  const { edits, isTaken } = combineProxyFixes(
    sources,
    wanted.map(([, one]) => one),
    environment,
  );
  const fault = writeLineEdits(sources, edits);
  return wanted.map(([id], index) => [
    id,
    isTaken[index] === true ? fault : "together with the others it would change the meaning of the file",
  ]);
}

/** Null: written. Several files are first all worked out, then written. */
function writeDocumentEdits(edits: readonly DocumentEdit[]): string | null {
  const changed: { readonly file: string; readonly before: string; readonly after: string }[] = [];
  try {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const before = readFileSync(file, "utf8");
      const result = applyEdits(before, edits, file);
      if (!result.ok) return result.diagnostic.message;
      changed.push({ file, before, after: result.text });
    }
  } catch (error) {
    return (error as Error).message;
  }
  for (const { file, before, after } of changed) {
    const fault = replaceFile(file, before, after);
    if (fault !== null) return fault;
  }
  return null;
}
