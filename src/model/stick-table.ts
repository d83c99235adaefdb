// Stick tables: what is counted and remembered of a key, such as a client's address. HAProxy 2.6
// configuration manual, `stick-table`, `stick` and `peers`. A table has the name of its proxy, or
// "PEERS/TABLE".
import type { Span } from "../diagnostic/span.ts";
import type { Condition, SampleExpression } from "./sample.ts";

export const STICK_KEY_TYPES = ["ip", "ipv6", "integer", "string", "binary"] as const;
export type StickKeyType = (typeof STICK_KEY_TYPES)[number];

/** What can be stored with a key, in the order in which `show table` tells it. */
export const STORED_NAMES = [
  "server_id",
  "gpt0",
  "gpc0",
  "gpc0_rate",
  "conn_cnt",
  "conn_rate",
  "conn_cur",
  "sess_cnt",
  "sess_rate",
  "http_req_cnt",
  "http_req_rate",
  "http_err_cnt",
  "http_err_rate",
  "bytes_in_cnt",
  "bytes_in_rate",
  "bytes_out_cnt",
  "bytes_out_rate",
  "gpc1",
  "gpc1_rate",
  "server_key",
  "http_fail_cnt",
  "http_fail_rate",
  "gpt",
  "gpc",
  "gpc_rate",
] as const;
export type StoredName = (typeof STORED_NAMES)[number];

/**
 * `rate`: events in the last period; `gauge`: what is going on now; `server-key`: a server's name or address.
 */
export type StoredShape = "value" | "rate" | "gauge" | "server-key";

/** Those that are lists: `gpc(3)`. */
export const STORED_LISTS: ReadonlySet<StoredName> = new Set(["gpt", "gpc", "gpc_rate"]);

export function shapeOf(name: StoredName): StoredShape {
  if (name === "conn_cur") return "gauge";
  if (name === "server_key") return "server-key";
  return name.endsWith("_rate") ? "rate" : "value";
}

export interface StoredData {
  readonly name: StoredName;
  /** Of a rate, else 0. */
  readonly periodMs: number;
  /** Elements of a list, else 1. */
  readonly count: number;
}

export interface StickTableDefinition {
  readonly name: string;
  readonly keyType: StickKeyType;
  /** The longest key; shorter binary ones are filled up with zeros. */
  readonly keyBytes: number;
  readonly size: number;
  /** Null: entries stay until there is no room. */
  readonly expireMs: number | null;
  /** `nopurge`: a full table takes no new keys. */
  readonly isKept: boolean;
  /** In HAProxy's order. */
  readonly stored: readonly StoredData[];
  /** What `stick` rules know a server by. */
  readonly serverKey: "name" | "addr";
  /** Name of the `peers` section that it is shared with. */
  readonly peers: string | null;
  readonly span: Span;
}

/** Which part of a rule `stick on` is: it matches, and it stores. */
export interface StickRule {
  readonly matches: boolean;
  /** Of the request's key, or of the response's; null: `stick match`. */
  readonly stores: "request" | "response" | null;
  readonly key: SampleExpression;
  readonly table: string;
  readonly condition: Condition | null;
  readonly span: Span;
}

/** Rules on tables: `slot` is the number of `track-sc0` and its like. */
export type CounterAction =
  | {
      readonly kind: "track-sc";
      readonly slot: number;
      readonly key: SampleExpression;
      readonly table: string;
    }
  | {
      readonly kind: "sc-inc-gpc";
      readonly name: "gpc" | "gpc0" | "gpc1";
      readonly slot: number;
      readonly index: number;
    }
  | {
      readonly kind: "sc-set-gpt";
      readonly name: "gpt" | "gpt0";
      readonly slot: number;
      readonly index: number;
      readonly value: SampleExpression | number;
    };

export interface PeersSection {
  readonly name: string;
  /** Which of them this machine is: `-L`, `localpeer`, or its host name. */
  readonly localName: string;
  /** Where it listens; null: nowhere. */
  readonly local: PeerEndpoint | { readonly fd: number } | null;
  readonly peers: readonly {
    readonly name: string;
    /** Null for the own one, which may have none. */
    readonly endpoint: PeerEndpoint | null;
  }[];
  /** `disabled`, or it asks for what is not there yet. */
  readonly isDisabled: boolean;
  readonly span: Span;
}

export interface PeerEndpoint {
  readonly host: string;
  readonly port: number;
}

/** The number of tracked keys that a connection and each of its requests can have. */
export const TRACK_COUNT = 3;

/** What `sc_…`, `src_…` and `table_…` read, under the names that are behind the prefix. */
export const COUNTER_READS = [
  "bytes_in_rate",
  "bytes_out_rate",
  "conn_cnt",
  "conn_cur",
  "conn_rate",
  "gpc0_rate",
  "gpc1_rate",
  "http_err_cnt",
  "http_err_rate",
  "http_fail_cnt",
  "http_fail_rate",
  "http_req_cnt",
  "http_req_rate",
  "kbytes_in",
  "kbytes_out",
  "sess_cnt",
  "sess_rate",
] as const;
export type CounterRead = (typeof COUNTER_READS)[number];

/** Where it is stored. */
export function storedFor(read: CounterRead): StoredName {
  if (read === "kbytes_in") return "bytes_in_cnt";
  return read === "kbytes_out" ? "bytes_out_cnt" : read;
}

/** General purpose ones: what is done with them. */
export const GENERAL_READS = ["get_gpc0", "get_gpc1", "get_gpt0"] as const;
export const GENERAL_CHANGES = ["clr_gpc0", "clr_gpc1", "inc_gpc0", "inc_gpc1"] as const;
/** The same on lists: the first argument is the place in it. */
export const LIST_READS = ["get_gpc", "get_gpt", "gpc_rate"] as const;
export const LIST_CHANGES = ["clr_gpc", "inc_gpc"] as const;

type Single = CounterRead | (typeof GENERAL_READS)[number] | (typeof GENERAL_CHANGES)[number];
type OfList = (typeof LIST_READS)[number] | (typeof LIST_CHANGES)[number];
type Tracked = "tracked" | "trackers";

export type StickFetchName =
  | `${"sc" | "sc0" | "sc1" | "sc2" | "src"}_${Single}`
  | `${"sc" | "src"}_${OfList}`
  | `${"sc" | "sc0" | "sc1" | "sc2"}_${Tracked}`
  | "src_updt_conn_cnt"
  | "table_avl"
  | "table_cnt";

const SINGLES = [...COUNTER_READS, ...GENERAL_READS, ...GENERAL_CHANGES];
const OF_LISTS = [...LIST_READS, ...LIST_CHANGES];

/** As those of the other fetches: "type scope parameters…". */
export const STICK_FETCH_SIGNATURES: Readonly<Record<StickFetchName, string>> = Object.fromEntries([
  ...SINGLES.flatMap((name) => [
    [`sc_${name}`, "sint always integer table?"],
    ...[0, 1, 2].map((number) => [`sc${number}_${name}`, "sint always table?"]),
    [`src_${name}`, "sint always table"],
  ]),
  ...OF_LISTS.flatMap((name) => [
    [`sc_${name}`, "sint always integer integer table?"],
    [`src_${name}`, "sint always integer table"],
  ]),
  ["sc_tracked", "bool always integer table?"],
  ["sc_trackers", "sint always integer table?"],
  ...[0, 1, 2].flatMap((number) => [
    [`sc${number}_tracked`, "bool always table?"],
    [`sc${number}_trackers`, "sint always table?"],
  ]),
  ["src_updt_conn_cnt", "sint always table"],
  ["table_avl", "sint always table"],
  ["table_cnt", "sint always table"],
]) as Record<StickFetchName, string>; // The names are those that the type is made of.

export type TableConverterName =
  | "in_table"
  | `table_${CounterRead | "gpc0" | "gpc1" | "gpt0" | "server_id" | "trackers"}`
  | "table_expire"
  | "table_idle"
  | "table_gpc"
  | "table_gpt"
  | "table_gpc_rate";

export const TABLE_CONVERTER_SIGNATURES: Readonly<Record<TableConverterName, string>> = Object.fromEntries([
  ["in_table", "any bool table"],
  ...[...COUNTER_READS, "gpc0", "gpc1", "gpt0", "server_id", "trackers"].map((name) => [
    `table_${name}`,
    "any sint table",
  ]),
  ["table_expire", "any sint table integer?"],
  ["table_idle", "any sint table integer?"],
  ...["gpc", "gpt", "gpc_rate"].map((name) => [`table_${name}`, "any sint integer table"]),
]) as Record<TableConverterName, string>; // Likewise.
