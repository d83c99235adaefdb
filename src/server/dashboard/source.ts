// What the dashboard needs from the master in which it runs.
import type { AdminActions } from "../admin/actions.ts";
import type { ReloadResult } from "../master.ts";

export interface DashboardSource {
  /** Reads and changes what serves; read anew for each use, since reloads replace what is behind it. */
  readonly actions: AdminActions;
  /** The files of the configuration, as the master was given them. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly engineName: string;
  readonly startedMs: number;
  reload(): Promise<ReloadResult>;
  /** One line for the operator. */
  report(text: string): void;
}
