// Rows made from the few fields that a test is about.
import type * as model from "../../model/proxy.ts";
import type { Fields, RowKind, StatisticsRow } from "./fields.ts";

export function makeProxy(name: string, facts: Partial<model.Proxy> = {}): model.Proxy {
  // The printers read no more of a proxy than this.
  return {
    kind: "listen",
    name,
    id: 2,
    mode: "http",
    description: null,
    frontend: null,
    ...facts,
  } as unknown as model.Proxy;
}

export function makeRow(kind: RowKind, proxy: model.Proxy, name: string, fields: Fields = {}): StatisticsRow {
  const status = kind === "frontend" || kind === "listener" ? "OPEN" : "UP";
  const all: Fields = {
    pxname: proxy.name,
    svname: name,
    status,
    scur: 0,
    smax: 0,
    stot: 0,
    bin: 0,
    bout: 0,
    ...fields,
  };
  return { kind, proxy, id: kind === "server" || kind === "listener" ? 1 : 0, server: null, fields: all };
}
