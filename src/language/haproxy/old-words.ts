// What a safe fix of an old word in haproxy.cfg would write: the line of today, wherever the whole
// configuration, read again with it, means exactly what it meant. A word that has another name changes alone;
// the rules of a section, which HAProxy 1.5 did in an order of its own, change together.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import { convertedLine, modeLine } from "./convert.ts";
import type { ReaderEnvironment, SourceFile } from "./environment.ts";
import { withoutRepeated } from "./line-edits.ts";
import { type EditUnit, Prover, safeTogether } from "./meaning-proof.ts";
import { Report } from "./report.ts";
import { headerOf, inOrder, isOldRule } from "./rule-order.ts";

/** The edits of each diagnostic that has a safe fix. Several may share the same ones. */
export type OldWordFixes = ReadonlyMap<Diagnostic, readonly LineEdit[]>;

/** `diagnostics` are those that reading these files gave. */
export function fixOldWords(
  files: readonly SourceFile[],
  diagnostics: readonly Diagnostic[],
  environment: ReaderEnvironment,
): OldWordFixes {
  const lines = new Map(files.map(({ name, text }) => [name, text.split("\n")]));
  const candidates = diagnostics.flatMap((diagnostic) => candidateOf(diagnostic, lines));
  if (candidates.length === 0) return new Map();
  const prover = new Prover(files, environment);
  const { units, rest } = unitsOf(candidates, lines);
  const safe = new Set(safeTogether(units, prover));
  // Where the rules of a section cannot change together, some of them may alone.
  const failed = units.filter((unit) => !safe.has(unit) && unit.candidates.length > 1);
  const alone = [...failed.flatMap((unit) => unit.candidates), ...rest].map(unitOf);
  const fixes = [...safe, ...alone.filter(({ edits }) => prover.isSafe(edits))];
  return new Map(
    fixes.flatMap((unit) => unit.candidates.map(({ diagnostic }) => [diagnostic, unit.edits] as const)),
  );
}

export interface CombinedFixes {
  readonly edits: readonly LineEdit[];
  /** For each of the fixes that were wanted, whether it is among the edits. */
  readonly isTaken: readonly boolean[];
}

/** As many of these fixes as are safe together. */
export function combineFixes(
  files: readonly SourceFile[],
  wanted: readonly (readonly LineEdit[])[],
  environment: ReaderEnvironment,
): CombinedFixes {
  // Where two say what becomes of a line, that of the whole section counts.
  const distinct = [...new Set(wanted)].sort((a, b) => b.length - a.length);
  const units = distinct.map((edits): EditUnit => ({ edits }));
  const taken = new Set(safeTogether(units, new Prover(files, environment)).map(({ edits }) => edits));
  return { edits: withoutRepeated([...taken].flat()), isTaken: wanted.map((one) => taken.has(one)) };
}

interface Candidate {
  readonly diagnostic: Diagnostic;
  readonly edit: LineEdit;
  readonly kind: "word" | "rule" | "mode";
  /** The number of the line with which its section begins. */
  readonly header: number;
}

type Lines = ReadonlyMap<string, readonly string[]>;

function candidateOf(diagnostic: Diagnostic, lines: Lines): Candidate[] {
  const { code, span } = diagnostic;
  const own = lines.get(span.file);
  const before = own?.[span.line - 1];
  if (own === undefined || before === undefined) return [];
  if (code !== "obsolete-keyword" && code !== "missing-mode") return [];
  const isMode = code === "missing-mode";
  const after = isMode
    ? [before, modeLine(own, span.line - 1)]
    : convertedLine(own, span.line - 1, span.file, new Report());
  if (after.length === 1 && after[0] === before) return [];
  const edit: LineEdit = { file: span.file, line: span.line, before, after };
  const kind = isMode ? "mode" : isOldRule(before) ? "rule" : "word";
  return [{ diagnostic, edit, kind, header: headerOf(own, span.line) }];
}

interface Unit extends EditUnit {
  readonly candidates: readonly Candidate[];
}

function unitOf(candidate: Candidate): Unit {
  return { candidates: [candidate], edits: [candidate.edit] };
}

/** `rest`: rules that cannot change together, since their lines have to stay where they are. */
function unitsOf(
  candidates: readonly Candidate[],
  lines: Lines,
): { readonly units: readonly Unit[]; readonly rest: readonly Candidate[] } {
  const of = (kind: Candidate["kind"]) => candidates.filter((one) => one.kind === kind);
  // The mode that was inferred from such rules spreads along the backends: it is written everywhere at once,
  // and before the last of these rules goes.
  const modes = of("mode");
  const modeEdits = modes.map(({ edit }) => edit);
  const rest: Candidate[] = [];
  const sections = Map.groupBy(of("rule"), ({ edit, header }) => `${edit.file}:${header}`);
  const rules = [...sections.values()].flatMap((own): Unit[] => {
    const { edit, header } = own[0]!;
    const edits = inOrder(
      own.map((one) => one.edit),
      edit.file,
      lines.get(edit.file)!,
      header,
    );
    if (edits !== null) return [{ candidates: own, edits: withoutRepeated([...edits, ...modeEdits]) }];
    rest.push(...own);
    return [];
  });
  const written = modes.length === 0 ? [] : [{ candidates: modes, edits: modeEdits }];
  return { units: [...of("word").map(unitOf), ...written, ...rules], rest };
}
