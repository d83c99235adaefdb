// The names that only acls know: `path_beg` is the fetch `path` with the match `beg`. An acl keyword always
// means the request's or the response's fetch of this table, also where the plain fetch of that name would
// follow the direction: `hdr(…)` in an acl is `req.hdr(…)` even in an http-response rule. HAProxy 2.6 manual,
// sections 7.3.5 and 7.3.6.
import type { FetchName, MatchMethod } from "../../../model/sample.ts";

export interface AclKeyword {
  readonly fetch: FetchName;
  readonly method: MatchMethod;
  /** Versions such as 3.1, which are two numbers. */
  readonly isDotted: boolean;
}

const STRING_MATCHES = ["beg", "dir", "dom", "end", "len", "reg", "sub"] as const;
/** Families with a derivative for each string match. */
const FAMILIES: readonly (readonly [string, FetchName])[] = [
  ["base", "base"],
  ["cook", "req.cook"],
  ["hdr", "req.hdr"],
  ["path", "path"],
  ["scook", "res.cook"],
  ["shdr", "res.hdr"],
  ["url", "url"],
  ["urlp", "urlp"],
];
const SINGLE: readonly (readonly [string, FetchName, MatchMethod])[] = [
  ["http_auth_group", "http_auth_group", "str"],
  ["method", "method", "str"],
  ["payload", "req.payload", "bin"],
  ["req.ssl_ver", "req.ssl_ver", "int"],
  ["req_ssl_ver", "req.ssl_ver", "int"],
  ["req_ssl_sni", "req.ssl_sni", "str"],
  ["req_ver", "req.ver", "str"],
  ["resp_ver", "res.ver", "str"],
  ["ssl_fc_sni_end", "ssl_fc_sni", "end"],
  ["ssl_fc_sni_reg", "ssl_fc_sni", "reg"],
];

export const ACL_KEYWORDS: ReadonlyMap<string, AclKeyword> = new Map<string, AclKeyword>([
  ...FAMILIES.flatMap(([family, fetch]): (readonly [string, AclKeyword])[] => [
    [family, { fetch, method: "str", isDotted: false }],
    ...STRING_MATCHES.map((method) => [`${family}_${method}`, { fetch, method, isDotted: false }] as const),
  ]),
  ...SINGLE.map(
    ([name, fetch, method]) => [name, { fetch, method, isDotted: fetch === "req.ssl_ver" }] as const,
  ),
]);
