// A `program` section (manual 3.7): a command that runs beside the workers.
import type { Span } from "../diagnostic/span.ts";

export interface Program {
  readonly name: string;
  /** Path or name, and arguments. Not empty. */
  readonly command: readonly string[];
  readonly user: string | null;
  readonly group: string | null;
  readonly startsOnReload: boolean;
  readonly span: Span;
}
