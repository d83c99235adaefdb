// HAProxy's CSV of the statistics (management manual 9.1): one header line, one line per row, a comma after
// every field.
import { COLUMNS, FIRST_EXTRA_COLUMN } from "./columns.ts";
import type { FieldValue, StatisticsRow } from "./fields.ts";

const HEADER_LINE = `# ${line(COLUMNS.map(({ name }) => name))}`;

/** Ends with the newline of the last row; the stats socket adds an empty line. */
export function formatCsv(rows: readonly StatisticsRow[]): string {
  return (
    HEADER_LINE + rows.map(({ fields }) => line(COLUMNS.map(({ name }) => encode(fields[name])))).join("")
  );
}

function line(words: readonly string[]): string {
  return `${words.slice(0, FIRST_EXTRA_COLUMN).join(",")},-,${words.slice(FIRST_EXTRA_COLUMN).join(",")},\n`;
}

/** Text with a quote, a comma or a line end is quoted, with quotes doubled. */
function encode(value: FieldValue | undefined): string {
  if (value === undefined) return "";
  const text = `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
