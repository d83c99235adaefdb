// HAProxy's table of servers as the dashboard shows it: the same figures, under names that say what they are.
import type { ServerCheck, ServerCondition, ServerRow } from "../../model/dashboard-api.ts";
import { STATUS_FACTS } from "../../proxy/health/check-result.ts";
import type { Server } from "../../proxy/runtime.ts";
import { CELL, DRAIN_MASK, MAINTENANCE_MASK, SERVER_STATE, WEIGHT_SCALE } from "../../proxy/state.ts";
import { formatServerAddress } from "../../proxy/stats/row-address.ts";
import {
  agentHealthOf,
  checkedServer,
  checkStatusOf,
  isChecked,
  serverStatus,
} from "../../proxy/stats/server-status.ts";
import { SlotCounters, type StatisticsView, secondsSince } from "../../proxy/stats/statistics-view.ts";
import type { AdminActions } from "../admin/actions.ts";
import type { StickyClients } from "./sticky-clients.ts";

export function viewOf({ runtime, nowMs, checks }: AdminActions): StatisticsView {
  return { runtime, nowMs, checks, maxconn: runtime.configuration.global.maxconn, hasLegends: true };
}

/** In the order of the file. */
export function serverRows(actions: AdminActions, sticky: StickyClients): ServerRow[] {
  const view = viewOf(actions);
  return view.runtime.backends.flatMap(({ servers }) => servers.map((one) => serverRow(view, one, sticky)));
}

export function serverRow(view: StatisticsView, server: Server, sticky: StickyClients): ServerRow {
  const { backend, definition } = server;
  const counters = new SlotCounters(view, server.slot);
  const limit = counters.cell(CELL.maxconn);
  const id = `${backend.name}/${server.name}`;
  const isDown = server.operational === SERVER_STATE.down;
  const lastChangeSeconds = secondsSince(view, counters.cell(CELL.lastChangeSeconds));
  return {
    id,
    backend: backend.name,
    server: server.name,
    address: server.host === "" ? "" : formatServerAddress(server),
    cookie: server.cookie,
    isBackup: definition.isBackup,
    condition: conditionOf(view, server),
    status: serverStatus(view, server),
    lastChangeSeconds,
    downtimeSeconds: counters.cell(CELL.downtimeSeconds) + (isDown ? lastChangeSeconds : 0),
    check: checkOf(view, server, "health"),
    agent: checkOf(view, server, "agent"),
    weight: counters.cell(CELL.weight),
    configuredWeight: definition.weight,
    effectiveWeight: Math.ceil(counters.cell(CELL.effectiveWeight) / WEIGHT_SCALE),
    sessions: counters.total("scur"),
    sessionsMax: counters.peak("smax", counters.total("scur")),
    sessionLimit: limit > 0 ? limit : definition.maxconn || null,
    sessionsTotal: counters.total("stot"),
    idleConnections: counters.total("idleCur"),
    queued: counters.total("qcur"),
    requestsPerSecond: counters.rate("sessRateSecond"),
    requestsTotal: backend.definition.mode === "http" ? counters.total("reqTot") : counters.total("stot"),
    bytesIn: counters.total("bin"),
    bytesOut: counters.total("bout"),
    errors: {
      connection: counters.total("econ"),
      response: counters.total("eresp"),
      retries: counters.total("wretr"),
      redispatches: counters.total("wredis"),
      status5xx: counters.total("hrsp5xx"),
    },
    averages: {
      queueMs: counters.averageMs("qtimeSum"),
      connectMs: counters.averageMs("ctimeSum"),
      responseMs: counters.averageMs("rtimeSum"),
      totalMs: counters.averageMs("ttimeSum"),
    },
    lastSessionSeconds: counters.secondsSinceLastSession(),
    sticky: backend.settings.cookie === null || server.cookie === null ? null : sticky.of(id, view.nowMs),
    span: definition.span,
  };
}

/** What an operator has asked for comes before what checks say. */
function conditionOf(view: StatisticsView, server: Server): ServerCondition {
  const { admin, operational } = server;
  if ((admin & MAINTENANCE_MASK) !== 0) return "maintenance";
  if (operational === SERVER_STATE.down) return "down";
  if ((admin & DRAIN_MASK) !== 0) return "drain";
  if (operational === SERVER_STATE.starting) return "starting";
  if (operational === SERVER_STATE.stopping) return "stopping";
  const checked = checkedServer(view, server);
  return isChecked(view, checked, "health") || isChecked(view, checked, "agent") ? "up" : "unchecked";
}

function checkOf(view: StatisticsView, server: Server, kind: "health" | "agent"): ServerCheck | null {
  const isHealth = kind === "health";
  const { check, agent } = server.definition;
  if ((isHealth ? check : agent) === null) return null;
  const read = (cell: number) => server.state.read(server.slot, cell);
  const status = checkStatusOf(server, kind);
  const facts = STATUS_FACTS[status];
  const code = read(isHealth ? CELL.checkCode : CELL.agentCode);
  const durationMs = read(isHealth ? CELL.checkDurationMs : CELL.agentDurationMs);
  const health = isHealth ? read(CELL.checkHealth) : agentHealthOf(server);
  const rise = isHealth ? check!.rise : 1;
  return {
    status,
    meaning: facts.text,
    code: facts.hasCode && code > 0 ? code : null,
    durationMs: facts.verdict === "unknown" || durationMs < 0 ? null : durationMs,
    lastAnswer: view.checks?.describe(server, kind) ?? "",
    health,
    rise,
    fall: isHealth ? check!.fall : 1,
    failures: isHealth ? read(CELL.checksFailed) : 0,
    isEnabled: view.checks?.isEnabled(server, kind) ?? true,
    isPassing: facts.verdict === "passed" || facts.verdict === "conditional",
  };
}
