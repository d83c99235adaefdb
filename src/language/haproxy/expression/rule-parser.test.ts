import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../../../model/rule.ts";
import {
  type RecordingContext,
  recordingContext,
  showDiagnostic,
  showFormat,
  showSample,
  wordsOf,
} from "./expression.fixture.ts";
import {
  parseHttpAfterResponseRule,
  parseHttpRequestRule,
  parseHttpResponseRule,
  parseRedirect,
  parseTcpRequestRule,
  parseTcpResponseRule,
} from "./rule-parser.ts";

/** An action as JSON with formats and expressions in their short form and bytes as text. */
function show(rule: Rule | null): string {
  return JSON.stringify(rule?.action, (_, value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
    if (value !== null && typeof value === "object" && "parts" in value) return showFormat(value);
    if (value !== null && typeof value === "object" && "fetch" in value) return showSample(value);
    return value;
  }).replace(/"([a-zA-Z]+)":/g, "$1:");
}

const REQUEST_RULES: readonly (readonly [string, string])[] = [
  ["set-header X-A %[src]", '{kind:"set-header",name:"X-A",value:"%{?}[src]"}'],
  ["add-header X-A a", '{kind:"add-header",name:"X-A",value:"\\"a\\""}'],
  ["del-header X-A", '{kind:"del-header",name:"X-A",method:"str"}'],
  ["del-header X- -m beg", '{kind:"del-header",name:"X-",method:"beg"}'],
  [
    "replace-header A (.*) x\\1",
    '{kind:"replace-header",name:"A",ignoreCase:false,pattern:"(.*)",value:"\\"x\\\\\\\\1\\""}',
  ],
  ["replace-value A b c", '{kind:"replace-value",name:"A",ignoreCase:false,pattern:"b",value:"\\"c\\""}'],
  ["set-method GET", '{kind:"set-method",value:"\\"GET\\""}'],
  ["set-path /x%[path]", '{kind:"set-path",value:"\\"/x\\" %{?}[path]"}'],
  ["set-query a=b", '{kind:"set-query",value:"\\"a=b\\""}'],
  ["replace-path a b", '{kind:"replace-path",pattern:"a",value:"\\"b\\""}'],
  ["replace-uri a b", '{kind:"replace-uri",ignoreCase:false,pattern:"a",value:"\\"b\\""}'],
  ["allow", '{kind:"allow"}'],
  ["reject", '{kind:"reject"}'],
  ["silent-drop", '{kind:"silent-drop"}'],
  ["deny", '{kind:"deny",reply:{status:403,content:null,headers:[]}}'],
  ["deny deny_status 429", '{kind:"deny",reply:{status:429,content:null,headers:[]}}'],
  ["deny status 404", '{kind:"deny",reply:{status:404,content:{kind:"none"},headers:[]}}'],
  ["deny status 404 default-errorfiles", '{kind:"deny",reply:{status:404,content:null,headers:[]}}'],
  ["tarpit", '{kind:"tarpit",reply:{status:500,content:null,headers:[]}}'],
  ["return", '{kind:"return",reply:{status:200,content:{kind:"none"},headers:[]}}'],
  [
    "return status 418 content-type text/plain string tea hdr X-A %[src]",
    '{kind:"return",reply:{status:418,content:{kind:"text",bytes:"tea",contentType:"text/plain"},headers:[{name:"X-A",value:"%{?}[src]"}]}}',
  ],
  [
    "return content-type a/b lf-string %[path]",
    '{kind:"return",reply:{status:200,content:{kind:"format",format:"%{?}[path]",contentType:"a/b"},headers:[]}}',
  ],
  [
    "return content-type a/b file page",
    '{kind:"return",reply:{status:200,content:{kind:"text",bytes:"hello",contentType:"a/b"},headers:[]}}',
  ],
  [
    "return status 503 errorfile 503.http",
    '{kind:"return",reply:{status:503,content:{kind:"raw",bytes:"HTTP/1.1 503 Sorry\\r\\n\\r\\n"},headers:[]}}',
  ],
  ["auth", '{kind:"auth",realm:null}'],
  ["auth realm 100%", '{kind:"auth",realm:"\\"100%\\""}'],
  ["use-service prometheus-exporter", '{kind:"use-service",service:"prometheus-exporter"}'],
  [
    "redirect scheme https code 301",
    '{kind:"redirect",to:"scheme",value:"\\"https\\"",code:301,setCookie:null,clearCookie:null,dropQuery:false,appendSlash:false,ignoreEmpty:false}',
  ],
  [
    "redirect prefix / drop-query append-slash clear-cookie A=",
    '{kind:"redirect",to:"prefix",value:"",code:302,setCookie:null,clearCookie:"A=",dropQuery:true,appendSlash:true,ignoreEmpty:false}',
  ],
  [
    "set-var(txn.a) src,lower",
    '{kind:"set-var",variable:"txn.a",conditions:[],value:"src|lower",isFormat:false}',
  ],
  [
    "set-var-fmt(txn.a) %[src]x",
    '{kind:"set-var",variable:"txn.a",conditions:[],value:"%{?}[src] \\"x\\"",isFormat:true}',
  ],
  ["unset-var(txn.a)", '{kind:"unset-var",variable:"txn.a"}'],
  ["set-log-level silent", '{kind:"set-log-level",level:"silent"}'],
  ["set-src hdr(a)", '{kind:"set-src",value:"req.hdr(\\"a\\")"}'],
  ["set-dst-port int(80)", '{kind:"set-dst-port",value:"int(80)"}'],
  ["set-timeout server 5s", '{kind:"set-timeout",timeout:"server",value:5000}'],
  ["set-timeout tunnel hdr(a)", '{kind:"set-timeout",timeout:"tunnel",value:"req.hdr(\\"a\\")"}'],
  [
    "normalize-uri path-strip-dotdot full",
    '{kind:"normalize-uri",normalizer:{name:"path-strip-dotdot",isStrict:false,isFull:true}}',
  ],
  [
    "normalize-uri percent-to-uppercase",
    '{kind:"normalize-uri",normalizer:{name:"percent-to-uppercase",isStrict:false,isFull:false}}',
  ],
  ["wait-for-body time 1m", '{kind:"wait-for-body",timeoutMs:60000,atLeastBytes:null}'],
  ["wait-for-body at-least 2k time 10", '{kind:"wait-for-body",timeoutMs:10,atLeastBytes:2048}'],
];

const FILES = { page: "hello", "503.http": "HTTP/1.1 503 Sorry\r\n\r\n", junk: "hello" };

function checkRules(
  rules: readonly (readonly [string, string])[],
  parse: (words: ReturnType<typeof wordsOf>, context: RecordingContext) => Rule | null,
  direction: "request" | "response",
): void {
  for (const [line, expected] of rules) {
    for (const condition of ["", " if METH_GET", " unless { src 10.0.0.0/8 }"]) {
      const context = recordingContext({ direction, files: FILES });
      const rule = parse(wordsOf(line + condition), context);
      context.finish();
      assert.deepEqual(context.diagnostics.map(showDiagnostic), [], line + condition);
      assert.equal(show(rule), expected, line);
      assert.equal(rule!.condition?.text ?? "", condition.trim());
      assert.deepEqual([rule!.span.column, rule!.span.endColumn], [1, (line + condition).length + 1]);
    }
  }
}

test("http-request rules are understood, with and without a condition", () => {
  checkRules(REQUEST_RULES, parseHttpRequestRule, "request");
});

test("http-response rules are understood", () => {
  const rules = [
    ["set-header X-A %[hdr(a)]", '{kind:"set-header",name:"X-A",value:"%{?}[res.hdr(\\"a\\")]"}'],
    ["set-status 503", '{kind:"set-status",status:503,reason:null}'],
    ["set-status 503 reason Busy", '{kind:"set-status",status:503,reason:"Busy"}'],
    ["deny", '{kind:"deny",reply:{status:502,content:null,headers:[]}}'],
    ["return status 404", '{kind:"return",reply:{status:404,content:{kind:"none"},headers:[]}}'],
  ] as const;
  checkRules(rules, parseHttpResponseRule, "response");
});

test("http-after-response and tcp rules are understood", () => {
  checkRules(
    [["del-header X-A", '{kind:"del-header",name:"X-A",method:"str"}']],
    parseHttpAfterResponseRule,
    "response",
  );
  checkRules(
    [
      ["accept", '{kind:"accept"}'],
      ["reject", '{kind:"reject"}'],
    ],
    parseTcpResponseRule,
    "response",
  );
  const tcp = [
    ["accept", '{kind:"accept"}'],
    ["set-var(sess.a) src", '{kind:"set-var",variable:"sess.a",conditions:[],value:"src",isFormat:false}'],
  ] as const;
  checkRules(tcp, (words, context) => parseTcpRequestRule("content", words, context), "request");
});

test("a rule of early connections warns of tests that look at requests", () => {
  const context = recordingContext();
  assert.notEqual(parseTcpRequestRule("connection", wordsOf("accept if { path /a }"), context), null);
  assert.deepEqual(
    context.diagnostics.map((one) => one.code),
    ["never-matches"],
  );
});

test("captures take slots in the order of the rules", () => {
  const context = recordingContext();
  const slots = ["capture src len 10", "capture path len 20"].map((line) =>
    show(parseHttpRequestRule(wordsOf(line), context)),
  );
  assert.deepEqual(slots, ['{kind:"capture",sample:"src",slot:0}', '{kind:"capture",sample:"path",slot:1}']);
  assert.equal(
    show(parseHttpRequestRule(wordsOf("capture src id 1"), context)),
    '{kind:"capture",sample:"src",slot:1}',
  );
  assert.notEqual(parseHttpRequestRule(wordsOf("capture src id 2"), context), null);
  context.finish();
  assert.deepEqual(
    context.diagnostics.map((one) => one.code),
    ["unknown-capture"],
  );
});

test("the reply of an http-errors section is there when all is read", () => {
  const context = recordingContext();
  const rule = parseHttpRequestRule(wordsOf("deny status 404 errorfiles errors"), context);
  context.finish();
  assert.equal(show(rule), '{kind:"deny",reply:{status:404,content:{kind:"none"},headers:[]}}');
  parseHttpRequestRule(wordsOf("deny status 503 errorfiles errors"), context);
  parseHttpRequestRule(wordsOf("deny status 503 errorfiles mistakes"), context);
  context.finish();
  assert.deepEqual(
    context.diagnostics.map(({ severity, code }) => [severity, code]),
    [
      ["warning", "odd-reply"],
      ["error", "unknown-http-errors"],
    ],
  );
});

test("the keyword redirect reads as the rule", () => {
  const context = recordingContext();
  const rule = parseRedirect(wordsOf("location /%[path] code 307 if METH_GET"), context)!;
  assert.deepEqual(
    [rule.action.to, rule.action.code, showFormat(rule.action.value)],
    ["location", 307, '"/" %{?}[path]'],
  );
  assert.equal(rule.condition!.text, "if METH_GET");
});

test("an empty rule is reported where its keyword stands", () => {
  const context = recordingContext();
  const place = { file: "test.cfg", line: 4, column: 3, endColumn: 15 };
  assert.equal(parseHttpRequestRule([], context, place), null);
  assert.equal(parseRedirect([], context, place), null);
  assert.deepEqual(
    context.diagnostics.map((one) => one.span),
    [place, place],
  );
});
