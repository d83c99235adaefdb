// Whether files with other lines still mean what they meant: both are read, and the readings compared. This
// holds whatever the lines are, so nothing has to be believed of those who propose them.
import type { LineEdit } from "../../model/line-edit.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { ReaderEnvironment, SourceFile } from "./environment.ts";
import { applyLineEdits, withoutRepeated } from "./line-edits.ts";
import { readConfiguration } from "./reader.ts";
import { isSameMeaning } from "./same-meaning.ts";

/** Each proof reads all files anew: about a second for so many characters. */
const PROVED_CHARACTERS_MAX = 1_500_000;

export class Prover {
  readonly #files: readonly SourceFile[];
  readonly #environment: ReaderEnvironment;
  readonly #before: ProxyConfiguration | null;
  #charactersLeft = PROVED_CHARACTERS_MAX;

  constructor(files: readonly SourceFile[], environment: ReaderEnvironment) {
    this.#files = files;
    this.#environment = environment;
    this.#before = readConfiguration(files, environment).configuration;
  }

  /**
   * False for what cannot be proved as well: files with errors mean nothing, and of very long ones some is
   * tried.
   */
  isSafe(edits: readonly LineEdit[]): boolean {
    this.#charactersLeft -= this.#files.reduce((sum, { text }) => sum + text.length, 0);
    if (this.#before === null || this.#charactersLeft < 0) return false;
    const byFile = Map.groupBy(withoutRepeated(edits), ({ file }) => file);
    const files: SourceFile[] = [];
    for (const { name, text } of this.#files) {
      const changed = applyLineEdits(text, byFile.get(name) ?? []);
      if (changed === null) return false;
      files.push({ name, text: changed });
    }
    const { configuration } = readConfiguration(files, this.#environment);
    return configuration !== null && isSameMeaning(this.#before, configuration);
  }
}

/** A change that makes sense as a whole only. */
export interface EditUnit {
  readonly edits: readonly LineEdit[];
}

/** Those units that are safe together, found by halves: one proof where all are. The first ones go before. */
export function safeTogether<Unit extends EditUnit>(
  units: readonly Unit[],
  prover: Prover,
  before: readonly Unit[] = [],
): readonly Unit[] {
  if (units.length === 0) return [];
  if (prover.isSafe([...before, ...units].flatMap(({ edits }) => edits))) return units;
  if (units.length === 1) return [];
  const middle = units.length >> 1;
  const first = safeTogether(units.slice(0, middle), prover, before);
  return [...first, ...safeTogether(units.slice(middle), prover, [...before, ...first])];
}
