// The statistics as rows of named fields: for each proxy its FRONTEND, its listeners (`option socket-stats`),
// its servers and its BACKEND, in HAProxy's order and with its words. CSV, JSON, the exporter and the page
// print these rows.
import type * as model from "../../model/proxy.ts";
import type { Backend, Frontend, ListenerRuntime, Server } from "../runtime.ts";
import { CELL } from "../state.ts";
import { backendFields } from "./backend-row.ts";
import { type Fields, ROW_TYPE, type RowKind, responseFields, type StatisticsRow } from "./fields.ts";
import { http2Fields } from "./http2-fields.ts";
import { formatListenAddress } from "./row-address.ts";
import { serverFields } from "./server-row.ts";
import { SlotCounters, type StatisticsView } from "./statistics-view.ts";

export function collectRows(view: StatisticsView): StatisticsRow[] {
  return view.runtime.configuration.proxies.flatMap((proxy) => rowsOfProxy(view, proxy));
}

/** Empty for a disabled proxy. */
export function rowsOfProxy(view: StatisticsView, proxy: model.Proxy): StatisticsRow[] {
  const { runtime } = view;
  const rows: StatisticsRow[] = [];
  const frontend = proxy.frontend === null ? undefined : runtime.frontendsByName.get(proxy.name);
  const backend = proxy.backend === null ? undefined : runtime.backendsByName.get(proxy.name);
  if (frontend !== undefined) rows.push(frontendRow(view, frontend));
  if (frontend !== undefined && proxy.options.socketStats) {
    for (const listener of runtime.listeners)
      if (listener.frontend === frontend) rows.push(listenerRow(view, listener));
  }
  if (backend !== undefined) {
    for (const server of backend.servers) rows.push(serverRow(view, server));
    rows.push(backendRow(view, backend));
  }
  return rows;
}

function serverRow(view: StatisticsView, server: Server): StatisticsRow {
  const { definition, backend } = server;
  const fields = {
    ...commonFields(backend.definition, server.name, "server", definition.id),
    ...serverFields(view, server),
  };
  return { kind: "server", proxy: backend.definition, id: definition.id, server, fields };
}

function backendRow(view: StatisticsView, backend: Backend): StatisticsRow {
  const { definition } = backend;
  const fields = {
    ...commonFields(definition, "BACKEND", "backend", 0),
    ...backendFields(view, backend),
    ...http2Fields(null),
  };
  return { kind: "backend", proxy: definition, id: 0, server: null, fields };
}

function frontendRow(view: StatisticsView, frontend: Frontend): StatisticsRow {
  const { definition, settings } = frontend;
  const counters = new SlotCounters(view, frontend.slot);
  const scur = counters.total("scur");
  const sessionRate = counters.rate("sessRateSecond");
  const connectionRate = counters.rate("connRateSecond");
  const limit = counters.cell(CELL.maxconn);
  const fields: Fields = {
    ...commonFields(definition, "FRONTEND", "frontend", 0),
    ...clientSideFields(counters, scur),
    slim: limit > 0 ? limit : (settings.maxconn ?? view.maxconn ?? undefined),
    status: counters.cell(CELL.isPaused) === 0 ? "OPEN" : "STOP",
    rate: sessionRate,
    rate_lim: settings.rateLimitSessions ?? 0,
    rate_max: counters.peak("sessRateMax", sessionRate),
    conn_rate: connectionRate,
    conn_rate_max: counters.peak("connRateMax", connectionRate),
    conn_tot: counters.total("connTot"),
    comp_in: counters.total("compIn"),
    comp_out: counters.total("compOut"),
    comp_byp: counters.total("compByp"),
    comp_rsp: counters.total("compRsp"),
    ssl_reused_sess: 0,
    ...http2Fields(counters),
    ...(definition.mode === "http"
      ? httpFrontendFields(counters)
      : { req_rate: 0, req_rate_max: 0, req_tot: 0 }),
  };
  return { kind: "frontend", proxy: definition, id: 0, server: null, fields };
}

function httpFrontendFields(counters: SlotCounters): Fields {
  const requestRate = counters.rate("reqRateSecond");
  return {
    ...responseFields(counters),
    req_rate: requestRate,
    req_rate_max: counters.peak("reqRateMax", requestRate),
    req_tot: counters.total("reqTot"),
    intercepted: counters.total("intercepted"),
    cache_lookups: counters.total("cacheLookups"),
    cache_hits: counters.total("cacheHits"),
  };
}

function listenerRow(view: StatisticsView, { definition, frontend, slot }: ListenerRuntime): StatisticsRow {
  const counters = new SlotCounters(view, slot);
  const scur = counters.total("scur");
  const limit = definition.maxconn ?? 0;
  const isPaused = view.runtime.state.read(frontend.slot, CELL.isPaused) !== 0;
  const fields: Fields = {
    ...commonFields(
      frontend.definition,
      definition.name ?? `sock-${definition.id}`,
      "listener",
      definition.id,
    ),
    ...clientSideFields(counters, scur),
    slim: limit,
    status: isPaused ? "WAITING" : limit > 0 && scur >= limit ? "FULL" : "OPEN",
    addr: view.hasLegends ? formatListenAddress(definition.address) : undefined,
    ssl_reused_sess: 0,
  };
  return { kind: "listener", proxy: frontend.definition, id: definition.id, server: null, fields };
}

function clientSideFields(counters: SlotCounters, scur: number): Fields {
  return {
    scur,
    smax: counters.peak("smax", scur),
    stot: counters.total("stot"),
    bin: counters.total("bin"),
    bout: counters.total("bout"),
    dreq: counters.total("dreq"),
    dresp: counters.total("dresp"),
    ereq: counters.total("ereq"),
    dcon: counters.total("dcon"),
    dses: counters.total("dses"),
    wrew: 0,
    eint: 0,
    ssl_sess: counters.total("sslConnections"),
    ssl_failed_handshake: counters.total("failedHandshakes"),
  };
}

function commonFields(proxy: model.Proxy, name: string, kind: RowKind, id: number): Fields {
  return {
    pxname: proxy.name,
    svname: name,
    pid: 1,
    iid: proxy.id,
    sid: id,
    type: ROW_TYPE[kind],
    mode: proxy.mode,
  };
}
