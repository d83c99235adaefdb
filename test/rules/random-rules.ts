// For tests: rules at random, of all fetches, converters, ways of matching and actions, with arguments and
// requests that nobody would write. What the reader takes is run. Says what is run before it is run, so that
// whoever started this knows at which rule it threw or never came back.
import process from "node:process";
import { CONVERTERS, FETCHES, type ParameterShape } from "../../src/model/sample.ts";
import { addResponse, requestOn, type Stage, stageOf } from "../proxy-stage.ts";

const MATCH_METHODS = [
  "found",
  "bool",
  "int",
  "ip",
  "bin",
  "len",
  "str",
  "beg",
  "sub",
  "dir",
  "dom",
  "end",
  "reg",
];

type Random = (limit: number) => number;

/** A small generator of which a seed says all (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const WORDS = [
  "", "a", "/", "//", "?", ".", ":", ";", "=", "&", "%", "%41", "%4", "%zz", "%%", "..", "/../a", "a=b&c", "a b",
  "0", "1", "-1", "2147483648", "99999999999999999999", "0x10", "1:5", "5:1", ":", "1.2", "127.0.0.1", "10.0.0.0/8",
  "::1", "::/0", "1.2.3.4.5", "www.example.org", "A=1; B=2", "Basic c2VjcmV0", "Basic ====", "{", "[1,2", '{"a":{"b":[1,"x"]}}',
  "$.a.b[1]", "$", "$..", "eyJhbGciOiJIUzI1NiJ9.e30.x", "...", "\\", "\\1", "\\0\\9", "(", "a*", "(a|b)+$", "^", "[", "sha256",
  "gzip", "hex", "base64", "YWJj", "6162", "616", "\u00e9", "\u00ff\u0080", "x".repeat(300), "a,".repeat(40), "%[src]", "%Y-%m-%d", "%",
]; // biome-ignore format: a list
const HEADERS = [
  "host",
  "cookie",
  "x-a",
  "authorization",
  "content-length",
  "accept",
  "",
  "x-missing",
  "user-agent",
];
const REQUESTS: readonly (readonly string[])[] = [
  ["GET / HTTP/1.1", "Host: www.example.org"],
  ["GET /a/b?c=d&e=%41&&=x&c HTTP/1.1", "Host: a:9", "Cookie: a=1; b; =c; a=2;", "X-A: 1", "X-A: , ,2,"],
  ["OPTIONS * HTTP/1.1", "Host: x", "Authorization: Basic ====", "Authorization: Bearer x"],
  [
    "POST http://u@h:1/p;a=b//../c?%zz HTTP/1.1",
    "Host: h:1",
    "Content-Length: 9",
    "Accept: ;q=,a;q=9,*/*;q=",
  ],
  ["CONNECT h:443 HTTP/1.1", "Host: h:443"],
  ["M-SEARCH //?? HTTP/1.0", `X-A: ${"y,".repeat(500)}`, "X-A:", "User-Agent: \u00ff\u0080"],
];
const RESPONSES: readonly (readonly string[])[] = [
  ["HTTP/1.1 200 OK", "Content-Length: 3", "Set-Cookie: a=1; path=/", "Set-Cookie: =", "X-A: "],
  ["HTTP/1.1 999 ", "Transfer-Encoding: chunked", "Content-Type: ;;;"],
  ["HTTP/1.0 304 \u00ff", "Vary: *", "Date: never"],
];
const BODIES = [
  "",
  "a=b&c=%41",
  '{"a":{"b":[1,"x"]}}',
  "\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",
  "\x08\x96\x01\x12\xff\xff\xff",
  "\0".repeat(40),
];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)]!;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&")}"`;
}

/** Of a word that is an argument within parentheses: quotes keep commas and parentheses. */
function argument(random: Random, shape: ParameterShape): string {
  switch (shape.replace("?", "")) {
    case "integer":
      return pick(random, [
        "0",
        "1",
        "-1",
        "2",
        "7",
        "31",
        "64",
        "4294967296",
        "-9223372036854775808",
        "9".repeat(19),
      ]);
    case "variable":
      return pick(random, ["txn.a", "req.a", "sess.b", "proc.c", "txn.none"]);
    case "backend":
    case "frontend":
    case "table":
      return "here";
    case "server":
      return "here/one";
    case "userlist":
      return "people";
    case "ip-mask4":
      return pick(random, ["0", "8", "32", "255.0.255.0"]);
    case "ip-mask6":
      return pick(random, ["0", "64", "128"]);
    default:
      return `'${pick(random, random(3) === 0 ? HEADERS : WORDS).replaceAll("'", "")}'`;
  }
}

function call(random: Random, name: string, shapes: readonly ParameterShape[]): string {
  const given: string[] = [];
  for (const shape of shapes) {
    if (shape.endsWith("?") && random(2) === 0) break;
    given.push(argument(random, shape));
  }
  return given.length === 0 ? name : `${name}(${given.join(",")})`;
}

function sample(random: Random): string {
  const fetch = pick(random, Object.keys(FETCHES)) as keyof typeof FETCHES;
  const parts = [call(random, fetch, FETCHES[fetch].parameters)];
  for (let count = random(4); count > 0; count--) {
    const name = pick(random, Object.keys(CONVERTERS)) as keyof typeof CONVERTERS;
    parts.push(call(random, name, CONVERTERS[name].parameters));
  }
  return parts.join(",");
}

function condition(random: Random): string {
  const patterns = Array.from({ length: 1 + random(3) }, () => quoted(pick(random, WORDS)));
  const flags = `${random(3) === 0 ? " -i" : ""} -m ${pick(random, MATCH_METHODS)}`;
  return `{ ${quoted(sample(random))}${flags} -- ${patterns.join(" ")} }`;
}

function rule(random: Random): string {
  const set = pick(random, ["http-request", "http-response", "http-after-response"]);
  const text = quoted(`${pick(random, WORDS)}%[${sample(random)}]${pick(random, WORDS)}`);
  const header = pick(
    random,
    HEADERS.filter((name) => name !== ""),
  );
  switch (random(10)) {
    case 0:
      return `${set} set-header ${header} ${text}`;
    case 1:
      return `${set} set-var(txn.a) ${quoted(sample(random))} if ${condition(random)}`;
    case 2:
      return `${set} ${pick(random, ["replace-header", "replace-value"])} ${header} ${quoted(pick(random, WORDS))} ${text}`;
    case 3:
      return `http-request ${pick(random, ["replace-path", "replace-pathq", "replace-uri"])} ${quoted(pick(random, WORDS))} ${text}`;
    case 4:
      return `http-request ${pick(random, ["set-path", "set-pathq", "set-query", "set-uri", "set-method"])} ${text}`;
    case 5:
      return `http-request redirect ${pick(random, ["location", "prefix", "scheme"])} ${text} if ${condition(random)}`;
    case 6:
      return `http-request ${pick(random, ["set-src", "set-dst", "set-src-port", "set-dst-port"])} ${quoted(sample(random))}`;
    case 7:
      return `${set} del-header ${quoted(pick(random, WORDS))} -m ${pick(random, ["str", "beg", "end", "sub", "reg"])}`;
    case 8:
      return `tcp-${pick(random, ["request", "response"])} content reject if ${condition(random)}`;
    default:
      return `${set} deny if ${condition(random)}`;
  }
}

/** Null when the reader refuses it. */
function stageWith(line: string): Stage | null {
  const preamble = [
    "defaults",
    "  mode http",
    "  timeout client 5s",
    "  timeout server 5s",
    "  timeout connect 5s",
    "userlist people",
    "  user admin insecure-password secret",
    "listen here",
    "  bind 127.0.0.1:8080",
    "  server one 127.0.0.1:9",
    "  stick-table type string len 40 size 5 expire 1s store conn_cur,http_req_rate(1s),gpc0_rate(1s),gpc(3),gpt(2)",
    "  http-request track-sc0 path",
  ];
  try {
    return stageOf(`${[...preamble, `  ${line}`].join("\n")}\n`, { variables: { HOME: "/" } });
  } catch (error) {
    if (/^\d+: /.test((error as Error).message)) return null;
    throw error;
  }
}

function runAll(stage: Stage, random: Random): void {
  for (const lines of REQUESTS) {
    const stream = requestOn(stage, lines);
    stream.body = Buffer.from(pick(random, BODIES), "latin1");
    stream.content = stream.body;
    stream.isContentFinal = random(2) === 0;
    const { programs } = stream.frontend;
    const ofBackend = stream.frontend.defaultBackend!.programs;
    programs.tcpRequestContent.run(stream, 0);
    programs.httpRequest.run(stream, 0);
    ofBackend.tcpResponseContent.run(stream, 0);
    addResponse(stream, pick(random, RESPONSES));
    programs.httpResponse.run(stream, 0);
    programs.httpAfterResponse.run(stream, 0);
    for (const head of [stream.request!, stream.response!])
      head.encodeInto(new Uint8Array(head.encodedLengthMax()), 0);
  }
}

const [first = 0, last = 0] = process.argv.slice(2).map(Number);
let accepted = 0;
for (let seed = first; seed <= last; seed++) {
  const random = randomOf(seed);
  const line = rule(random);
  process.stdout.write(`${seed} ${line}\n`);
  const stage = stageWith(line);
  if (stage === null) continue;
  accepted++;
  runAll(stage, random);
}
process.stdout.write(`${accepted} of ${last - first + 1} were run\n`);
