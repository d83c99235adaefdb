// The statistics of a master as a table for people: a line for each frontend, backend and server.
import { colour, columns, type TextRole } from "./terminal.ts";

/** A line of HAProxy's statistics by its column names; columns without meaning for it are absent. */
export type StatisticsLine = Readonly<Record<string, string | number>>;

interface JsonField {
  readonly field: { readonly name: string };
  readonly value: { readonly value: string | number };
}

/** Reads the answer to `show stat json`. Throws when it is something else. */
export function readStatistics(answer: string): StatisticsLine[] {
  const rows = JSON.parse(answer) as readonly (readonly JsonField[])[];
  return rows.map((row) => Object.fromEntries(row.map(({ field, value }) => [field.name, value.value])));
}

const TITLES = ["", "state", "sessions", "rate/s", "total", "in", "out", "check", "weight"];

/** Servers stand under their backend, indented. Lines without line feed. */
export function statusTable(rows: readonly StatisticsLine[], isColour: boolean): string[] {
  const [head = "", ...lines] = columns([TITLES, ...rows.map((row) => cells(row, isColour))]);
  return [colour(isColour, "faint", head), ...lines];
}

function cells(row: StatisticsLine, isColour: boolean): string[] {
  const status = String(row["status"] ?? "");
  const name = nameOf(row);
  return [
    isServer(row) ? name : colour(isColour, "title", name),
    colour(isColour, stateRole(status), status),
    withLimit(row["scur"], row["slim"]),
    String(row["rate"] ?? ""),
    String(row["req_tot"] ?? row["stot"] ?? ""),
    formatBytes(row["bin"]),
    formatBytes(row["bout"]),
    describeCheck(row),
    row["weight"] === undefined ? "" : String(row["weight"]),
  ];
}

function nameOf(row: StatisticsLine): string {
  const own = String(row["svname"]);
  if (own === "FRONTEND" || own === "BACKEND") return String(row["pxname"]);
  const cookie = row["cookie"] === undefined ? "" : ` (${row["cookie"]})`;
  return `  ${own}${cookie}${Number(row["bck"] ?? 0) > 0 ? " backup" : ""}`;
}

function isServer({ svname }: StatisticsLine): boolean {
  return svname !== "FRONTEND" && svname !== "BACKEND";
}

function stateRole(status: string): TextRole {
  if (/^(OPEN|UP$)/.test(status)) return "good";
  if (/^(DOWN|STOP|FULL)/.test(status)) return "error";
  return status === "no check" ? "faint" : "warning";
}

function withLimit(value: string | number | undefined, limit: string | number | undefined): string {
  if (value === undefined) return "";
  return limit === undefined || limit === "" ? String(value) : `${value}/${limit}`;
}

function describeCheck(row: StatisticsLine): string {
  const status = row["check_status"];
  if (status === undefined || status === "") return "";
  const duration = row["check_duration"];
  return duration === undefined || duration === "" ? String(status) : `${status} in ${duration} ms`;
}

/** "1.2 MB", in powers of a thousand; "" for what has no bytes. */
export function formatBytes(value: string | number | undefined): string {
  if (value === undefined || value === "") return "";
  let amount = Number(value);
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; amount >= 999.5 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 || amount >= 99.5 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** "3 d 4 h", "12 min", "5 s": the two largest parts at most. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}
