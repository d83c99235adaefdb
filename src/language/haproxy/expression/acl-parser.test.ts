import assert from "node:assert/strict";
import { test } from "node:test";
import type { AclTest } from "../../../model/sample.ts";
import { ACL_KEYWORDS } from "./acl-keywords.ts";
import { parseAclLine } from "./acl-parser.ts";
import {
  type ContextFacts,
  recordingContext,
  showDiagnostic,
  showSample,
  wordsOf,
} from "./expression.fixture.ts";
import { PREDEFINED_ACL_NAMES, predefinedAcl } from "./predefined-acls.ts";

interface Reading {
  readonly acl: AclTest | null;
  readonly messages: readonly string[];
  /** Of all lists that it is compared with. */
  readonly keys: readonly (readonly string[])[];
}

function read(line: string, facts: ContextFacts = {}): Reading {
  const context = recordingContext(facts);
  const [name, ...words] = wordsOf(`a ${line}`);
  const acl = parseAclLine(name!, words, context);
  const keys = (acl?.lists ?? []).map((list) => context.patternsOf(list).map(({ key }) => key));
  return { acl, messages: context.diagnostics.map(showDiagnostic), keys };
}

function show(acl: AclTest): string {
  const flags = acl.ignoreCase ? ["-i"] : [];
  return [showSample(acl.sample), acl.method, ...flags, ...acl.patterns].join(" ");
}

const UNDERSTOOD: readonly (readonly [string, string])[] = [
  ["path /a /b", "path str /a /b"],
  ["path_beg /a", "path beg /a"],
  ["path_end .png", "path end .png"],
  ["path_sub a", "path sub a"],
  ["path_dir a", "path dir a"],
  ["path_dom a", "path dom a"],
  ["path_len 5:10", "path len 5:10"],
  ["path_len gt 5", "path len 6:"],
  ["path_reg ^/a|b$", "path reg ^/a|b$"],
  ["path_beg -i /A", "path beg -i /A"],
  ["path_beg -m end /a", "path end /a"],
  ["path_beg,lower /a", "path|lower str /a"],
  ["path_beg,length gt 5", "path|length int 6:"],
  ["path -- -i", "path str -i"],
  ["path -u 7 -n x", "path str x"],
  ["hdr(host) -i a", 'req.hdr("host") str -i a'],
  ["hdr_beg(host) www.", 'req.hdr("host") beg www.'],
  ["hdr_cnt(a) gt 1", 'req.hdr_cnt("a") int 2:'],
  ["hdr_ip(a) 10.0.0.0/8", 'req.hdr_ip("a") ip 10.0.0.0/8'],
  ["hdr_val(a) lt 0", 'req.hdr_val("a") int :-1'],
  ["hdr_val(a) ge 5 le 9 eq 7", 'req.hdr_val("a") int 5: :9 7'],
  ["hdr_val(a) 5-9 :3 8: 4", 'req.hdr_val("a") int 5:9 :3 8: 4'],
  ["hdr_val(a) gt 9223372036854775806", 'req.hdr_val("a") int 9223372036854775807:'],
  ["cook(a) -m found", 'req.cook("a") found'],
  ["scook_beg(a) b", 'res.cook("a") beg b'],
  ["urlp_reg(a) b", 'urlp("a") reg b'],
  ["url_param(a) -m found", 'urlp("a") found'],
  ["method GET POST", "method str GET POST"],
  ["method,lower get", "method|lower str get"],
  ["src 10.12 127.1/8 192.168.1/24", "src ip 10.0.0.12 127.0.0.1/8 192.168.0.1/24"],
  ["src 10.0.0.0/255.0.0.0 0.0.0.0/0", "src ip 10.0.0.0/8 0.0.0.0/0"],
  ["src 2001:DB8::/32 ::1", "src ip 2001:db8::/32 ::1"],
  ["src -m str 10.0.0.1", "src str 10.0.0.1"],
  ["req.ssl_ver 3:3.1", "req.ssl_ver int 196608:196609"],
  ["req_ssl_ver gt 3.0", "req.ssl_ver int 196609:"],
  ["req_ssl_sni example.com", "req.ssl_sni str example.com"],
  ["ssl_fc", "ssl_fc bool"],
  ["ssl_fc -m int 1", "ssl_fc int 1"],
  ["ssl_fc_sni_end .com", "ssl_fc_sni end .com"],
  ["req.payload(0,2) -m bin 4A4b", "req.payload(0,2) bin 4a4b"],
  ["payload(0,2) 4142", "req.payload(0,2) bin 4142"],
  ["var(txn.a) -m str b", 'var("txn.a") str b'],
  ["http_auth_group(people) admin", 'http_auth_group("people") str admin'],
  ["always_true", "always_true bool"],
  ["base_beg a/", "base beg a/"],
];

test("acl lines are understood with their match method and normalized patterns", () => {
  for (const [line, expected] of UNDERSTOOD) {
    const { acl, messages } = read(line);
    assert.deepEqual(messages, [], line);
    assert.equal(show(acl!), expected, line);
  }
});

test("hdr in an acl is the request's, in a response rule too, as in HAProxy", () => {
  const { acl } = read("hdr_beg(a) b", { direction: "response" });
  assert.equal(show(acl!), 'req.hdr("a") beg b');
});

test("an acl keeps the criterion as written and the place of the whole test", () => {
  const { acl } = read("path_beg,lower /a");
  assert.equal(acl!.sample.text, "path_beg,lower");
  assert.deepEqual(acl!.span, { file: "test.cfg", line: 1, column: 3, endColumn: 20 });
});

test("a fault in an acl keyword's arguments is shown where it stands in the line", () => {
  assert.deepEqual(read("hdr_beg(a,b) c").messages, ["13-14 error bad-argument: `b` is not a number"]);
  assert.deepEqual(read("path_beg,lwoer /a").messages, [
    "12-17 error unknown-converter: unknown converter `lwoer` | Did you mean `lower`?",
  ]);
});

test("pattern files are read line by line", () => {
  const files = {
    list: "# comment\n10.0.0.0/8\n\n  192.0.2.1\r\n",
    map: "/a one\n/b two\n",
    text: " #x\na b \n",
  };
  const networks = read("src 127.0.0.1 -f list", { files });
  assert.deepEqual(networks.acl, null, "a flag behind a pattern is a pattern");
  const listed = read("src -f list 127.0.0.1", { files });
  assert.deepEqual(listed.acl!.patterns, ["127.0.0.1"]);
  assert.deepEqual(listed.acl!.files, ["list"]);
  assert.deepEqual(listed.keys, [["10.0.0.0/8", "192.0.2.1"], ["127.0.0.1"]]);
  assert.deepEqual(read("path -M -f map", { files }).keys, [["/a", "/b"], []]);
  assert.deepEqual(read("path -f text", { files }).keys, [["#x", "a b "], []]);
});

test("every acl keyword of HAProxy that exists here can be used", () => {
  const patterns: Readonly<Record<string, string>> = { len: "1", int: "1", bin: "41" };
  for (const [name, { fetch, method }] of ACL_KEYWORDS) {
    const parameters = fetch === "req.payload" ? "(0,1)" : fetch === "http_auth_group" ? "(people)" : "";
    const { acl, messages } = read(`${name}${parameters} ${patterns[method] ?? "x"}`);
    assert.deepEqual(messages, [], name);
    assert.equal(acl!.method, method, name);
    assert.equal(acl!.sample.fetch.name, fetch, name);
  }
});

test("the predefined acls are there and mean what the manual says", () => {
  const shown = Object.fromEntries(
    PREDEFINED_ACL_NAMES.map((name) => [name, predefinedAcl(name)!.tests.map(show).join(" / ")]),
  );
  assert.deepEqual(shown, {
    TRUE: "always_true bool",
    FALSE: "always_false bool",
    LOCALHOST: "src ip 127.0.0.1/8 ::1",
    HTTP: "req.proto_http bool",
    "HTTP_1.0": "req.ver str 1.0",
    "HTTP_1.1": "req.ver str 1.1",
    "HTTP_2.0": "req.ver str 2.0",
    METH_CONNECT: "method str CONNECT",
    METH_DELETE: "method str DELETE",
    METH_GET: "method str GET HEAD",
    METH_HEAD: "method str HEAD",
    METH_OPTIONS: "method str OPTIONS",
    METH_POST: "method str POST",
    METH_PUT: "method str PUT",
    METH_TRACE: "method str TRACE",
    HTTP_URL_ABS: "url reg ^[^/:]*://",
    HTTP_URL_SLASH: "url beg /",
    HTTP_URL_STAR: "url str *",
    HTTP_CONTENT: 'req.hdr_val("content-length") int 1:',
    RDP_COOKIE: "req.rdp_cookie_cnt int 1:",
    REQ_CONTENT: "req.len int 1:",
    WAIT_END: "wait_end bool",
  });
});
