// What happened to consoles and in the dashboard, one line of JSON each: who, which machine, from where, how
// long, how many bytes, and why it ended. The file is opened for each line, so that it can be rotated at any
// time.
import { appendFileSync } from "node:fs";

export interface AuditEntry {
  readonly event:
    | "login"
    | "login-refused"
    | "logout"
    | "ticket-refused"
    | "ticket"
    | "open"
    | "close"
    | "kick"
    | "server-action"
    | "fix"
    | "reload"
    | "refused";
  readonly [field: string]: string | number | boolean;
}

export type AuditLog = (entry: AuditEntry) => void;

/**
 * `write` gets the lines; what goes wrong with them is told to `complain`, for a console must not end by it.
 */
export function auditLog(
  write: (line: string) => void,
  complain: (message: string) => void,
  now: () => number = Date.now,
): AuditLog {
  return (entry) => {
    try {
      write(`${JSON.stringify({ time: new Date(now()).toISOString(), ...entry })}\n`);
    } catch (error) {
      complain(`the audit log cannot be written: ${(error as Error).message}`);
    }
  };
}

export function appendTo(path: string): (line: string) => void {
  return (line) => appendFileSync(path, line, { mode: 0o640 });
}
