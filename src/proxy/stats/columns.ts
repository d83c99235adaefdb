// The columns of HAProxy 2.6's statistics, in its order, which monitoring tools rely on: 0 to 102 by position
// (management manual 9.1), those behind "-" by name. Names, types and tags only; `rows.ts` gives the values.

/** Letters of the typed format (manual 9.2): origin, nature, scope. */
export type ColumnTags = string;
export type ColumnType = "u32" | "u64" | "s32" | "str";

export interface Column {
  readonly name: string;
  readonly tags: ColumnTags;
  readonly type: ColumnType;
  /** The tags in a BACKEND row where they are others. */
  readonly backendTags: ColumnTags | null;
}

const TABLE = `
pxname KNS str;svname KNS str;qcur MGP u32;qmax MMP u32;scur MGP u32;smax MMP u32;slim CLP u32;stot MCP u64
bin MCP u64;bout MCP u64;dreq MCP u64;dresp MCP u64;ereq MCP u64;econ MCP u64;eresp MCP u64;wretr MCP u64;wredis MCP u64
status SGP str;weight MaP u32;act SGP u32 MGP;bck SGP u32 MGP;chkfail MCP u64;chkdown MCP u64;lastchg MAP u32
downtime MCP u32;qlimit CGS u32;pid KGP u32;iid KGS u32;sid KGS u32;throttle MaP u32;lbtot MCP u64;tracked CNS str
type CGS u32;rate MRP u32 MGP;rate_lim CLP u32;rate_max MMP u32 MGP;check_status MOP str;check_code MOP u32
check_duration MDP u64;hrsp_1xx MCP u64;hrsp_2xx MCP u64;hrsp_3xx MCP u64;hrsp_4xx MCP u64;hrsp_5xx MCP u64
hrsp_other MCP u64;hanafail MCP u64;req_rate MRP u32;req_rate_max MMP u32;req_tot MCP u64;cli_abrt MCP u64
srv_abrt MCP u64;comp_in MCP u64;comp_out MCP u64;comp_byp MCP u64;comp_rsp MCP u64;lastsess MAP s32;last_chk MOP str
last_agt MOP str;qtime MaP u32;ctime MaP u32;rtime MaP u32;ttime MaP u32;agent_status MOP str;agent_code MOP u32
agent_duration MDP u64;check_desc MOP str;agent_desc MOP str;check_rise CGS u32;check_fall CGS u32;check_health CGS u32
agent_rise CGS u32;agent_fall CGS u32;agent_health CGS u32;addr CGS str;cookie CNS str;mode CGS str;algo CGS str
conn_rate MRP u32;conn_rate_max MMP u32;conn_tot MCP u64;intercepted MCP u64;dcon MCP u64;dses MCP u64;wrew MCP u64
connect MCP u64;reuse MCP u64;cache_lookups MCP u64;cache_hits MCP u64;srv_icur MGP u32;src_ilim CLP u32
qtime_max MMP u32;ctime_max MMP u32;rtime_max MMP u32;ttime_max MMP u32;eint MCP u64;idle_conn_cur MGP u32
safe_conn_cur MGP u32;used_conn_cur MGP u32;need_conn_est MGP u32;uweight MaP u32;agg_server_status MGP u32
agg_server_check_status MGP u32;agg_check_status MGP u32;ssl_sess MCP u64;ssl_reused_sess MCP u64
ssl_failed_handshake MCP u64;h2_headers_rcvd MCP u64;h2_data_rcvd MCP u64;h2_settings_rcvd MCP u64
h2_rst_stream_rcvd MCP u64;h2_goaway_rcvd MCP u64;h2_detected_conn_protocol_errors MCP u64
h2_detected_strm_protocol_errors MCP u64;h2_rst_stream_resp MCP u64;h2_goaway_resp MCP u64;h2_open_connections MGP u64
h2_backend_open_streams MGP u64;h2_total_connections MCP u64;h2_backend_total_streams MCP u64;h1_open_connections MGP u64
h1_open_streams MGP u64;h1_total_connections MCP u64;h1_total_streams MCP u64;h1_bytes_in MCP u64;h1_bytes_out MCP u64
h1_spliced_bytes_in MCP u64;h1_spliced_bytes_out MCP u64`;

/** Index = position in the typed and JSON formats. The CSV has a "-" more before `FIRST_EXTRA_COLUMN`. */
export const COLUMNS: readonly Column[] = TABLE.trim()
  .split(/[;\n]/)
  .map((entry) => {
    const [name, tags, type, backendTags] = entry.split(" ");
    return { name: name!, tags: tags!, type: type as ColumnType, backendTags: backendTags ?? null };
  });

/** Position of the first column whose place is not promised to anybody. */
export const FIRST_EXTRA_COLUMN: number = COLUMNS.findIndex(({ name }) => name === "ssl_sess");

/** A column's tags in a row of this kind. */
export function tagsOf(column: Column, isBackend: boolean): ColumnTags {
  return isBackend ? (column.backendTags ?? column.tags) : column.tags;
}

const ORIGINS: Readonly<Record<string, string>> = {
  M: "Metric",
  S: "Status",
  K: "Key",
  C: "Config",
  P: "Product",
};
const NATURES: Readonly<Record<string, string>> = {
  A: "Age", a: "Avg", C: "Counter", D: "Duration", G: "Gauge", L: "Limit", M: "Max", m: "Min", N: "Name", O: "Output",
  R: "Rate", T: "Time",
}; // biome-ignore format: a table
const SCOPES: Readonly<Record<string, string>> = { C: "Cluster", P: "Process", S: "Service", s: "System" };

/** The words that the JSON format has for tags. */
export function tagWords(tags: ColumnTags): {
  readonly origin: string;
  readonly nature: string;
  readonly scope: string;
} {
  return { origin: ORIGINS[tags[0]!]!, nature: NATURES[tags[1]!]!, scope: SCOPES[tags[2]!]! };
}
