// A line of a `crt-list` file (manual 5.1): a certificate, what is different for the connections that are
// shown it, and the server names that it is for.
import type { BindTls } from "./proxy.ts";

export interface CrtListLine {
  /** Resolved against crt-base. */
  readonly path: string;
  /** From 1; 0 for one that the runtime API has added. */
  readonly line: number;
  /** What goes before the `bind` line's. */
  readonly tls: Partial<BindTls>;
  /** The words between the brackets as they were written, for the runtime API. */
  readonly options: string;
  /** "a.example", "*.example", "!b.example"; none: the names in the certificate. */
  readonly filters: readonly string[];
}
