// `mailers` sections and the `email-alert` lines that use them: who is told by mail of what becomes of the
// servers of a proxy.
import type { LogLevel } from "./rule.ts";

export interface Mailer {
  readonly name: string;
  /** An IP address or a name. */
  readonly host: string;
  readonly port: number;
}

/** What the `email-alert` lines of a proxy say together with their section. */
export interface EmailAlerts {
  /** Each of them gets each mail. */
  readonly mailers: readonly Mailer[];
  /** `timeout mail`: for one mail, from connecting on. */
  readonly timeoutMs: number;
  readonly from: string;
  readonly to: string;
  /** The least important that is still told. */
  readonly level: LogLevel;
  /** As whom we greet the mailers; null: the machine's name. */
  readonly hostName: string | null;
}
