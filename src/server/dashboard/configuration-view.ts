// The haproxy.cfg that serves, line by line: what becomes of each, and what it counts.
import { readFileSync } from "node:fs";
import { supportOfLines } from "../../language/haproxy/line-support.ts";
import type {
  ConfigurationAnswer,
  ConfigurationLine,
  LineCounters,
  LineSupport,
} from "../../model/dashboard-api.ts";
import { CELL } from "../../proxy/state.ts";
import { serverStatus } from "../../proxy/stats/server-status.ts";
import { SlotCounters, type StatisticsView } from "../../proxy/stats/statistics-view.ts";
import type { SourceText } from "../prepare.ts";
import { withoutSecrets } from "./secrets.ts";
import { viewOf } from "./server-rows.ts";
import type { DashboardState } from "./state.ts";

export function configurationView({ source, sources, loadedMs }: DashboardState): ConfigurationAnswer {
  const view = viewOf(source.actions);
  const counters = countersByLine(view);
  return {
    generation: view.runtime.generation,
    loadedMs,
    isChanged: sources.some(({ name, text }) => name !== "-" && textOnDisk(name) !== text),
    files: sources.map((file) => ({ name: file.name, lines: linesOf(file, counters) })),
  };
}

function linesOf(
  { name, text }: SourceText,
  counters: ReadonlyMap<string, LineCounters>,
): ConfigurationLine[] {
  const lines = text.split("\n");
  // Behind the last line feed there is no line.
  if (lines.at(-1) === "") lines.pop();
  const supports = supportOfLines(lines.join("\n"));
  return lines.map((line, i) => {
    const { support, keyword, note } = supports[i]!;
    return {
      text: withoutSecrets(line.replace(/\r$/, "")),
      support: (support === "no-effect" ? "without-effect" : support) as LineSupport,
      keyword,
      note,
      counters: counters.get(`${name}:${i + 1}`) ?? null,
    };
  });
}

/** By "FILE:LINE". A `listen` section is told by its frontend. */
function countersByLine(view: StatisticsView): Map<string, LineCounters> {
  const { runtime } = view;
  const byLine = new Map<string, LineCounters>();
  const add = (span: { readonly file: string; readonly line: number }, one: LineCounters) => {
    const place = `${span.file}:${span.line}`;
    if (!byLine.has(place)) byLine.set(place, one);
  };
  for (const frontend of runtime.frontends) {
    const isOpen = frontend.state.read(frontend.slot, CELL.isPaused) === 0;
    const facts = {
      of: `frontend/${frontend.name}`,
      kind: "frontend",
      status: isOpen ? "OPEN" : "STOP",
    } as const;
    add(frontend.definition.span, { ...facts, ...countersOf(view, frontend.slot) });
  }
  for (const { definition, frontend, slot } of runtime.listeners) {
    const facts = { of: `frontend/${frontend.name}`, kind: "listener", status: "OPEN" } as const;
    add(definition.span, { ...facts, ...countersOf(view, slot) });
  }
  for (const backend of runtime.backends) {
    const isUp = backend.servers.length === 0 || backend.servers.some(({ isUsable }) => isUsable);
    const facts = { of: `backend/${backend.name}`, kind: "backend", status: isUp ? "UP" : "DOWN" } as const;
    add(backend.definition.span, { ...facts, ...countersOf(view, backend.slot) });
    for (const server of backend.servers) {
      const own = {
        of: `${backend.name}/${server.name}`,
        kind: "server",
        status: serverStatus(view, server),
      } as const;
      add(server.definition.span, { ...own, ...countersOf(view, server.slot) });
    }
  }
  return byLine;
}

function countersOf(
  view: StatisticsView,
  slot: number,
): Pick<LineCounters, "sessions" | "sessionsTotal" | "bytesIn" | "bytesOut"> {
  const counters = new SlotCounters(view, slot);
  return {
    sessions: counters.total("scur"),
    sessionsTotal: counters.total("stot"),
    bytesIn: counters.total("bin"),
    bytesOut: counters.total("bout"),
  };
}

function textOnDisk(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
