// What a row of the statistics is, and the fields that several kinds of rows share.
import type * as model from "../../model/proxy.ts";
import type { Server } from "../runtime.ts";
import type { SlotCounters } from "./statistics-view.ts";

export type FieldValue = string | number;
/** By column name. Absent: the column has no meaning for this row. */
export type Fields = Readonly<Record<string, FieldValue | undefined>>;

export type RowKind = "frontend" | "listener" | "server" | "backend";
/** Numbers that HAProxy has for kinds of rows, as in its `type` column. */
export const ROW_TYPE: Readonly<Record<RowKind, number>> = {
  frontend: 0,
  backend: 1,
  server: 2,
  listener: 3,
};

export interface StatisticsRow {
  readonly kind: RowKind;
  readonly proxy: model.Proxy;
  /** Server or listener id within the proxy, 0 for the sides of a proxy. */
  readonly id: number;
  readonly server: Server | null;
  readonly fields: Fields;
}

/** Responses by class, of an http proxy or its servers. */
export function responseFields(counters: SlotCounters): Fields {
  return {
    hrsp_1xx: counters.total("hrsp1xx"),
    hrsp_2xx: counters.total("hrsp2xx"),
    hrsp_3xx: counters.total("hrsp3xx"),
    hrsp_4xx: counters.total("hrsp4xx"),
    hrsp_5xx: counters.total("hrsp5xx"),
    hrsp_other: counters.total("hrspOther"),
  };
}
