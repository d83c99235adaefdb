// What is done to the request of agreement-cases.fixture.ts, and to its reply, by HAProxy 2.6 and by us.

/**
 * `show` is printed as "<text>" after the lines have run. Both as they stand between double quotes in
 * haproxy.cfg.
 */
export interface AgreementCase {
  readonly lines?: readonly string[];
  readonly show: string;
}

const SHOW_LINE = "%[method] %[url]";

/**
 * URIs and what brings them into a normal form. HAProxy 2.6.12 does nothing for `path-strip-dotdot`,
 * `percent-to-uppercase` and `percent-decode-unreserved` with a condition but without their option: those are
 * in normalize-uri.test.ts.
 */
const NORMALIZED: readonly (readonly [string, readonly string[]])[] = [
  ["path-merge-slashes", ["///foo///bar///?a=//", "*", "http://a//b//c?d", "//"]],
  [
    "path-strip-dot",
    ["/.", "/./", "/a/./b", "/a/.", "/.a/./../b", "/././a", "/a?b=/./", "/..", "/a/./.", "/a./b"],
  ],
  ["path-strip-dotdot full", ["/foo/../../bar/", "/..", "/../..", "/../a/../../b/..", "/a/.."]],
  ["query-sort-by-name", ["/?z=1&a=2&z=0&&aa=3&a=1", "/?", "/", "/?b&a", "/?=1&&a"]],
  ["percent-to-uppercase strict", ["/%aa?x=%2f"]],
  ["percent-decode-unreserved strict", ["/%61%2f"]],
  ["fragment-strip", ["/a#b?c", "/a?b#c#d"]],
  ["fragment-encode", ["/a#b?c#d"]],
];

export const ACTIONS: readonly AgreementCase[] = [
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifexists) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifnotexists) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifempty) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifempty) str()"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifnotempty) str()"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifset) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifnotset) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifgt) str(b)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) str(a)", "set-var(txn.cond,ifset,ifnotempty) str(c)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) int(5)", "set-var(txn.cond,ifgt) int(4)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) int(5)", "set-var(txn.cond,ifgt) int(6)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) int(5)", "set-var(txn.cond,iflt) int(4)"],
    show: "%[var(txn.cond)]",
  },
  {
    lines: ["set-var(txn.cond) int(5)", "set-var(txn.cond,iflt) int(6)"],
    show: "%[var(txn.cond)]",
  },
  { lines: ["set-var(txn.fresh,ifexists) str(b)"], show: "%[var(txn.fresh)]" },
  { lines: ["set-var(txn.fresh,ifset) str(b)"], show: "%[var(txn.fresh)]" },
  { lines: ["set-var(txn.fresh,ifnotset) str(b)"], show: "%[var(txn.fresh)]" },
  { lines: ["set-var(txn.fresh,ifnotexists) str(b)"], show: "%[var(txn.fresh)]" },
  { show: "%[str(x),set-var(txn.other,ifnotset)]%[var(txn.other)]" },
  { lines: ["set-header X-New a%[path]b"], show: "%[req.fhdr(x-new)]" },
  { lines: ["set-header Accept only"], show: "%[req.fhdr_cnt(accept)] %[req.hdr(accept)]" },
  { lines: ["add-header Accept more"], show: "%[req.fhdr_cnt(accept)] %[req.fhdr(accept)]" },
  { lines: ["set-header X-Number %[req.hdr(x-number),add(1)]"], show: "%[req.hdr(x-number)]" },
  { lines: ["del-header Accept"], show: "%[req.hdr_names]" },
  { lines: ["del-header x-a -m beg", "del-header X-Q -m beg"], show: "%[req.hdr_names]" },
  { lines: ["del-header ath -m sub"], show: "%[req.hdr_names]" },
  { lines: ["del-header ^x-.*r$ -m reg"], show: "%[req.hdr_names]" },
  { lines: ["del-header path -m end"], show: "%[req.hdr_names]" },
  { lines: ["replace-header X-Path ^/a(.*)$ /z\\\\1"], show: "%[req.hdr(x-path)]" },
  { lines: ["replace-header X-Path b/ Q"], show: "%[req.hdr(x-path)]" },
  { lines: ["replace-header X-Path none Q"], show: "%[req.hdr(x-path)]" },
  { lines: ["replace-header Cookie a=([0-9]) b=\\\\1"], show: "%[req.fhdr(cookie,1)]" },
  { lines: ["replace-header Accept ^ text"], show: "%[req.fhdr(accept,1)] %[req.fhdr(accept,2)]" },
  { lines: ["replace-value X-List ^([13])$ n\\\\1"], show: "%[req.fhdr(x-list)]" },
  { lines: ["replace-value X-Forwarded-For ^198(.*)$ 10\\\\1"], show: "%[req.fhdr(x-forwarded-for)]" },
  { lines: ["replace-value X-Quoted ^c$ see"], show: "%[req.fhdr(x-quoted)]" },
  { lines: ["set-method put"], show: SHOW_LINE },
  { lines: ["set-path /new"], show: SHOW_LINE },
  { lines: ["set-path /pre%[path]"], show: SHOW_LINE },
  { lines: ["set-pathq /new?x=1"], show: SHOW_LINE },
  { lines: ["set-query a=b&c"], show: SHOW_LINE },
  { lines: ["set-query %[query,regsub(id,ID,g)]"], show: SHOW_LINE },
  { lines: ["set-uri /x", "set-query y"], show: SHOW_LINE },
  { lines: ["set-uri /x?", "set-query y=1"], show: SHOW_LINE },
  { lines: ["set-uri http://other.example/p?q=1"], show: "%[url] %[path] %[pathq] %[query] %[base]" },
  { lines: ["set-uri http://other.example/p?q=1", "set-path /z"], show: SHOW_LINE },
  { lines: ["set-uri http://192.0.2.7:81/p"], show: "%[url_ip] %[url_port]" },
  { lines: ["set-uri http://192.0.2.7/p"], show: "%[url_ip] %[url_port]" },
  { lines: ["set-uri http://other.example"], show: "%[path]|%[base]" },
  { lines: ["replace-path (.*)/static(.*) \\\\1\\\\2"], show: SHOW_LINE },
  { lines: ["replace-path page PAGE"], show: SHOW_LINE },
  { lines: ["replace-pathq ^([^?]*)\\\\?(.*)$ \\\\1"], show: SHOW_LINE },
  { lines: ["replace-pathq page.* X"], show: SHOW_LINE },
  { lines: ["replace-uri ^/app(.*) http://h/\\\\1"], show: SHOW_LINE },
  { lines: ["set-path /changed"], show: "%[capture.req.uri] %[capture.req.method] %HU %HM %HP %HQ %HPO" },
  { lines: ["set-var(txn.a) path", "set-var(txn.a) var(txn.a),upper"], show: "%[var(txn.a)]" },
  { lines: ["set-var(txn.a) int(5)", "set-var(txn.b) var(txn.a),add(txn.a)"], show: "%[var(txn.b)]" },
  { lines: ["set-var(txn.a) str(x)", "set-var(txn.a) req.hdr(none)"], show: "%[var(txn.a)]" },
  { lines: ["set-var(txn.a) str(x)", "unset-var(txn.a)"], show: "<%[var(txn.a)]>" },
  { lines: ["set-var-fmt(txn.a) %[method]-%[path]-%HM"], show: "%[var(txn.a)]" },
  { lines: ["set-var(sess.a) src", "set-var(req.b) var(sess.a),ipmask(8)"], show: "%[var(req.b)]" },
  { lines: ["set-src req.hdr(x-forwarded-for,1)"], show: "%[src] %ci" },
  { lines: ["set-src-port int(77)"], show: "%[src_port] %cp" },
  { lines: ["set-dst str(192.0.2.99)", "set-dst-port int(4433)"], show: "%[dst]:%[dst_port] %fi:%fp" },
  { lines: ["capture req.hdr(host) len 8"], show: "%[capture.req.hdr(0)]" },
  {
    lines: ["set-header X-A %{+Q}[path]", "set-header X-B %{+Q}[req.hdr(none)]"],
    show: "%[req.fhdr(x-a)] <%[req.fhdr(x-b)]>",
  },
  { lines: ["set-header X-A %{+X}ci"], show: "%[req.fhdr(x-a)]" },
  { lines: ["set-header X-A %{+E}[str(a]b)]"], show: "%[req.fhdr(x-a)]" },
  { lines: [], show: "a  b   %f  %b %ft" },
  ...NORMALIZED.flatMap(([normalizer, uris]) =>
    uris.map((uri) => ({
      lines: [`set-uri ${uri.replaceAll("%", "%%").replaceAll("#", "\\\\#")}`, `normalize-uri ${normalizer}`],
      show: "%[url]",
    })),
  ),
  { show: "%[fc_src] %[fc_dst] %[fe_client_timeout]" },
  { lines: ["set-src ipv4(192.0.2.1)"], show: "%[fc_src] %[src]" },
  { lines: [], show: "%[req.hdr(none)]|%[req.hdr(x-upper)]|%[str(a),concat(,txn.bin)]" },
  { lines: [], show: "%hr|%hs|%ID|%sslv|%s" },
];

/** For `http-after-response`, on a reply with these headers. */
export const REPLY_HEADERS: readonly (readonly [string, string])[] = [
  ["X-Reply", "one, two"],
  ["X-Reply", "three"],
  ["X-Size", "77"],
  ["X-From", "10.9.8.7"],
  ["Set-Cookie", "SID=abc; path=/; Secure"],
  ["Set-Cookie", "other=1"],
  ["Location", "http://inside.example/p"],
];

export const RESPONSE_CASES: readonly AgreementCase[] = [
  { show: "%[res.len]" },
  { show: "%[status]" },
  { show: "%[res.ver]" },
  {
    show: "%[res.hdr(x-reply)] %[res.hdr(x-reply,1)] %[res.fhdr(x-reply,1)] %[res.hdr_cnt(x-reply)] %[res.fhdr_cnt(x-reply)]",
  },
  { show: "%[res.hdr_val(x-size)] %[res.hdr_ip(x-from)]" },
  { show: "%[res.cook(SID)] %[res.cook(other)] %[res.cook_cnt(SID)] %[res.cook_val(other)] %[res.cook]" },
  { show: "%[status,div(100)] %[var(txn.v)]" },
  { lines: ["set-status 404"], show: "%[status]" },
  {
    lines: ["replace-header Location ^http://[^/]*/(.*)$ https://www.example.com/\\\\1"],
    show: "%[res.hdr(location)]",
  },
  { lines: ["replace-value X-Reply ^t t-"], show: "%[res.fhdr(x-reply,1)] %[res.fhdr(x-reply,2)]" },
  { lines: ["del-header Set-Cookie"], show: "%[res.hdr_cnt(set-cookie)]" },
  { lines: ["set-header X-Size %[res.hdr_val(x-size),add(1)]"], show: "%[res.hdr(x-size)]" },
  { lines: ["add-header X-Reply four"], show: "%[res.hdr(x-reply,-1)]" },
];
