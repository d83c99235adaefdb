import assert from "node:assert/strict";
import { test } from "node:test";
import { FETCHES } from "../../../model/sample.ts";
import { recordingContext, showDiagnostic, showSample, wordsOf } from "./expression.fixture.ts";
import { FETCH_ALIAS_NAMES, resolveFetchAlias, unsupportedFetchReason } from "./known-names.ts";
import { parseSampleExpression, parseSampleInside, parseSampleWords, sampleType } from "./sample-parser.ts";

/** Text, what is understood of it in a request. */
const UNDERSTOOD: readonly (readonly [string, string])[] = [
  ["src", "src"],
  ["path", "path"],
  ["path()", "path"],
  ["hdr(host)", 'req.hdr("host")'],
  ["hdr(host,-1)", 'req.hdr("host",-1)'],
  ["hdr()", 'req.hdr("")'],
  ["hdr_ip(x-forwarded-for,1)", 'req.hdr_ip("x-forwarded-for",1)'],
  ["cook(a)", 'req.cook("a")'],
  ["scook_cnt(a)", 'res.cook_cnt("a")'],
  ["shdr(a)", 'res.hdr("a")'],
  ["url_param(a)", 'urlp("a")'],
  ["req_ssl_sni", "req.ssl_sni"],
  ["req_proto_http", "req.proto_http"],
  ["rand()", "rand"],
  ["rand(6)", "rand(6)"],
  ["int(+7)", "int(7)"],
  ["nbsrv", 'nbsrv("here")'],
  ["nbsrv(here)", 'nbsrv("here")'],
  ["connslots", 'connslots("here")'],
  ["srv_is_up(one)", 'srv_is_up("here/one")'],
  ["var(txn.a)", 'var("txn.a")'],
  ["var(txn.a,b)", 'var("txn.a","b")'],
  ["path,lower", "path|lower"],
  ["path,,lower,", "path|lower"],
  ["path,field(2,/),upper", 'path|field(2,"/")|upper'],
  ['path,field(1,\\",\\")', 'path|field(1,",")'],
  ["path,field(1,\\')\\')", 'path|field(1,")")'],
  ['path,regsub(\\"(a|b)\\",x,gi)', 'path|regsub("(a|b)","x","gi")'],
  ['path,regsub(\\"\\\\\\\\d\\",x)', 'path|regsub("\\\\d","x")'],
  ["path,concat(-,txn.a,-)", 'path|concat("-","txn.a","-")'],
  ["path,concat(,txn.a)", 'path|concat("","txn.a")'],
  ["src,ipmask(24)", 'src|ipmask("24")'],
  ["src,ipmask(24,64),lower", 'src|ipmask("24","64")|lower'],
  ["path,length,add(txn.b),mod(10)", 'path|length|add("txn.b")|mod("10")'],
  ["path,bytes(1,)", "path|bytes(1)"],
  ["str(a\\ b)", 'str("a b")'],
  ["str(\\\\t)", 'str("\\t")'],
];

test("expressions are understood with their canonical names and typed arguments", () => {
  for (const [text, expected] of UNDERSTOOD) {
    const context = recordingContext();
    const sample = parseSampleExpression(wordsOf(text)[0]!, context, "any");
    context.finish();
    assert.deepEqual(context.diagnostics.map(showDiagnostic), [], text);
    assert.equal(showSample(sample!), expected, text);
  }
});

test("an expression keeps its text and its place", () => {
  const sample = parseSampleExpression(wordsOf("hdr(host),lower")[0]!, recordingContext())!;
  assert.equal(sample.text, "hdr(host),lower");
  assert.deepEqual(sample.span, { file: "test.cfg", line: 1, column: 1, endColumn: 16 });
});

test("hdr and cookie mean the message of the rule they stand in", () => {
  const inResponse = recordingContext({ direction: "response" });
  assert.equal(showSample(parseSampleExpression(wordsOf("hdr(a)")[0]!, inResponse)!), 'res.hdr("a")');
  assert.equal(showSample(parseSampleExpression(wordsOf("cookie(a)")[0]!, inResponse)!), 'res.cook("a")');
  assert.equal(
    showSample(parseSampleExpression(wordsOf("cookie(a)")[0]!, recordingContext())!),
    'req.cook("a")',
  );
});

test("converters in words of their own belong to the expression, other words do not", () => {
  const words = wordsOf("hdr(host) lower,length add(1) len 10");
  const read = parseSampleWords(words, 0, recordingContext(), "request")!;
  assert.equal(showSample(read.sample), 'req.hdr("host")|lower|length|add("1")');
  assert.equal(read.sample.text, "hdr(host) lower,length add(1)");
  assert.equal(read.next, 3);
});

test("an expression inside a word ends before what cannot belong to it", () => {
  const word = wordsOf("x[path,lower]y")[0]!;
  const read = parseSampleInside(word, 2, recordingContext(), "request")!;
  assert.equal(showSample(read.sample), "path|lower");
  assert.equal(read.end, 12);
  assert.equal(read.sample.span.column, 3);
});

test("the type of an expression is that of its last converter, and of the one before where it hands on", () => {
  const typeOf = (text: string): string =>
    sampleType(parseSampleExpression(wordsOf(text)[0]!, recordingContext(), "any")!);
  assert.equal(typeOf("src"), "addr");
  assert.equal(typeOf("path,length"), "sint");
  assert.equal(typeOf("path,length,debug"), "sint");
  assert.equal(typeOf("var(txn.a)"), "any");
});

test("what is not there at a stage is refused there and nowhere else", () => {
  const isThere = (text: string, stage: "connection" | "session" | "request" | "response" | "log"): boolean =>
    parseSampleExpression(wordsOf(text)[0]!, recordingContext(), stage) !== null;
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) => isThere("src", stage as "log")),
    [true, true, true, true, true],
  );
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) => isThere("path", stage as "log")),
    [false, false, true, false, false],
  );
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) => isThere("method", stage as "log")),
    [false, false, true, true, true],
  );
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) => isThere("status", stage as "log")),
    [false, false, false, true, true],
  );
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) =>
      isThere("res.hdr(a)", stage as "log"),
    ),
    [false, false, false, true, false],
  );
  assert.deepEqual(
    ["connection", "session", "request", "response", "log"].map((stage) => isThere("ssl_fc", stage as "log")),
    [false, true, true, true, true],
  );
});

test("a frontend does not know its backend's name while the request is handled", () => {
  const frontend = recordingContext({ proxyKind: "frontend" });
  assert.equal(parseSampleExpression(wordsOf("be_name")[0]!, frontend), null);
  assert.notEqual(parseSampleExpression(wordsOf("be_name")[0]!, frontend, "response"), null);
  assert.notEqual(
    parseSampleExpression(wordsOf("be_name")[0]!, recordingContext({ proxyKind: "backend" })),
    null,
  );
});

test("a frontend has no servers of its own to count, so the backend must be named there", () => {
  const frontend = recordingContext({ proxyKind: "frontend" });
  assert.equal(parseSampleExpression(wordsOf("nbsrv")[0]!, frontend), null);
  assert.deepEqual(frontend.diagnostics.map(showDiagnostic), [
    "1-6 error missing-argument: `nbsrv` needs the name of a backend: `here` is none | Write `nbsrv(NAME)`.",
  ]);
  const defaults = recordingContext({ proxyKind: "defaults" });
  assert.equal(showSample(parseSampleExpression(wordsOf("nbsrv")[0]!, defaults)!), "nbsrv");
});

test("every fetch can be written with fitting arguments", () => {
  const fitting: Readonly<Record<string, string>> = {
    string: "a",
    integer: "4",
    variable: "txn.a",
    backend: "here",
    frontend: "here",
    server: "here/one",
    userlist: "people",
  };
  const special: Readonly<Record<string, string>> = {
    bool: "bool(1)",
    bin: "bin(41)",
    ipv4: "ipv4(192.0.2.1)",
    ipv6: "ipv6(::1)",
    date: "date(4,ms)",
    fc_rtt: "fc_rtt(us)",
    fc_rttvar: "fc_rttvar(ms)",
  };
  for (const [name, { parameters }] of Object.entries(FETCHES)) {
    const values = parameters.map((shape) => fitting[shape.replace("?", "")]);
    const text = special[name] ?? (values.length === 0 ? name : `${name}(${values.join(",")})`);
    const context = recordingContext();
    const sample = parseSampleExpression(wordsOf(text)[0]!, context, "any");
    context.finish();
    assert.equal(sample?.fetch.name, name, text);
    assert.deepEqual(context.diagnostics.map(showDiagnostic), [], text);
  }
});

test("no name is known in two ways", () => {
  for (const name of FETCH_ALIAS_NAMES) {
    assert.ok(!Object.hasOwn(FETCHES, name), name);
    assert.ok(Object.hasOwn(FETCHES, resolveFetchAlias(name, "request")!), name);
    assert.equal(unsupportedFetchReason(name), null, name);
  }
  for (const name of Object.keys(FETCHES)) assert.equal(unsupportedFetchReason(name), null, name);
});
