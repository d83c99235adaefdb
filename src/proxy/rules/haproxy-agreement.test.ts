// The same rules for the real HAProxy 2.6 and for ours, on the same request: fetches, converters,
// conditions, edits. HAProxy answers over one connection, each request naming its case in a header.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../../test/free-port.ts";
import { addResponse, requestOn, type Stage, stageOf } from "../../../test/proxy-stage.ts";
import { ACTIONS, type AgreementCase, REPLY_HEADERS, RESPONSE_CASES } from "./agreement-actions.fixture.ts";
import { CONDITIONS, EXPRESSIONS, REQUEST_LINES } from "./agreement-cases.fixture.ts";
import { MESSAGE_EXPRESSIONS } from "./agreement-messages.fixture.ts";
import { compileFormat } from "./format.ts";

const HAPROXY = "/usr/sbin/haproxy";
const isThere = existsSync(HAPROXY) && execFileSync(HAPROXY, ["-v"]).toString().includes("version 2.6");
const SKIP = isThere ? false : "no HAProxy 2.6 here";

const ENVIRONMENT = { ...process.env, SALLYPORT_TEST: "from outside", TZ: "UTC" };

const MAP_FILES: Readonly<Record<string, string>> = {
  hosts: "www.example.com first\nwww.example.org second\nhello third\n",
  prefixes: "/img small\n/img/big large\n",
  suffixes: ".example.org org\n.example.com com\n",
  words: "admin yes\nstatic also\n",
  regexes: "^user-([0-9]+)$ number\\1\n^x plain\n",
  networks: "10.0.0.0/8 ten\n10.1.2.0/24 closer\n",
  numbers: "10:20 teens\n25 exact\n",
  ports: "http 80\nssh 22\n",
  addresses: "gateway 192.0.2.1\n",
  paths: "/other\n/app/static/page.html\n",
};

test("HAProxy 2.6 gives the same values, decisions and edits", { skip: SKIP }, async () => {
  const cases: AgreementCase[] = [
    ...EXPRESSIONS.map((expression) => ({ show: `%[${expression}]` })),
    ...CONDITIONS.map((condition) => ({
      lines: [`set-var(txn.answer) str(yes) if ${condition}`],
      show: "%[var(txn.answer)]",
    })),
    ...ACTIONS,
  ];
  const differences = await compare(requestConfiguration, cases, showOnRequest);
  assert.deepEqual(differences, []);
  assert.ok(cases.length >= 300);
});

test("HAProxy 2.6 reads other messages, tokens and hashes alike", { skip: SKIP }, async () => {
  const cases = MESSAGE_EXPRESSIONS.map((expression) => ({ show: `%[${expression}]` }));
  assert.deepEqual(await compare(requestConfiguration, cases, showOnRequest), []);
});

test("HAProxy 2.6 sees responses alike", { skip: SKIP }, async () => {
  assert.deepEqual(await compare(responseConfiguration, RESPONSE_CASES, showOnResponse), []);
});

type WriteConfiguration = (cases: readonly AgreementCase[], maps: string, bind: string) => string;

async function compare(
  write: WriteConfiguration,
  cases: readonly AgreementCase[],
  show: (stage: Stage, index: number, headers: readonly string[]) => string,
): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-rules-"));
  const port = await freePort();
  const files = Object.fromEntries(
    Object.entries(MAP_FILES).map(([name, text]) => [join(directory, name), text]),
  );
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
  const text = write(cases, directory, `127.0.0.1:${port}`);
  writeFileSync(join(directory, "haproxy.cfg"), text, "latin1");
  const stage = stageOf(text, { files, variables: { SALLYPORT_TEST: "from outside" }, hostname: "machine" });
  const check = spawnSync(HAPROXY, ["-c", "-f", join(directory, "haproxy.cfg")], { env: ENVIRONMENT });
  assert.equal(check.status, 0, check.stderr.toString());
  const haproxy = start(directory);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await untilListening(port);
    const differences: string[] = [];
    for (const [index, { lines, show: shown }] of cases.entries()) {
      const theirs = await ask(port, agent, index);
      const ours = show(stage, index, requestLines(index, port));
      if (ours !== theirs)
        differences.push(
          `${(lines ?? []).join("; ")} ${shown}: ours ${JSON.stringify(ours)}, HAProxy's ${JSON.stringify(theirs)}`,
        );
    }
    return differences;
  } finally {
    agent.destroy();
    const gone = once(haproxy, "exit");
    haproxy.kill("SIGKILL");
    await gone;
    rmSync(directory, { recursive: true });
  }
}

const PREAMBLE = [
  "global",
  "  maxconn 200",
  "  node machine",
  "  expose-experimental-directives",
  "defaults",
  "  mode http",
  "  timeout client 5s",
  "  timeout server 5s",
  "  timeout connect 5s",
  "userlist people",
  "  group staff users admin",
  "  group guests",
  // "secret:pass" by SHA-256, as mkpasswd writes it.
  "  user admin password $5$saltsalt$PASSWORD",
  "userlist nobodies",
  "  user admin insecure-password other",
  "backend pool",
  "  server one 127.0.0.1:9 weight 7 maxconn 20",
  "  server two 127.0.0.1:9 disabled",
  "frontend www",
];

/** `openssl passwd -5 -salt saltsalt` of "secret:pass". */
const PASSWORD_HASH = isThere
  ? execFileSync("openssl", ["passwd", "-5", "-salt", "saltsalt", "secret:pass"]).toString().trim()
  : "";

function preamble(bind: string): string[] {
  const lines = [
    ...PREAMBLE,
    `  bind ${bind}`,
    "  http-request set-var(txn.v) str(val)",
    "  http-request set-var(txn.n) int(41)",
  ];
  return lines.map((line) => line.replace("$5$saltsalt$PASSWORD", `'${PASSWORD_HASH}'`));
}

function requestConfiguration(cases: readonly AgreementCase[], maps: string, bind: string): string {
  const lines = preamble(bind);
  for (const [index, { lines: rules = [], show }] of cases.entries()) {
    const when = `{ req.hdr(x-case) ${index} }`;
    for (const rule of rules) lines.push(`  http-request ${conditional(rule, when)}`);
    lines.push(`  http-request return status 200 content-type text/plain lf-string "<${show}>" if ${when}`);
  }
  return `${lines.join("\n").replaceAll("MAPS/", `${maps}/`)}\n`;
}

function conditional(rule: string, when: string): string {
  const at = rule.indexOf(" if ");
  if (at < 0) return `${rule} if ${when}`;
  const alternatives = rule.slice(at + 4).split(" or ");
  return `${rule.slice(0, at)} if ${alternatives.map((terms) => `${when} ${terms}`).join(" or ")}`;
}

function responseConfiguration(cases: readonly AgreementCase[], _maps: string, bind: string): string {
  const lines = preamble(bind);
  lines.push("  http-request set-var(txn.case) req.hdr(x-case)");
  const headers = REPLY_HEADERS.map(([name, value]) => `hdr ${name} "${value}"`).join(" ");
  lines.push(`  http-request return status 200 ${headers}`);
  for (const [index, { lines: rules = [], show }] of cases.entries()) {
    const when = `{ var(txn.case) -m str ${index} }`;
    for (const rule of rules) lines.push(`  http-after-response ${conditional(rule, when)}`);
    lines.push(`  http-after-response set-header x-result "<${show}>" if ${when}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Our rules on the same lines; the reply's text is its formatted content. */
function showOnRequest(stage: Stage, _index: number, lines: readonly string[]): string {
  const stream = requestOn(stage, lines);
  const verdict = stream.frontend.programs.httpRequest.run(stream, 0);
  if (verdict.kind !== "return" || verdict.reply.content?.kind !== "format") return `verdict ${verdict.kind}`;
  return compileFormat(verdict.reply.content.format, stage.environment, "http")(stream);
}

function showOnResponse(stage: Stage, _index: number, lines: readonly string[]): string {
  const stream = requestOn(stage, lines);
  stream.frontend.programs.httpRequest.run(stream, 0);
  addResponse(stream, [
    "HTTP/1.1 200 OK",
    "content-length: 0",
    ...REPLY_HEADERS.map(([name, value]) => `${name}: ${value}`),
  ]);
  stream.frontend.programs.httpAfterResponse.run(stream, 0);
  return stream.response!.firstValue("x-result") ?? "no result";
}

function requestLines(index: number, port: number): string[] {
  return [...REQUEST_LINES.map((line) => line.replace(":8080", `:${port}`)), `X-Case: ${index}`];
}

async function ask(port: number, agent: Agent, index: number): Promise<string> {
  const [first, ...lines] = requestLines(index, port);
  const [method, path] = first!.split(" ");
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const sent = request({
    host: "127.0.0.1",
    port,
    method: method!,
    path: path!,
    agent,
    setHost: false,
    headers,
  });
  sent.end();
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return response.headers["x-result"] ?? Buffer.concat(chunks).toString("latin1");
}

function start(directory: string): ChildProcess {
  return spawn(HAPROXY, ["-db", "-f", join(directory, "haproxy.cfg")], {
    stdio: ["ignore", "ignore", "ignore"],
    env: ENVIRONMENT,
  });
}

async function untilListening(port: number): Promise<void> {
  const agent = new Agent();
  for (let attempt = 0; ; attempt++) {
    try {
      await ask(port, agent, 0);
      agent.destroy();
      return;
    } catch (error) {
      if (attempt >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
