// The statistics page (`stats enable`): complete HTML from rows, with neither script nor anything from
// another host. The figures that matter are in one table per proxy; every other column of the CSV is behind
// "All figures".
import type { StatisticsRow } from "../fields.ts";
import type { InfoField } from "../info.ts";
import { proxySection } from "./proxy-section.ts";
import { STYLE } from "./style.ts";
import { escapeHtml, fullNumber, shortBytes, shortDuration, shortNumber } from "./text.ts";

export interface PageOptions {
  /** The page's own address, without any of the ";…" words. */
  readonly uri: string;
  /** `stats show-node`; null without it. */
  readonly node: string | null;
  /** `stats show-desc`. */
  readonly description: string | null;
  /** Null with `stats hide-version`. */
  readonly version: string | null;
  readonly refreshSeconds: number | null;
  /** False after ";norefresh". */
  readonly isRefreshing: boolean;
  readonly isAdmin: boolean;
  /** ";up": without servers that are down. */
  readonly isWithoutDown: boolean;
  readonly hasLegends: boolean;
  /** Outcome of the last form, of `;st=`; null without one. */
  readonly outcome: string | null;
}

export function renderPage(
  rows: readonly StatisticsRow[],
  info: readonly InfoField[],
  options: PageOptions,
): string {
  const proxies = [...new Set(rows.map((row) => row.proxy))];
  const sections = proxies.map((proxy) =>
    proxySection(
      proxy,
      rows.filter((row) => row.proxy === proxy),
      options,
    ),
  );
  const title = options.node === null ? "Statistics" : `Statistics of ${options.node}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}${options.version === null ? "" : ` <small>Sallyport ${escapeHtml(options.version)}</small>`}</h1>
${options.description === null ? "" : `<p class="about">${escapeHtml(options.description)}</p>\n`}${navigation(options)}
${notice(options.outcome)}${tiles(rows, info)}
</header>
<main>
${sections.join("\n")}${sections.length === 0 ? "<p>There is nothing to show in this scope.</p>\n" : ""}</main>
<footer>Mean times of about the last thousand streams:<span class="key q"></span>queue<span class="key c"></span>connect<span class="key r"></span>response<span class="key"></span>the rest of the stream</footer>
</body>
</html>
`;
}

function navigation(options: PageOptions): string {
  const at = (words: string) => escapeHtml(options.uri + words);
  const links: string[] = [];
  const up = options.isWithoutDown ? ";up" : "";
  links.push(
    options.isWithoutDown
      ? `<a href="${at("")}">Show all servers</a>`
      : `<a href="${at(";up")}">Hide servers that are down</a>`,
  );
  if (options.refreshSeconds !== null && options.isRefreshing) {
    links.push(
      `<span>Refreshed every ${shortDuration(options.refreshSeconds)} <a href="${at(`${up};norefresh`)}">Stop</a></span>`,
    );
  } else if (options.refreshSeconds !== null)
    links.push(`<a href="${at(up)}">Refresh every ${shortDuration(options.refreshSeconds)}</a>`);
  else links.push(`<a href="${at(up)}">Refresh</a>`);
  links.push(
    `<a href="${at(";csv")}">CSV</a>`,
    `<a href="${at(";json")}">JSON</a>`,
    `<a href="${at(";plain")}">plain JSON</a>`,
    `<a href="${at(";metrics")}">Prometheus</a>`,
  );
  return `<nav aria-label="Views">${links.join("\n")}</nav>`;
}

const OUTCOMES: Readonly<Record<string, readonly [kind: string, text: string]>> = {
  DONE: ["good", "Done."],
  PART: ["bad", "Some of the servers could not be changed."],
  NONE: ["", "Nothing was changed: choose servers and an action."],
  ERRP: ["bad", "Nothing was changed: the form was not understood."],
  EXCD: ["bad", "Nothing was changed: the form was too large."],
  DENY: ["bad", "Nothing was changed: you may not."],
};

function notice(outcome: string | null): string {
  if (outcome === null) return "";
  const [kind, text] = OUTCOMES[outcome] ?? ["", "The outcome is unknown."];
  return `<p class="notice ${kind}" role="status">${text}</p>\n`;
}

function tiles(rows: readonly StatisticsRow[], info: readonly InfoField[]): string {
  const process = (name: string) => Number(info.find((field) => field.name === name)?.value ?? 0);
  const servers = rows.filter((row) => row.kind === "server");
  const running = servers.filter(({ fields }) => /^(UP|no check)/.test(`${fields.status}`)).length;
  const sum = (kind: StatisticsRow["kind"], name: string) =>
    rows
      .filter((row) => row.kind === kind)
      .reduce((total, { fields }) => total + Number(fields[name] ?? 0), 0);
  const errors = sum("backend", "econ") + sum("backend", "eresp");
  const maxconn = process("Maxconn");
  return `<ul class="tiles">
${tile("Up since", shortDuration(process("Uptime_sec")), `${process("Nbthread")} ${process("Nbthread") === 1 ? "worker" : "workers"}`)}
${tile("Connections", shortNumber(process("CurrConns")), maxconn > 0 ? `of ${fullNumber(maxconn)}` : "")}
${tile("New sessions", shortNumber(sum("frontend", "rate")), "per second")}
${tile("Requests", shortNumber(sum("frontend", "req_rate")), `per second, ${shortNumber(sum("frontend", "req_tot"))} in all`)}
${tile("Servers", `${running}`, `of ${servers.length} take traffic`, running < servers.length && running === 0)}
${tile("Waiting", shortNumber(sum("backend", "qcur") + sum("server", "qcur")), "in queues")}
${tile("Errors", shortNumber(errors), "of servers", errors > 0)}
${tile("Sent", shortBytes(sum("frontend", "bout")), `got ${shortBytes(sum("frontend", "bin"))}`)}
</ul>`;
}

function tile(label: string, figure: string, note: string, isBad = false): string {
  return `<li${isBad ? ' class="bad"' : ""}><span>${label}</span><strong>${figure}</strong> <em>${note}</em></li>`;
}
