// The safe fixes of an haproxy.cfg on disk: which there are, what lines they change, and writing them.
import { createHash } from "node:crypto";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import { applyLineEdits } from "../../language/haproxy/line-edits.ts";
import {
  type CombinedFixes,
  combineFixes,
  fixOldWords,
  type OldWordFixes,
} from "../../language/haproxy/old-words.ts";
import type { CheckFix } from "../../model/dashboard-api.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import type { LoadOptions, SourceText } from "../prepare.ts";
import { proxyEnvironment } from "../proxy-files.ts";
import { replaceFile } from "./replace-file.ts";

/** `diagnostics` are those of these sources. */
export function findProxyFixes(
  sources: readonly SourceText[],
  diagnostics: readonly Diagnostic[],
  environment: LoadOptions["environment"],
): OldWordFixes {
  return fixOldWords(sources, diagnostics, proxyEnvironment(environment));
}

/**
 * The same for who asks again and again: for a large file it takes part of a second, and health checks wait.
 */
export class RememberedProxyFixes {
  #key = "";
  #edits: ReadonlyMap<string, readonly LineEdit[]> = new Map();

  find(
    sources: readonly SourceText[],
    diagnostics: readonly Diagnostic[],
    environment: LoadOptions["environment"],
  ): OldWordFixes {
    const key = createHash("sha256").update(JSON.stringify(sources)).digest("hex");
    if (key !== this.#key) {
      const found = findProxyFixes(sources, diagnostics, environment);
      this.#edits = new Map([...found].map(([diagnostic, edits]) => [placeOf(diagnostic), edits]));
      this.#key = key;
    }
    return new Map(
      diagnostics.flatMap((one) => {
        const edits = this.#edits.get(placeOf(one));
        return edits === undefined ? [] : [[one, edits] as const];
      }),
    );
  }
}

function placeOf({ code, span }: Diagnostic): string {
  return `${code} ${span.file}:${span.line}:${span.column}`;
}

/** As many of them as can be written together. */
export function combineProxyFixes(
  sources: readonly SourceText[],
  wanted: readonly (readonly LineEdit[])[],
  environment: LoadOptions["environment"],
): CombinedFixes {
  return combineFixes(sources, wanted, proxyEnvironment(environment));
}

/** Each old line beside the first that it becomes; what is new besides has no old one. */
export function changesOfLines(edits: readonly LineEdit[]): CheckFix["changes"] {
  return edits.flatMap(({ file, line, before, after }): CheckFix["changes"] => {
    const shown = (text: string) => text.replace(/\r$/, "");
    if (after.length === 0) return [{ file, line, before: shown(before), after: null }];
    return after.flatMap((text, index) => {
      const old = index === 0 ? before : null;
      return old === text
        ? []
        : [{ file, line, before: old === null ? null : shown(old), after: shown(text) }];
    });
  });
}

/** Null: all is written; else what could not be, file by file. */
export function writeLineEdits(sources: readonly SourceText[], edits: readonly LineEdit[]): string | null {
  const faults = [...Map.groupBy(edits, ({ file }) => file)].map(([file, own]) => {
    const { text } = sources.find(({ name }) => name === file)!;
    const changed = applyLineEdits(text, own);
    return changed === null ? `${file} has changed meanwhile` : replaceFile(file, text, changed);
  });
  return faults.find((fault) => fault !== null) ?? null;
}
