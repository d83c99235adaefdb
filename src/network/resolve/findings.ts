// What resolving finds wrong. It goes on after each fault, so that all are told at once.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";

interface Details {
  readonly help?: string | null;
  readonly related?: Diagnostic["related"];
}

export class Findings {
  readonly diagnostics: Diagnostic[] = [];

  readonly #told = new Set<string>();

  /** Once for each place: what is wrong with a vApp would be told again for each of its copies. */
  error(code: string, span: Span, message: string, { help = null, related = [] }: Details = {}): void {
    const key = `${code} ${span.file} ${span.line} ${span.column} ${message}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.diagnostics.push({ code, severity: "error", span, message, help, related });
  }

  /** `unknown-THING`: a name that nothing has, with the nearest that something has. */
  unknown(thing: string, name: string, span: Span, known: Iterable<string>): void {
    const names = [...new Set(known)];
    const few = names.length > 0 && names.length <= 8 ? `There are ${names.join(", ")}.` : null;
    const help = suggestWord(name, names) ?? (names.length === 0 ? `There is no ${thing} at all.` : few);
    this.error(`unknown-${thing}`, span, `there is no ${thing} \`${name}\``, { help });
  }
}
