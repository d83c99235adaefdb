// The fields of a BACKEND row: its own counters, and what its servers add up to.
import type { Backend, Server } from "../runtime.ts";
import { CELL, WEIGHT_SCALE } from "../state.ts";
import { type Fields, responseFields } from "./fields.ts";
import { serverSideFields } from "./server-row.ts";
import { SlotCounters, type StatisticsView, secondsSince } from "./statistics-view.ts";

/** For `fullconn` only, where neither frontend nor global section have a maxconn. */
const MAXCONN_ASSUMED = 2000;

export function backendFields(view: StatisticsView, backend: Backend): Fields {
  const { definition, settings, servers } = backend;
  const counters = new SlotCounters(view, backend.slot);
  const strength = strengthOf(backend);
  const isUp = strength.weight > 0 || servers.length === 0;
  const sinceChange = secondsSince(view, counters.cell(CELL.lastChangeSeconds));
  return {
    ...serverSideFields(counters),
    slim: settings.fullconn ?? fullconnOf(view, backend),
    dreq: counters.total("dreq"),
    status: isUp ? "UP" : "DOWN",
    weight: strength.weight,
    uweight: strength.userWeight,
    act: strength.activeCount,
    bck: strength.backupCount,
    chkdown: counters.cell(CELL.checksDownTransitions),
    lastchg: sinceChange,
    downtime:
      servers.length === 0 ? undefined : counters.cell(CELL.downtimeSeconds) + (isUp ? 0 : sinceChange),
    cookie: view.hasLegends ? settings.cookie?.name : undefined,
    algo: view.hasLegends ? algorithmOf(backend) : undefined,
    comp_in: counters.total("compIn"),
    comp_out: counters.total("compOut"),
    comp_byp: counters.total("compByp"),
    comp_rsp: counters.total("compRsp"),
    agg_server_status: 0,
    agg_server_check_status: 0,
    agg_check_status: 0,
    ...(definition.mode === "http"
      ? {
          ...responseFields(counters),
          req_tot: counters.total("reqTot"),
          cache_lookups: counters.total("cacheLookups"),
          cache_hits: counters.total("cacheHits"),
        }
      : {}),
  };
}

interface Strength {
  readonly activeCount: number;
  readonly backupCount: number;
  /** Of the servers that balancing uses now: the active ones, else the first backup or all of them. */
  readonly weight: number;
  readonly userWeight: number;
}

function strengthOf(backend: Backend): Strength {
  const usable = backend.servers.filter((server) => server.isBalanced);
  const active = usable.filter((server) => !server.definition.isBackup);
  const backups = usable.filter((server) => server.definition.isBackup);
  const inUse =
    active.length > 0 ? active : backend.definition.options.allbackups ? backups : backups.slice(0, 1);
  return {
    activeCount: active.length,
    backupCount: backups.length,
    weight: Math.ceil(sum(inUse, CELL.effectiveWeight) / WEIGHT_SCALE),
    userWeight: sum(inUse, CELL.weight),
  };
}

function sum(servers: readonly Server[], cell: number): number {
  return servers.reduce((total, server) => total + server.state.read(server.slot, cell), 0);
}

function algorithmOf({ settings }: Backend): string {
  const { algorithm } = settings.balance;
  // HAProxy does not tell `random` by its name.
  return algorithm === "random" ? "unknown" : algorithm;
}

/** A tenth of the connections of the frontends that lead here, at least 1 (manual 4.2, `fullconn`). */
function fullconnOf({ runtime, maxconn }: StatisticsView, backend: Backend): number {
  let connections = 0;
  for (const frontend of runtime.frontends) {
    const leadsHere =
      frontend.defaultBackend === backend ||
      frontend.settings.useBackend.some((rule) => rule.backend === backend.name);
    if (leadsHere) connections += frontend.settings.maxconn ?? maxconn ?? MAXCONN_ASSUMED;
  }
  return Math.max(1, Math.ceil(connections / 10));
}
