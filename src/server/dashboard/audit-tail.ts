// The audit log of what is done in the dashboard, and the newest of it for the dashboard itself.
import type { AuditAnswer } from "../../model/dashboard-api.ts";
import { type AuditLog, appendTo, auditLog } from "../console/audit-log.ts";

const KEPT_MAX = 1000;

export class AuditTail {
  readonly write: AuditLog;
  readonly #kept: AuditAnswer["entries"][number][] = [];

  /** `file` null: each line is told by `report`, as other messages are. */
  constructor(file: string | null, report: (text: string) => void) {
    const log = auditLog(
      file === null ? (line) => report(`dashboard: ${line.trimEnd()}`) : appendTo(file),
      report,
    );
    this.write = (entry) => {
      log(entry);
      const { event, ...facts } = entry;
      this.#kept.push({ atMs: Date.now(), event, facts });
      if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    };
  }

  /** The newest first. */
  newest(count: number): AuditAnswer {
    return { entries: this.#kept.slice(-count).reverse() };
  }
}
