// `show info` and `show stat`.
import { COLUMNS } from "../../proxy/stats/columns.ts";
import { formatCsv } from "../../proxy/stats/csv.ts";
import { ROW_TYPE, type StatisticsRow } from "../../proxy/stats/fields.ts";
import { collectInfo } from "../../proxy/stats/info.ts";
import { formatInfo, formatInfoJson, formatInfoTyped } from "../../proxy/stats/info-format.ts";
import { formatJson } from "../../proxy/stats/json.ts";
import { collectRows } from "../../proxy/stats/rows.ts";
import type { StatisticsView } from "../../proxy/stats/statistics-view.ts";
import { formatTyped } from "../../proxy/stats/typed.ts";
import { type Command, type CommandContext, isCalled, mayRun, message } from "./command.ts";

export const STATISTICS_COMMANDS: readonly Command[] = [
  {
    name: "show info",
    usage: "[desc|json|typed|float]*",
    help: "figures of the whole process",
    level: "user",
    run: showInfo,
  },
  {
    name: "show stat",
    usage: "[desc|json|no-maint|typed|up]*",
    help: "statistics of proxies and servers",
    level: "user",
    run: showStat,
  },
  { name: "show schema json", usage: "", help: "schema of the JSON formats", level: "user", run: showSchema },
];

function viewOf({ actions, level }: CommandContext): StatisticsView {
  const { runtime, nowMs, checks } = actions;
  return {
    runtime,
    nowMs,
    checks,
    maxconn: runtime.configuration.global.maxconn,
    hasLegends: mayRun(level, "operator"),
  };
}

function showInfo(words: readonly string[], context: CommandContext): string {
  const fields = collectInfo(viewOf(context), context.actions.facts);
  if (words.includes("json")) return `${formatInfoJson(fields)}\n`;
  const hasDescriptions = words.includes("desc");
  return words.includes("typed")
    ? formatInfoTyped(fields, hasDescriptions)
    : formatInfo(fields, hasDescriptions);
}

/** `show stat [domain proxy] [IID|NAME TYPE SID] [typed|json] [up|no-maint]`. */
function showStat(words: readonly string[], context: CommandContext): string {
  let rest = words;
  if (rest[0] === "domain") {
    if (rest[1] !== "proxy") return message("Invalid statistics domain.");
    rest = rest.slice(2);
  }
  let rows: readonly StatisticsRow[] = collectRows(viewOf(context));
  if (rest.length >= 3 && /^-?\d+$/.test(rest[1]!) && /^-?\d+$/.test(rest[2]!)) {
    const filtered = filterRows(rows, rest[0]!, Number(rest[1]), Number(rest[2]));
    if (filtered === null) return message("No such proxy.");
    rows = filtered;
    rest = rest.slice(3);
  }
  rows = rows.filter((row) => isVisible(row, rest));
  if (rest.includes("json")) return `${formatJson(rows)}\n`;
  return rest.includes("typed") ? formatTyped(rows) : formatCsv(rows);
}

/** `types`: 1 frontends, 2 backends, 4 servers, 8 listeners, or a sum; -1: all. Null: no such proxy. */
function filterRows(
  rows: readonly StatisticsRow[],
  proxy: string,
  types: number,
  id: number,
): StatisticsRow[] | null {
  const isAll = proxy === "-1" || proxy === "0";
  const own = isAll
    ? rows
    : rows.filter((row) => `${row.proxy.id}` === proxy || isCalled(row.proxy.name, row.proxy.id, proxy));
  if (own.length === 0 && !isAll) return null;
  return own.filter((row) => {
    const hasType = types === -1 || (types & (1 << ROW_TYPE[row.kind])) !== 0;
    const hasId =
      id === -1 || id === 0 || (row.kind !== "server" && row.kind !== "listener") || row.id === id;
    return hasType && hasId;
  });
}

function isVisible({ kind, fields }: StatisticsRow, words: readonly string[]): boolean {
  if (kind !== "server") return true;
  const status = `${fields.status}`;
  if (words.includes("no-maint") && status.startsWith("MAINT")) return false;
  return !(words.includes("up") && (status.startsWith("DOWN") || status.startsWith("MAINT")));
}

/** What the JSON formats consist of (JSON Schema draft 4). */
function showSchema(): string {
  const value = {
    type: "object",
    properties: { type: { enum: ["str", "u32", "u64", "s32"] }, value: {} },
    required: ["type", "value"],
  };
  const tagNames = ["origin", "nature", "scope"];
  const tags = {
    type: "object",
    properties: Object.fromEntries(tagNames.map((name) => [name, { type: "string" }])),
    required: tagNames,
  };
  const field = {
    type: "object",
    properties: { pos: { type: "integer" }, name: { type: "string" } },
    required: ["pos", "name"],
  };
  const common = { field, processNum: { type: "integer" }, tags, value };
  const info = { title: "InfoItem", type: "object", properties: common, required: Object.keys(common) };
  const place = {
    objType: { enum: ["Frontend", "Backend", "Server", "Listener"] },
    proxyId: { type: "integer" },
    id: { type: "integer" },
  };
  const names = { name: { enum: COLUMNS.map(({ name }) => name) } };
  const statField = { ...field, properties: { ...field.properties, ...names } };
  const properties = { ...place, ...common, field: statField };
  const stat = { title: "StatItem", type: "object", properties, required: Object.keys(properties) };
  const schema = {
    $schema: "http://json-schema.org/draft-04/schema#",
    oneOf: [
      { title: "Info", type: "array", items: info },
      { title: "Stat", type: "array", items: { type: "array", items: stat } },
    ],
  };
  return `${JSON.stringify(schema)}\n`;
}
