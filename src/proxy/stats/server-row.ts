// The fields of a server's row.
import { STATUS_FACTS } from "../health/check-result.ts";
import type { Server } from "../runtime.ts";
import { CELL, DRAIN_MASK, MAINTENANCE_MASK, SERVER_STATE, WEIGHT_SCALE } from "../state.ts";
import { type Fields, responseFields } from "./fields.ts";
import { formatServerAddress } from "./row-address.ts";
import {
  agentHealthOf,
  checkedServer,
  checkStatusOf,
  describeStatus,
  isChecked,
  serverStatus,
} from "./server-status.ts";
import { SlotCounters, type StatisticsView, secondsSince } from "./statistics-view.ts";

export function serverFields(view: StatisticsView, server: Server): Fields {
  const counters = new SlotCounters(view, server.slot);
  return {
    ...serverSideFields(counters),
    ...stateFields(view, server, counters),
    ...connectionFields(view, server, counters),
    ...healthFields(view, server, counters),
    ...agentFields(view, server, counters),
    ...(server.backend.definition.mode === "http"
      ? { ...responseFields(counters), req_tot: counters.total("reqTot") }
      : {}),
  };
}

/** What servers and backends have in common. */
export function serverSideFields(counters: SlotCounters): Fields {
  const scur = counters.total("scur");
  const qcur = counters.total("qcur");
  const rate = counters.rate("sessRateSecond");
  return {
    qcur,
    qmax: counters.peak("qmax", qcur),
    scur,
    smax: counters.peak("smax", scur),
    stot: counters.total("stot"),
    bin: counters.total("bin"),
    bout: counters.total("bout"),
    dresp: counters.total("dresp"),
    econ: counters.total("econ"),
    eresp: counters.total("eresp"),
    wretr: counters.total("wretr"),
    wredis: counters.total("wredis"),
    wrew: 0,
    eint: 0,
    lbtot: counters.total("lbtot"),
    rate,
    rate_max: counters.peak("sessRateMax", rate),
    cli_abrt: counters.total("cliAborts"),
    srv_abrt: counters.total("srvAborts"),
    lastsess: counters.secondsSinceLastSession(),
    qtime: counters.averageMs("qtimeSum"),
    ctime: counters.averageMs("ctimeSum"),
    rtime: counters.averageMs("rtimeSum"),
    ttime: counters.averageMs("ttimeSum"),
    qtime_max: Math.round(counters.peak("qtimeMax", 0)),
    ctime_max: Math.round(counters.peak("ctimeMax", 0)),
    rtime_max: Math.round(counters.peak("rtimeMax", 0)),
    ttime_max: Math.round(counters.peak("ttimeMax", 0)),
    connect: counters.total("connect"),
    reuse: counters.total("reuse"),
    ssl_sess: 0,
    ssl_reused_sess: 0,
    ssl_failed_handshake: 0,
  };
}

function stateFields(view: StatisticsView, server: Server, counters: SlotCounters): Fields {
  const { definition } = server;
  const weight = counters.cell(CELL.weight);
  const effectiveWeight = counters.cell(CELL.effectiveWeight);
  const isWarmingUp =
    server.operational === SERVER_STATE.starting && (server.admin & (MAINTENANCE_MASK | DRAIN_MASK)) === 0;
  return {
    status: serverStatus(view, server),
    lastchg: secondsSince(view, counters.cell(CELL.lastChangeSeconds)),
    weight: Math.ceil(effectiveWeight / WEIGHT_SCALE),
    uweight: weight,
    throttle: isWarmingUp
      ? weight === 0
        ? 100
        : Math.ceil((100 * effectiveWeight) / (WEIGHT_SCALE * weight))
      : undefined,
    act: definition.isBackup ? 0 : 1,
    bck: definition.isBackup ? 1 : 0,
    tracked: definition.track === null ? undefined : `${definition.track.backend}/${definition.track.server}`,
    // One that is nowhere has none.
    addr: view.hasLegends && server.host !== "" ? formatServerAddress(server) : undefined,
    cookie: view.hasLegends ? (server.cookie ?? undefined) : undefined,
  };
}

function connectionFields(_view: StatisticsView, { definition }: Server, counters: SlotCounters): Fields {
  const idle = counters.total("idleCur");
  const used = counters.total("usedCur");
  const limit = counters.cell(CELL.maxconn);
  return {
    slim: limit > 0 ? limit : definition.maxconn || undefined,
    qlimit: definition.maxqueue || undefined,
    srv_icur: idle,
    src_ilim: definition.poolMaxConnections ?? undefined,
    // We keep one pool; its connections are those that HAProxy calls safe.
    idle_conn_cur: 0,
    safe_conn_cur: idle,
    used_conn_cur: used,
    need_conn_est: used,
  };
}

function healthFields(view: StatisticsView, server: Server, counters: SlotCounters): Fields {
  if (!isChecked(view, server, "health")) return {};
  const downSince =
    server.operational === SERVER_STATE.down ? secondsSince(view, counters.cell(CELL.lastChangeSeconds)) : 0;
  const counts: Fields = {
    chkfail: counters.cell(CELL.checksFailed),
    chkdown: counters.cell(CELL.checksDownTransitions),
    downtime: counters.cell(CELL.downtimeSeconds) + downSince,
  };
  // Maintenance pauses checks.
  if ((server.admin & MAINTENANCE_MASK) !== 0) return counts;
  const status = checkStatusOf(server, "health");
  const durationMs = counters.cell(CELL.checkDurationMs);
  const { check } = checkedServer(view, server).definition;
  return {
    ...counts,
    check_status: `${view.checks?.isRunning(server, "health") === true ? "* " : ""}${status}`,
    check_code: STATUS_FACTS[status].hasCode ? Math.max(0, counters.cell(CELL.checkCode)) : undefined,
    check_duration: status === "INI" || status === "UNK" || durationMs < 0 ? undefined : durationMs,
    check_desc: describeStatus(status),
    last_chk: view.checks?.describe(server, "health") ?? "",
    check_rise: check?.rise,
    check_fall: check?.fall,
    check_health: counters.cell(CELL.checkHealth),
  };
}

function agentFields(view: StatisticsView, server: Server, counters: SlotCounters): Fields {
  if (!isChecked(view, server, "agent")) return {};
  const status = checkStatusOf(server, "agent");
  return {
    agent_status: `${view.checks?.isRunning(server, "agent") === true ? "* " : ""}${status}`,
    agent_code: STATUS_FACTS[status].hasCode ? Math.max(0, counters.cell(CELL.agentCode)) : undefined,
    agent_duration: Math.max(0, counters.cell(CELL.agentDurationMs)),
    agent_desc: describeStatus(status),
    last_agt: view.checks?.describe(server, "agent") ?? "",
    agent_rise: 1,
    agent_fall: 1,
    agent_health: agentHealthOf(server),
  };
}
