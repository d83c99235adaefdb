// The statistics in Prometheus' text format 0.0.4, as HAProxy's exporter prints them: process, frontends,
// listeners, backends, servers. What has no value for an object is NaN, as there.
import type { FieldValue, RowKind, StatisticsRow } from "./fields.ts";
import type { InfoField } from "./info.ts";
import { type Metric, PROCESS_METRICS, ROW_METRICS } from "./prometheus-metrics.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4";

export type MetricScope = "global" | "frontend" | "listener" | "backend" | "server";

export interface ExporterOptions {
  /** `scope=` of the request; all when empty. */
  readonly scopes: ReadonlySet<MetricScope>;
  /** `no-maint`: without servers in maintenance. */
  readonly isWithoutMaintenance: boolean;
}

const SECTIONS = ["frontend", "listener", "backend", "server"] as const satisfies readonly RowKind[];
const CODES = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"] as const;
const SERVER_STATES = ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"] as const;
const CHECK_STATES = [
  "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP", "L7OK", "L7OKC", "L7STS",
  "PROCERR", "PROCTOUT", "PROCOK",
] as const; // biome-ignore format: a table

export function formatPrometheus(
  rows: readonly StatisticsRow[],
  info: readonly InfoField[],
  options: ExporterOptions,
): string {
  const has = (scope: MetricScope) => options.scopes.size === 0 || options.scopes.has(scope);
  let text = has("global") ? PROCESS_METRICS.map((metric) => processMetric(metric, info)).join("") : "";
  const shown = rows.filter(
    (row) => !(options.isWithoutMaintenance && row.kind === "server" && stateOf(row) === "MAINT"),
  );
  for (const section of SECTIONS) {
    if (!has(section)) continue;
    for (const metric of ROW_METRICS[section]) text += rowMetric(metric, section, shown);
  }
  return text;
}

function processMetric(metric: Metric, info: readonly InfoField[]): string {
  const value = info.find(({ name }) => name === metric.source)?.value;
  const name = `haproxy_process_${metric.name}`;
  const sample =
    metric.form === "version"
      ? `${name}{version="${escapeLabel(`${value}`)}"} 1\n`
      : `${name} ${value ?? "NaN"}\n`;
  return heading(name, metric) + sample;
}

function rowMetric(metric: Metric, section: RowKind, rows: readonly StatisticsRow[]): string {
  const name = `haproxy_${section}_${metric.name}`;
  const own = rows.filter((row) => row.kind === section && isShown(metric, row));
  const samples =
    metric.form === "codes"
      ? codeSamples(name, own)
      : own.map((row) => rowSamples(name, metric, row, rows)).join("");
  return samples === "" ? "" : heading(name, metric) + samples;
}

function isShown(metric: Metric, { proxy, fields }: StatisticsRow): boolean {
  if (metric.isHttpOnly && proxy.mode !== "http") return false;
  return !metric.isCheckedOnly || fields.check_status !== undefined;
}

/** By class first, then by object, as HAProxy has them. */
function codeSamples(name: string, rows: readonly StatisticsRow[]): string {
  return CODES.map((code) =>
    rows.map((row) => sample(name, row, ["code", code], row.fields[`hrsp_${code}`])).join(""),
  ).join("");
}

function rowSamples(
  name: string,
  metric: Metric,
  row: StatisticsRow,
  rows: readonly StatisticsRow[],
): string {
  const value = row.fields[metric.source];
  switch (metric.form) {
    case "seconds":
      return sample(name, row, null, (Number(value ?? 0) / 1000).toFixed(6));
    case "states":
      return statesOf(row)
        .map((state) => sample(name, row, ["state", state], stateOf(row) === state ? 1 : 0))
        .join("");
    case "check-states":
      return CHECK_STATES.map((state) =>
        sample(name, row, ["state", state], checkStateOf(row) === state ? 1 : 0),
      ).join("");
    case "server-states":
      return countServers(name, row, rows, SERVER_STATES, stateOf);
    case "server-check-states":
      return countServers(name, row, rows, CHECK_STATES, checkStateOf);
    default:
      return sample(name, row, null, value ?? (metric.isCheckedOnly ? 0 : "NaN"));
  }
}

function countServers(
  name: string,
  backend: StatisticsRow,
  rows: readonly StatisticsRow[],
  states: readonly string[],
  stateOfServer: (row: StatisticsRow) => string,
): string {
  const servers = rows.filter((row) => row.kind === "server" && row.proxy === backend.proxy);
  if (servers.length === 0) return "";
  const count = (state: string) => servers.filter((server) => stateOfServer(server) === state).length;
  return states.map((state) => sample(name, backend, ["state", state], count(state))).join("");
}

function statesOf(row: StatisticsRow): readonly string[] {
  if (row.kind === "server") return SERVER_STATES;
  return row.kind === "listener" ? ["WAITING", "OPEN", "FULL"] : ["DOWN", "UP"];
}

/** The label of a row's present state. */
function stateOf({ kind, fields }: StatisticsRow): string {
  const status = `${fields.status}`;
  if (kind === "listener") return status;
  if (kind === "frontend") return status === "OPEN" ? "UP" : "DOWN";
  const word = /^[A-Za-z]+/.exec(status)![0];
  return word === "no" ? "UP" : word;
}

function checkStateOf({ fields }: StatisticsRow): string {
  return `${fields.check_status ?? ""}`.replace("* ", "");
}

function sample(
  name: string,
  row: StatisticsRow,
  label: readonly [string, string] | null,
  value: FieldValue | undefined,
): string {
  const labels = [`proxy="${escapeLabel(row.proxy.name)}"`];
  if (row.kind === "server" || row.kind === "listener")
    labels.push(`${row.kind}="${escapeLabel(`${row.fields.svname}`)}"`);
  if (label !== null) labels.push(`${label[0]}="${label[1]}"`);
  return `${name}{${labels.join(",")}} ${value ?? "NaN"}\n`;
}

function heading(name: string, metric: Metric): string {
  return `# HELP ${name} ${metric.help}\n# TYPE ${name} ${metric.type}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
