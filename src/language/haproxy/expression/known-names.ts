// Names of sample fetches and converters that HAProxy 2.6 knows beyond those Sallyport has: other spellings
// of the same fetch, and what is not there yet, with the reason. So nothing real is ever called a typo.
// Source: HAProxy 2.6 configuration manual, section 7.3, and `haproxy -dKall`.
import type { FetchName } from "../../../model/sample.ts";

/** Other spellings. Those of both directions depend on the rule they stand in. */
const FETCH_ALIASES: Readonly<
  Record<string, FetchName | { readonly request: FetchName; readonly response: FetchName }>
> = {
  hdr: { request: "req.hdr", response: "res.hdr" },
  cookie: { request: "req.cook", response: "res.cook" },
  payload: { request: "req.payload", response: "res.payload" },
  payload_lv: { request: "req.payload_lv", response: "res.payload_lv" },
  rdp_cookie: "req.rdp_cookie",
  rdp_cookie_cnt: "req.rdp_cookie_cnt",
  req_rdp_cookie: "req.rdp_cookie",
  req_rdp_cookie_cnt: "req.rdp_cookie_cnt",
  hdr_cnt: "req.hdr_cnt",
  hdr_ip: "req.hdr_ip",
  hdr_val: "req.hdr_val",
  cook: "req.cook",
  cook_cnt: "req.cook_cnt",
  cook_val: "req.cook_val",
  req_len: "req.len",
  req_proto_http: "req.proto_http",
  req_ssl_hello_type: "req.ssl_hello_type",
  req_ssl_sni: "req.ssl_sni",
  req_ssl_ver: "req.ssl_ver",
  req_ver: "req.ver",
  rep_ssl_hello_type: "res.ssl_hello_type",
  resp_ver: "res.ver",
  scook: "res.cook",
  scook_cnt: "res.cook_cnt",
  scook_val: "res.cook_val",
  shdr: "res.hdr",
  shdr_cnt: "res.hdr_cnt",
  shdr_ip: "res.hdr_ip",
  shdr_val: "res.hdr_val",
  url_param: "urlp",
};

/** Reason, then names. */
const UNSUPPORTED_FETCHES: readonly (readonly [string, string])[] = [
  ["errors of the server's connection cannot be looked at yet", "bc_err bc_err_str"],
  [
    "the server's side of TLS cannot be looked at this closely yet",
    "ssl_bc_client_random ssl_bc_err ssl_bc_err_str ssl_bc_npn ssl_bc_server_random ssl_bc_session_id " +
      "ssl_bc_session_key ssl_bc_unique_id",
  ],
  ["it measures HAProxy's own scheduler", "cpu_calls cpu_ns_avg cpu_ns_tot lat_ns_avg lat_ns_tot"],
  [
    "HAProxy's internals are not ours",
    prefixed(
      "internal.htx. internal.htx_blk.",
      "data free free_data has_eom nbblks size used hdrname hdrval start_line type",
    ),
  ],
  ["the distcc protocol is not there", "distcc_body distcc_param"],
  ["FastCGI is not there yet", "fcgi.docroot fcgi.index"],
  ["queue priorities are not there yet", "prio_class prio_offset"],
  [
    "the client's TLS handshake cannot be looked at this closely yet",
    prefixed(
      "ssl_fc_",
      "cipherlist_bin cipherlist_hex cipherlist_str cipherlist_xxh ecformats_bin eclist_bin extlist_bin err " +
        "err_str npn protocol_hello_id session_id unique_id",
    ),
  ],
  [
    "secrets of TLS connections are not given away",
    prefixed(
      "ssl_fc_",
      "client_early_traffic_secret client_handshake_traffic_secret client_random client_traffic_secret_0 " +
        "early_exporter_secret exporter_secret server_handshake_traffic_secret server_random server_traffic_secret_0 session_key",
    ),
  ],
];

const FETCH_REASONS: ReadonlyMap<string, string> = reasonsByName(UNSUPPORTED_FETCHES);

/** The name in FETCHES that another spelling stands for; null when it is no such spelling. */
export function resolveFetchAlias(name: string, direction: "request" | "response"): FetchName | null {
  if (!Object.hasOwn(FETCH_ALIASES, name)) return null;
  const alias = FETCH_ALIASES[name]!;
  return typeof alias === "string" ? alias : alias[direction];
}

/** Why a fetch of HAProxy 2.6 is not there; null when HAProxy has none of that name (or we have it). */
export function unsupportedFetchReason(name: string): string | null {
  return FETCH_REASONS.get(name) ?? null;
}

/** Spellings that `suggestName` may propose beside the canonical ones. */
export const FETCH_ALIAS_NAMES: readonly string[] = Object.keys(FETCH_ALIASES);

function prefixed(prefixes: string, names: string): string {
  return prefixes
    .split(" ")
    .flatMap((prefix) => names.split(" ").map((name) => prefix + name))
    .join(" ");
}

function reasonsByName(families: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(
    families.flatMap(([reason, names]) => names.split(" ").map((name) => [name, reason] as const)),
  );
}
