// Sample expressions: `req.hdr(host),lower`. The tables here are the closed set that Sallyport knows; the
// reader validates against them and the proxy implements each entry (the compiler checks that none is
// missing). Names and types: HAProxy 2.6 configuration manual, section 7.3.
import type { Span } from "../diagnostic/span.ts";
import { DELIVERY_FETCH_SIGNATURES, type DeliveryFetchName } from "./delivery-fetches.ts";
import type { StickFetchName, TableConverterName } from "./stick-table.ts";
import { STICK_FETCH_SIGNATURES, TABLE_CONVERTER_SIGNATURES } from "./stick-table.ts";

export type SampleType = "bool" | "sint" | "addr" | "str" | "bin" | "meth" | "any";

/**
 * When the facts that a fetch reads are there: `always` (internal states and the connection), `request` from
 * the request head on until the request is forwarded, `response` from the response head on, `request-body`
 * while the request is buffered, `content` on the raw bytes of tcp content rules.
 */
export type SampleScope = "always" | "request" | "request-body" | "content" | "response";

export interface FetchDefinition {
  readonly type: SampleType;
  readonly scope: SampleScope;
  /** Shape of each argument; a trailing "?" marks it as optional. */
  readonly parameters: readonly ParameterShape[];
}

export interface ConverterDefinition {
  readonly input: SampleType;
  readonly output: SampleType;
  readonly parameters: readonly ParameterShape[];
}

type ParameterKind =
  | "string"
  | "integer"
  | "variable"
  | "backend"
  | "frontend"
  | "server"
  | "userlist"
  | "regex"
  | "ip-mask4"
  | "ip-mask6"
  | "map"
  | "table";
export type ParameterShape = ParameterKind | `${ParameterKind}?`;

/**
 * Fetch methods as "type scope parameters…". `hdr` and other short names resolve to the request's or the
 * response's by the rule they stand in.
 */
const FETCH_SIGNATURES = {
  // Constants and internal states (7.3.1, 7.3.2)
  always_false: "bool always",
  always_true: "bool always",
  bool: "bool always string",
  int: "sint always integer",
  str: "str always string",
  bin: "bin always string",
  ipv4: "addr always string",
  ipv6: "addr always string",
  meth: "meth always string",
  var: "any always variable string?",
  env: "str always string",
  hostname: "str always",
  date: "sint always integer? string?",
  date_us: "sint always",
  rand: "sint always integer?",
  uuid: "str always integer?",
  nbproc: "sint always",
  nbthread: "sint always",
  proc: "sint always",
  thread: "sint always",
  nbsrv: "sint always backend?",
  connslots: "sint always backend",
  avg_queue: "sint always backend?",
  queue: "sint always backend?",
  be_conn: "sint always backend?",
  be_conn_free: "sint always backend?",
  be_sess_rate: "sint always backend?",
  fe_conn: "sint always frontend?",
  fe_req_rate: "sint always frontend?",
  fe_sess_rate: "sint always frontend?",
  be_id: "sint always",
  be_name: "str always",
  fe_id: "sint always",
  fe_name: "str always",
  fe_defbe: "str always",
  srv_id: "sint always",
  srv_name: "str always",
  srv_is_up: "bool always server",
  srv_conn: "sint always server",
  srv_conn_free: "sint always server",
  srv_queue: "sint always server",
  srv_sess_rate: "sint always server",
  srv_weight: "sint always server",
  srv_iweight: "sint always server",
  srv_uweight: "sint always server",
  be_server_timeout: "sint always",
  be_tunnel_timeout: "sint always",
  cur_server_timeout: "sint always",
  cur_tunnel_timeout: "sint always",
  fe_client_timeout: "sint always",
  "txn.timer.total": "sint always",
  // The connection (7.3.3, 7.3.4)
  src: "addr always",
  src_port: "sint always",
  dst: "addr always",
  dst_port: "sint always",
  dst_conn: "sint always",
  dst_is_local: "bool always",
  src_is_local: "bool always",
  so_id: "sint always",
  so_name: "str always",
  fc_src: "addr always",
  fc_src_is_local: "bool always",
  fc_src_port: "sint always",
  fc_dst: "addr always",
  fc_dst_is_local: "bool always",
  fc_dst_port: "sint always",
  bc_src: "addr response",
  bc_src_port: "sint response",
  bc_dst: "addr response",
  bc_dst_port: "sint response",
  fc_pp_authority: "str always",
  fc_pp_unique_id: "str always",
  fc_rcvd_proxy: "bool always",
  fc_http_major: "sint always",
  fc_rtt: "sint always string?",
  fc_rttvar: "sint always string?",
  fc_unacked: "sint always",
  fc_sacked: "sint always",
  fc_retrans: "sint always",
  fc_fackets: "sint always",
  fc_lost: "sint always",
  fc_reordering: "sint always",
  fc_err: "sint always",
  fc_err_str: "str always",
  stopping: "bool always",
  bc_http_major: "sint always",
  ssl_fc: "bool always",
  ssl_fc_alg_keysize: "sint always",
  ssl_fc_alpn: "str always",
  ssl_fc_cipher: "str always",
  ssl_fc_has_crt: "bool always",
  ssl_fc_has_early: "bool always",
  ssl_fc_has_sni: "bool always",
  ssl_fc_is_resumed: "bool always",
  ssl_fc_protocol: "str always",
  ssl_fc_sni: "str always",
  ssl_fc_use_keysize: "sint always",
  ssl_c_ca_err: "sint always",
  ssl_c_ca_err_depth: "sint always",
  ssl_c_chain_der: "bin always",
  ssl_c_err: "sint always",
  ssl_c_used: "bool always",
  ssl_c_verify: "sint always",
  ssl_c_der: "bin always",
  ssl_c_i_dn: "str always string? integer? string?",
  ssl_c_key_alg: "str always",
  ssl_c_notafter: "str always",
  ssl_c_notbefore: "str always",
  ssl_c_s_dn: "str always string? integer? string?",
  ssl_c_serial: "bin always",
  ssl_c_sha1: "bin always",
  ssl_c_sig_alg: "str always",
  ssl_c_version: "sint always",
  ssl_f_der: "bin always",
  ssl_f_i_dn: "str always string? integer? string?",
  ssl_f_key_alg: "str always",
  ssl_f_notafter: "str always",
  ssl_f_notbefore: "str always",
  ssl_f_s_dn: "str always string? integer? string?",
  ssl_f_serial: "bin always",
  ssl_f_sha1: "bin always",
  ssl_f_sig_alg: "str always",
  ssl_f_version: "sint always",
  ssl_s_der: "bin always",
  ssl_s_i_dn: "str always string? integer? string?",
  ssl_s_key_alg: "str always",
  ssl_s_notafter: "str always",
  ssl_s_notbefore: "str always",
  ssl_s_s_dn: "str always string? integer? string?",
  ssl_s_serial: "bin always",
  ssl_s_sha1: "bin always",
  ssl_s_sig_alg: "str always",
  ssl_s_version: "sint always",
  ssl_s_chain_der: "bin always",
  ssl_bc: "bool always",
  ssl_bc_alg_keysize: "sint always",
  ssl_bc_alpn: "str always",
  ssl_bc_cipher: "str always",
  ssl_bc_is_resumed: "bool always",
  ssl_bc_protocol: "str always",
  ssl_bc_use_keysize: "sint always",
  // Raw content (7.3.5)
  "req.len": "sint content",
  "req.payload": "bin content integer integer",
  "req.payload_lv": "bin content integer integer string?",
  "req.rdp_cookie": "str content string?",
  "req.rdp_cookie_cnt": "sint content string?",
  "req.ssl_alpn": "str content",
  "req.ssl_ec_ext": "bool content",
  "req.ssl_hello_type": "sint content",
  "req.ssl_st_ext": "sint content",
  "req.ssl_sni": "str content",
  "req.ssl_ver": "sint content",
  "req.proto_http": "bool content",
  "res.len": "sint content",
  "res.payload": "bin content integer integer",
  "res.ssl_hello_type": "sint content",
  "res.payload_lv": "bin content integer integer string?",
  wait_end: "bool content",
  // HTTP (7.3.6)
  method: "meth request",
  path: "str request",
  pathq: "str request",
  query: "str request string?",
  url: "str request",
  url_ip: "addr request",
  url_port: "sint request",
  urlp: "str request string? string?",
  urlp_val: "sint request string? string?",
  base: "str request",
  base32: "sint request",
  "base32+src": "bin request",
  baseq: "str request",
  url32: "sint request",
  "url32+src": "bin request",
  http_auth_bearer: "str request string?",
  "req.ver": "str request",
  "req.hdr": "str request string? integer?",
  "req.fhdr": "str request string? integer?",
  "req.hdr_cnt": "sint request string?",
  "req.fhdr_cnt": "sint request string?",
  "req.hdr_ip": "addr request string? integer?",
  "req.hdr_val": "sint request string? integer?",
  "req.hdrs": "str request",
  "req.hdrs_bin": "bin request",
  "req.hdr_names": "str request string?",
  "req.cook": "str request string?",
  "req.cook_cnt": "sint request string?",
  "req.cook_val": "sint request string?",
  "req.body": "bin request-body",
  "req.body_len": "sint request-body",
  "req.body_size": "sint request-body",
  "req.body_param": "str request-body string? string?",
  http_auth: "bool request userlist",
  http_auth_group: "str request userlist",
  http_auth_type: "str request",
  http_auth_user: "str request",
  http_auth_pass: "str request",
  http_first_req: "bool request",
  status: "sint response",
  "res.ver": "str response",
  "res.hdr": "str response string? integer?",
  "res.fhdr": "str response string? integer?",
  "res.hdr_cnt": "sint response string?",
  "res.fhdr_cnt": "sint response string?",
  "res.hdr_ip": "addr response string? integer?",
  "res.hdr_val": "sint response string? integer?",
  "res.hdrs": "str response",
  "res.hdrs_bin": "bin response",
  "res.hdr_names": "str response string?",
  "res.cook": "str response string?",
  "res.cook_cnt": "sint response string?",
  "res.cook_val": "sint response string?",
  "res.body": "bin response",
  "res.body_len": "sint response",
  "res.body_size": "sint response",
  "capture.req.hdr": "str always integer",
  "capture.res.hdr": "str always integer",
  "capture.req.method": "str always",
  "capture.req.uri": "str always",
  "capture.req.ver": "str always",
  "capture.res.ver": "str always",
  "unique-id": "str always",
  "internal.strm.is_htx": "bool always",
  last_rule_file: "str always",
  last_rule_line: "sint always",
} as const;

export type FetchName = keyof typeof FETCH_SIGNATURES | StickFetchName | DeliveryFetchName;

export const FETCHES: Readonly<Record<FetchName, FetchDefinition>> = parseSignatures(
  { ...FETCH_SIGNATURES, ...STICK_FETCH_SIGNATURES, ...DELIVERY_FETCH_SIGNATURES },
  (words) => ({
    type: words[0] as SampleType,
    scope: words[1] as SampleScope,
    parameters: words.slice(2) as ParameterShape[],
  }),
);

/**
 * Converters (7.3.1) as "input output parameters…". Parameters named "string" where HAProxy also takes a
 * variable accept both.
 */
const CONVERTER_SIGNATURES = {
  bool: "sint bool",
  not: "sint bool",
  even: "sint bool",
  odd: "sint bool",
  neg: "sint sint",
  cpl: "sint sint",
  add: "sint sint string",
  sub: "sint sint string",
  mul: "sint sint string",
  div: "sint sint string",
  mod: "sint sint string",
  and: "sint sint string",
  or: "sint sint string",
  xor: "sint sint string",
  lower: "str str",
  upper: "str str",
  length: "str sint",
  hex: "bin str",
  hex2i: "bin sint",
  htonl: "sint bin",
  base64: "bin str",
  ub64enc: "bin str",
  b64dec: "str bin",
  ub64dec: "str bin",
  bytes: "bin bin integer integer?",
  be2dec: "bin str string integer integer?",
  be2hex: "bin str string? integer? integer?",
  cut_crlf: "str str",
  host_only: "str str",
  port_only: "str sint",
  secure_memcmp: "bin bool variable",
  json_query: "str any string string?",
  jwt_header_query: "bin any string? string?",
  jwt_payload_query: "bin any string? string?",
  jwt_verify: "bin sint string string",
  aes_gcm_dec: "bin bin integer string string string",
  mqtt_is_valid: "bin bool",
  mqtt_field_value: "bin str string string",
  protobuf: "bin any string string?",
  ungrpc: "bin any string string?",
  fix_is_valid: "bin bool",
  fix_tag_value: "bin bin string",
  add_item: "str str string variable? string?",
  concat: "str str string? variable? string?",
  strcmp: "str sint variable",
  field: "str str integer string integer?",
  word: "str str integer string integer?",
  regsub: "str str regex string string?",
  ltrim: "str str string",
  rtrim: "str str string",
  iif: "bool str string string",
  json: "str str string?",
  url_dec: "str str integer?",
  url_enc: "bin str string?",
  http_date: "sint str integer? string?",
  language: "str str string string?",
  ltime: "sint str string integer?",
  utime: "sint str string integer?",
  ipmask: "addr addr ip-mask4 ip-mask6?",
  crc32: "bin sint integer?",
  crc32c: "bin sint integer?",
  djb2: "bin sint integer?",
  sdbm: "bin sint integer?",
  wt6: "bin sint integer?",
  xxh3: "bin sint integer?",
  xxh32: "bin sint integer?",
  xxh64: "bin sint integer?",
  md5: "bin bin",
  sha1: "bin bin",
  sha2: "bin bin integer?",
  digest: "bin bin string",
  hmac: "bin bin string string",
  debug: "any any string? string?",
  "set-var": "any any variable string? string? string? string?",
  "unset-var": "any any variable",
  "capture-req": "str str integer",
  "capture-res": "str str integer",
  nbsrv: "str sint",
  srv_queue: "str sint",
  map: "str str map string?",
  map_str: "str str map string?",
  map_beg: "str str map string?",
  map_end: "str str map string?",
  map_sub: "str str map string?",
  map_dom: "str str map string?",
  map_dir: "str str map string?",
  map_reg: "str str map string?",
  map_regm: "str str map string?",
  map_ip: "addr str map string?",
  map_int: "sint str map string?",
  map_str_int: "str sint map integer?",
  map_str_ip: "str addr map string?",
  map_beg_int: "str sint map integer?",
  map_beg_ip: "str addr map string?",
  map_end_int: "str sint map integer?",
  map_end_ip: "str addr map string?",
  map_sub_int: "str sint map integer?",
  map_sub_ip: "str addr map string?",
  map_dom_int: "str sint map integer?",
  map_dom_ip: "str addr map string?",
  map_dir_int: "str sint map integer?",
  map_dir_ip: "str addr map string?",
  map_reg_int: "str sint map integer?",
  map_reg_ip: "str addr map string?",
  map_ip_int: "addr sint map integer?",
  map_ip_ip: "addr addr map string?",
  map_int_int: "sint sint map integer?",
  map_int_ip: "sint addr map string?",
} as const;

export type ConverterName = keyof typeof CONVERTER_SIGNATURES | TableConverterName;

export const CONVERTERS: Readonly<Record<ConverterName, ConverterDefinition>> = parseSignatures(
  { ...CONVERTER_SIGNATURES, ...TABLE_CONVERTER_SIGNATURES },
  (words) => ({
    input: words[0] as SampleType,
    output: words[1] as SampleType,
    parameters: words.slice(2) as ParameterShape[],
  }),
);

/** An argument as validated by the reader. Strings keep HAProxy's escapes resolved; bytes as Latin-1. */
export type SampleArgument = string | number;

export interface FetchCall {
  readonly name: FetchName;
  readonly arguments: readonly SampleArgument[];
}

export interface ConverterCall {
  readonly name: ConverterName;
  readonly arguments: readonly SampleArgument[];
}

export interface SampleExpression {
  readonly fetch: FetchCall;
  readonly converters: readonly ConverterCall[];
  /** As written, for messages, `show` commands and explanations. */
  readonly text: string;
  readonly span: Span;
}

/** Pattern matching methods of ACLs (7.1.3): how a sample is compared with patterns. */
export type MatchMethod =
  | "found"
  | "bool"
  | "int"
  | "ip"
  | "bin"
  | "len"
  | "str"
  | "sub"
  | "reg"
  | "beg"
  | "end"
  | "dir"
  | "dom";

/** `int` matching: a range, both ends included; an open end is null. */
export interface IntegerRange {
  readonly minimum: number | null;
  readonly maximum: number | null;
}

/** One acl line, or one anonymous `{ ... }`. */
export interface AclTest {
  readonly sample: SampleExpression;
  readonly method: MatchMethod;
  /** -i */
  readonly ignoreCase: boolean;
  /** Patterns of the line as written (method "bool": "1" or "0" or none); `reg` are PCRE sources. */
  readonly patterns: readonly string[];
  /** Files named by -f. */
  readonly files: readonly string[];
  /**
   * What it is compared with, as indexes into `patternLists`: those of its files, then its own. None in texts
   * that Sallyport itself brings, whose patterns nobody changes.
   */
  readonly lists: readonly number[];
  readonly span: Span;
}

/** Several `acl NAME` lines are alternatives. */
export interface Acl {
  /** "" for an anonymous one. */
  readonly name: string;
  readonly tests: readonly AclTest[];
}

export interface ConditionTerm {
  readonly negated: boolean;
  readonly acl: Acl;
}

/** `if A B or !C`: alternatives of conjunctions. `unless` negates the whole. */
export interface Condition {
  readonly keyword: "if" | "unless";
  readonly anyOf: readonly (readonly ConditionTerm[])[];
  readonly text: string;
  readonly span: Span;
}

/** The alias variables of log-format (8.2.4), `%ci` without its percent sign, plus "ID". */
export type LogAlias =
  | "B"
  | "CC"
  | "CS"
  | "H"
  | "HM"
  | "HP"
  | "HPO"
  | "HQ"
  | "HU"
  | "HV"
  | "ID"
  | "ST"
  | "T"
  | "Ta"
  | "Tc"
  | "Td"
  | "Th"
  | "Ti"
  | "Tl"
  | "Tq"
  | "TR"
  | "Tr"
  | "Ts"
  | "Tt"
  | "Tu"
  | "Tw"
  | "U"
  | "ac"
  | "b"
  | "bc"
  | "bi"
  | "bp"
  | "bq"
  | "ci"
  | "cp"
  | "f"
  | "fc"
  | "fi"
  | "fp"
  | "ft"
  | "hr"
  | "hrl"
  | "hs"
  | "hsl"
  | "lc"
  | "ms"
  | "o"
  | "pid"
  | "r"
  | "rc"
  | "rt"
  | "s"
  | "sc"
  | "si"
  | "sp"
  | "sq"
  | "sslc"
  | "sslv"
  | "t"
  | "tr"
  | "trg"
  | "trl"
  | "ts"
  | "tsc";

export type LogFormatPart =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "alias";
      readonly alias: LogAlias;
      readonly quoted: boolean;
      readonly hexadecimal: boolean;
      readonly escaped: boolean;
    }
  | {
      readonly kind: "sample";
      readonly sample: SampleExpression;
      readonly quoted: boolean;
      readonly hexadecimal: boolean;
      readonly escaped: boolean;
      readonly optional: boolean;
    };

/**
 * A format string: `"%ci:%cp [%t] %[req.hdr(host)]"`. A string without variables has one text part, or none.
 */
export interface LogFormat {
  readonly parts: readonly LogFormatPart[];
  readonly text: string;
  readonly span: Span;
}

function parseSignatures<N extends string, T>(
  signatures: Readonly<Record<N, string>>,
  parse: (words: string[]) => T,
): Readonly<Record<N, T>> {
  const entries = Object.entries<string>(signatures).map(([name, text]) => [name, parse(text.split(" "))]);
  return Object.fromEntries(entries) as Record<N, T>;
}
