// HAProxy's typed format of the statistics (management manual 9.2): one line per field, with position, tags
// and type.
import { COLUMNS, tagsOf } from "./columns.ts";
import type { RowKind, StatisticsRow } from "./fields.ts";

const LETTER: Readonly<Record<RowKind, string>> = { frontend: "F", backend: "B", server: "S", listener: "L" };

/** Ends with the newline of the last field. */
export function formatTyped(rows: readonly StatisticsRow[]): string {
  let text = "";
  for (const row of rows) {
    const prefix = `${LETTER[row.kind]}.${row.proxy.id}.${row.id}`;
    for (const [position, column] of COLUMNS.entries()) {
      const value = row.fields[column.name];
      if (value === undefined) continue;
      text += `${prefix}.${position}.${column.name}.1:${tagsOf(column, row.kind === "backend")}:${column.type}:${value}\n`;
    }
  }
  return text;
}
