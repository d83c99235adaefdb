// `npm run documents`: writes what the documents say of options, commands and metrics from the program
// itself, between the marks `<!-- from the program: NAME -->` and `<!-- end -->`. With --check it writes
// nothing and fails where a document is stale.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { HAPROXY_USAGE } from "../src/cli/haproxy-flags.ts";
import { runCommandLine } from "../src/cli/main.ts";
import { PROCESS_METRICS, ROW_METRICS } from "../src/proxy/stats/prometheus-metrics.ts";
import { COMMANDS } from "../src/server/admin/runtime-api.ts";
import { CHECK_PAGES, CHECKS_INDEX, renewCheckIndex, renewCheckPage } from "./check-pages.ts";
import { DASHBOARD_API, dashboardApi } from "./dashboard-api.ts";
import { datacenterReference } from "./datacenter-reference.ts";

const DOCUMENTS: readonly string[] = [
  "docs/command-line.md",
  "docs/datacenter-file.md",
  "docs/guide.md",
  "docs/statistics.md",
];
const BLOCK = /(<!-- from the program: (.+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** The document as it should be. Throws for a mark that names nothing. */
export async function renewDocument(text: string): Promise<string> {
  const blocks = await Promise.all([...text.matchAll(BLOCK)].map(([, , name]) => blockOf(name!)));
  return text.replace(
    BLOCK,
    (_whole, begin: string, _name, end: string) => `${begin}\n${blocks.shift()}\n${end}`,
  );
}

function renew(path: string, present: string): Promise<string> | string {
  if (path === CHECKS_INDEX) return renewCheckIndex();
  if (path === DASHBOARD_API) return dashboardApi();
  return CHECK_PAGES.includes(path) ? renewCheckPage(present) : renewDocument(present);
}

function blockOf(name: string): Promise<string> | string {
  if (name.startsWith("$ sallyport ")) return sessionOf(name);
  if (name.startsWith("sallyport")) return helpOf(name.split(" ").slice(1));
  switch (name) {
    case "flags of HAProxy":
      return inFence(HAPROXY_USAGE);
    case "runtime API":
      return runtimeCommands();
    case "metrics":
      return metrics();
    case "keys of the datacentre file":
      return datacenterReference();
    default:
      throw new Error(`nothing in the program is called "${name}"`);
  }
}

async function helpOf(words: readonly string[]): Promise<string> {
  return inFence(await outputOf([...words, "--help"]));
}

/** A command as typed in the folder of the project, and what it answers. Words may stand in single quotes. */
async function sessionOf(line: string): Promise<string> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  return `\`\`\`console\n${line}\n${(await outputOf(words.slice(2))).trimEnd()}\n\`\`\`\n`;
}

async function outputOf(words: readonly string[]): Promise<string> {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  await runCommandLine(words, {
    write,
    error: write,
    isColour: false,
    isErrorColour: false,
    columns: 80,
    isInteractive: false,
    askSecret: async () => null,
  });
  return text;
}

function runtimeCommands(): string {
  const rows = COMMANDS.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, usage, level, help }) => [
    `\`${`${name} ${usage}`.trim()}\``,
    level,
    help,
  ]);
  return table(["command", "level", "what it does"], rows);
}

function metrics(): string {
  const families = [
    ["process", PROCESS_METRICS] as const,
    ...(Object.entries(ROW_METRICS) as [string, typeof PROCESS_METRICS][]),
  ];
  return families
    .map(([scope, list]) => {
      const rows = list.map(({ name, type, source, help }) => [
        `\`haproxy_${scope}_${name}\``,
        type,
        `\`${source}\``,
        help,
      ]);
      const column = scope === "process" ? "in `show info`" : "CSV column";
      return `### Metrics of ${scope === "process" ? "the whole process" : `each ${scope}`}\n\n${table(["metric", "type", column, "meaning"], rows)}`;
    })
    .join("\n");
}

function inFence(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function table(title: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(title) + line(title.map(() => "---")) + rows.map(line).join("");
}

if (import.meta.main) {
  for (const path of [...DOCUMENTS, ...CHECK_PAGES, CHECKS_INDEX, DASHBOARD_API]) {
    const url = new URL(`../${path}`, import.meta.url);
    const present = readFileSync(url, "utf8");
    const wanted = await renew(path, present);
    if (present === wanted) continue;
    if (process.argv.includes("--check")) {
      console.error(`${path} is stale: run \`npm run documents\``);
      process.exitCode = 1;
    } else writeFileSync(url, wanted);
  }
}
