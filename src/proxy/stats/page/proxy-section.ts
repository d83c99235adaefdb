// One proxy on the statistics page: a table of its rows, the form for its servers when admin is allowed, and
// all other figures behind a disclosure. On narrow screens the style turns each row into a card, with the
// labels from data-label.
import type * as model from "../../../model/proxy.ts";
import { COLUMNS } from "../columns.ts";
import type { StatisticsRow } from "../fields.ts";
import type { PageOptions } from "./page.ts";
import { escapeHtml, fullNumber, shortBytes, shortDuration, shortMilliseconds, shortNumber } from "./text.ts";

export function proxySection(
  proxy: model.Proxy,
  rows: readonly StatisticsRow[],
  options: PageOptions,
): string {
  const id = `p${proxy.id}`;
  const hasForm = options.isAdmin && rows.some((row) => row.kind === "server");
  const table = tableOf(id, rows, hasForm);
  const body = hasForm
    ? `<form method="post" action="${escapeHtml(options.uri)}">${table}${adminBar(proxy)}</form>`
    : table;
  return `<section class="proxy" aria-labelledby="${id}">
<div class="title"><h2 id="${id}">${escapeHtml(proxy.name)}</h2><span class="tag">${tags(proxy, rows, options)}</span></div>
${body}
<details><summary>All figures</summary><div class="all">${rows.map(allFigures).join("")}</div></details>
</section>`;
}

const COLUMN_HEADS = {
  Name: "",
  State: "",
  Sessions: "now / most / limit",
  "Per second": "now / most",
  Total: "",
  In: "",
  Out: "",
  Denied: "",
  Errors: "",
  Retries: "",
  Queue: "now / most",
  "Mean time": "",
  Weight: "",
  "Last check": "",
} as const satisfies Readonly<Record<string, string>>;
type ColumnHead = keyof typeof COLUMN_HEADS;

/** Columns in which no row of this proxy has anything are left out. */
function tableOf(id: string, rows: readonly StatisticsRow[], hasForm: boolean): string {
  const cells = rows.map((row) => rowCells(row, hasForm));
  const heads = (Object.keys(COLUMN_HEADS) as ColumnHead[]).filter((head) =>
    cells.some((row) => row[head] !== null),
  );
  const lines = cells.map(
    (row, index) =>
      `<tr${rowClass(rows[index]!)}>${heads.map((head) => row[head] ?? emptyCell(head)).join("")}</tr>`,
  );
  return `<div class="scroll"><table aria-labelledby="${id}"><thead><tr>${heads.map(headCell).join("")}</tr></thead><tbody>
${lines.join("\n")}
</tbody></table></div>`;
}

function headCell(head: ColumnHead): string {
  const isLeft = head === "State" || head === "Last check";
  const note = COLUMN_HEADS[head] === "" ? "" : `<small>${COLUMN_HEADS[head]}</small>`;
  return `<th scope="col"${isLeft ? ' class="left"' : ""}>${head}${note}</th>`;
}

function emptyCell(head: ColumnHead): string {
  return `<td class="none" data-label="${head}"></td>`;
}

function rowClass({ kind }: StatisticsRow): string {
  return kind === "frontend" || kind === "backend" ? ' class="sum"' : "";
}

function tags(proxy: model.Proxy, rows: readonly StatisticsRow[], options: PageOptions): string {
  const words: string[] = [proxy.kind, proxy.mode];
  const algorithm = rows.find((row) => row.kind === "backend")?.fields.algo;
  if (options.hasLegends && algorithm !== undefined) words.push(`balance ${algorithm}`);
  if (options.hasLegends && proxy.frontend !== null)
    words.push(proxy.frontend.binds.map((bind) => bind.text).join(", "));
  if (proxy.description !== null) words.push(proxy.description);
  return escapeHtml(words.filter((word) => word !== "").join(" · "));
}

function rowCells(row: StatisticsRow, hasForm: boolean): Record<ColumnHead, string | null> {
  const { kind, fields } = row;
  const hasServers = kind === "server" || kind === "backend";
  return {
    Name: nameCell(row, hasForm),
    State: stateCell(row),
    Sessions: sessionsCell(row),
    "Per second": cell("Per second", rateText(row)),
    Total: cell("Total", figure(fields.req_tot ?? fields.stot, shortNumber)),
    In: cell("In", figure(fields.bin, shortBytes)),
    Out: cell("Out", figure(fields.bout, shortBytes)),
    Denied: cell("Denied", count(sum(fields.dreq, fields.dresp, fields.dcon, fields.dses), "warn")),
    Errors: cell("Errors", count(sum(fields.ereq, fields.econ, fields.eresp), "bad", errorTitle(row))),
    Retries: cell("Retries", hasServers ? count(sum(fields.wretr, fields.wredis), "warn") : null),
    Queue: cell("Queue", queueText(row)),
    "Mean time": timeCell(row),
    Weight: cell("Weight", weightText(row)),
    "Last check": checkCell(row),
  };
}

function nameCell({ kind, fields, proxy }: StatisticsRow, hasForm: boolean): string {
  const name = escapeHtml(`${fields.svname}`);
  const role = kind === "server" && fields.bck === 1 ? "<i>backup</i>" : "";
  if (kind === "frontend") return `<th scope="row">Frontend</th>`;
  if (kind === "backend") return `<th scope="row">Backend</th>`;
  const address = fields.addr === undefined ? "" : `<small>${escapeHtml(`${fields.addr}`)}</small>`;
  if (kind === "listener" || !hasForm) return `<th scope="row">${name}${role}${address}</th>`;
  const box = `<input type="checkbox" name="s" value="${name}" aria-label="Choose ${name} of ${escapeHtml(proxy.name)}">`;
  return `<th scope="row">${box}${name}${role}${address}</th>`;
}

function stateCell({ fields, kind }: StatisticsRow): string {
  const status = `${fields.status}`;
  const since =
    fields.lastchg === undefined || kind === "frontend"
      ? ""
      : ` <small>${shortDuration(Number(fields.lastchg))}</small>`;
  return `<td class="left state"><span class="pill ${pillOf(status)}">${escapeHtml(status)}</span>${since}</td>`;
}

/** Up, on the way down, down, on purpose elsewhere, or nothing special. */
function pillOf(status: string): string {
  if (/^(UP|OPEN)$/.test(status) || /^UP \(/.test(status)) return "up";
  if (/^(UP|DRAIN|NOLB) -?\d|^FULL/.test(status)) return "warn";
  if (/^DOWN \d/.test(status)) return "warn";
  if (/^(DOWN|STOP)/.test(status)) return "down";
  return /^(DRAIN|NOLB)/.test(status) ? "drain" : "rest";
}

function sessionsCell({ kind, fields }: StatisticsRow): string {
  const now = Number(fields.scur);
  const most = Number(fields.smax);
  const limit = Number(fields.slim ?? 0);
  const title = `now ${now}, most ${most}${limit > 0 ? `, limit ${limit}` : ""}`;
  const text = `${shortNumber(now)} <small>/ ${shortNumber(most)}${limit > 0 ? ` / ${shortNumber(limit)}` : ""}</small>`;
  // A backend's is `fullconn`, which limits nothing.
  const isFull = now >= limit && kind !== "backend";
  const share = (value: number) => Math.min(100, Math.round((100 * value) / limit));
  const bar =
    limit === 0
      ? ""
      : `<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="${isFull ? "full" : "use"}" width="${share(now)}" height="4"/><rect class="most" x="${Math.max(0, share(most) - 1)}" width="${most > 0 ? 1 : 0}" height="4"/></svg>`;
  return `<td data-label="Sessions" title="${title}">${text}${bar}</td>`;
}

function rateText({ fields }: StatisticsRow): string | null {
  const rate = fields.req_rate !== undefined && fields.hrsp_2xx !== undefined ? fields.req_rate : fields.rate;
  const most =
    fields.req_rate !== undefined && fields.hrsp_2xx !== undefined ? fields.req_rate_max : fields.rate_max;
  if (rate === undefined) return null;
  return `${shortNumber(Number(rate))} <small>/ ${shortNumber(Number(most ?? 0))}</small>`;
}

function queueText({ fields }: StatisticsRow): string | null {
  if (fields.qcur === undefined) return null;
  const now = Number(fields.qcur);
  const limit = fields.qlimit === undefined ? "" : ` / ${shortNumber(Number(fields.qlimit))}`;
  return `${now > 0 ? `<span class="warn">${shortNumber(now)}</span>` : "0"} <small>/ ${shortNumber(Number(fields.qmax))}${limit}</small>`;
}

/** The mean time of a stream, and a bar of what it is made of. */
function timeCell({ fields }: StatisticsRow): string | null {
  if (fields.ttime === undefined) return null;
  const [queue, connect, response] = [Number(fields.qtime), Number(fields.ctime), Number(fields.rtime)];
  const total = Number(fields.ttime);
  const title = `queue ${queue} ms, connect ${connect} ms, response ${response} ms, in all ${total} ms`;
  if (total === 0) return `<td class="zero" data-label="Mean time" title="${title}">0 ms</td>`;
  const whole = Math.max(total, queue + connect + response);
  let x = 0;
  const rest = whole - queue - connect - response;
  const parts = [
    ["q", queue],
    ["c", connect],
    ["r", response],
    ["t", rest],
  ] as const;
  const rects = parts.map(([name, ms]) => {
    const width = Math.round((1000 * ms) / whole) / 10;
    x += width;
    return width > 0
      ? `<rect class="${name}" x="${(x - width).toFixed(1)}" width="${width}" height="4"/>`
      : "";
  });
  const bar = `<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${rects.join("")}</svg>`;
  return `<td data-label="Mean time" title="${title}">${shortMilliseconds(total)}${bar}</td>`;
}

function weightText({ kind, fields }: StatisticsRow): string | null {
  if (fields.weight === undefined) return null;
  if (kind === "backend")
    return `${fields.weight} <small class="below">${fields.act} active, ${fields.bck} backup</small>`;
  const throttle = fields.throttle === undefined ? "" : ` <small>${fields.throttle}%</small>`;
  return fields.weight === fields.uweight
    ? `${fields.weight}${throttle}`
    : `${fields.weight} <small>of ${fields.uweight}</small>${throttle}`;
}

function checkCell({ fields }: StatisticsRow): string | null {
  if (fields.tracked !== undefined)
    return `<td class="left" data-label="Last check">as <b>${escapeHtml(`${fields.tracked}`)}</b></td>`;
  if (fields.check_status === undefined) return null;
  const code = fields.check_code === undefined ? "" : `/${fields.check_code}`;
  const duration =
    fields.check_duration === undefined ? "" : ` in ${shortMilliseconds(Number(fields.check_duration))}`;
  const failed =
    Number(fields.chkfail) > 0
      ? ` <small class="below">${fullNumber(Number(fields.chkfail))} failed</small>`
      : "";
  const said = `${fields.last_chk ?? ""}`;
  const title = `${fields.check_desc}${said === "" ? "" : `: ${said}`}`;
  const agent =
    fields.agent_status === undefined ? "" : ` <small>agent ${escapeHtml(`${fields.agent_status}`)}</small>`;
  return `<td class="left" data-label="Last check" title="${escapeHtml(title)}">${escapeHtml(`${fields.check_status}`)}${code}${duration}${failed}${agent}</td>`;
}

function errorTitle({ fields }: StatisticsRow): string {
  const parts = [
    ["requests", fields.ereq],
    ["connections", fields.econ],
    ["responses", fields.eresp],
  ] as const;
  return parts.flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`])).join(", ");
}

function cell(label: ColumnHead, content: string | null): string | null {
  if (content === null) return null;
  const classes = content === "0" || content === "0 B" ? ' class="zero"' : "";
  return `<td${classes} data-label="${label}">${content}</td>`;
}

function figure(value: string | number | undefined, format: (value: number) => string): string | null {
  return value === undefined ? null : format(Number(value));
}

function count(value: number, importance: "bad" | "warn", title = ""): string {
  if (value === 0) return "0";
  return `<span class="${importance}"${title === "" ? "" : ` title="${title}"`}>${shortNumber(value)}</span>`;
}

function sum(...values: readonly (string | number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + Number(value ?? 0), 0);
}

const ACTIONS: readonly (readonly [action: string, label: string])[] = [
  ["ready", "Ready: take traffic"],
  ["drain", "Drain: only clients that are tied to it"],
  ["maint", "Maintenance: no traffic, no checks"],
  ["shutdown", "End its sessions"],
  ["ehlth", "Health checks on"],
  ["dhlth", "Health checks off"],
  ["hrunn", "Say it is healthy"],
  ["hnolb", "Say it is stopping"],
  ["hdown", "Say it is down"],
  ["eagent", "Agent checks on"],
  ["dagent", "Agent checks off"],
  ["arunn", "Agent says it is healthy"],
  ["adown", "Agent says it is down"],
];

function adminBar(proxy: model.Proxy): string {
  const choices = ACTIONS.map(([action, label]) => `<option value="${action}">${label}</option>`).join("");
  const label = `Action for the chosen servers of ${escapeHtml(proxy.name)}`;
  return `<div class="admin"><span>Chosen servers:</span><select name="action" aria-label="${label}"><option value="">Choose an action</option>${choices}</select><input type="hidden" name="b" value="#${proxy.id}"><button type="submit">Apply</button></div>`;
}

function allFigures({ fields }: StatisticsRow): string {
  const entries = COLUMNS.flatMap(({ name }) => {
    const value = fields[name];
    if (value === undefined || value === "" || name === "pxname" || name === "svname") return [];
    const text = typeof value === "number" ? fullNumber(value) : escapeHtml(value);
    return `<dt>${name}</dt><dd>${text}</dd>`;
  });
  return `<div><h3>${escapeHtml(`${fields.svname}`)}</h3><dl>${entries.join("")}</dl></div>`;
}
