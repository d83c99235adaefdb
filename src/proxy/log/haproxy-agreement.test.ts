// The same formats for the real HAProxy 2.6 and for ours: lines of httplog, tcplog, CLF and formats of our
// own, after dates, ports, durations and process ids are made alike. Headers of syslog messages as well.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePorts } from "../../../test/free-port.ts";
import { requestOn, type Stage, stageOf } from "../../../test/proxy-stage.ts";
import { COUNTER } from "../state.ts";
import { compileLogWriter } from "./log-line.ts";
import { LogOutput, type LogSink } from "./log-target.ts";

const HAPROXY = "/usr/sbin/haproxy";
const isThere = existsSync(HAPROXY) && execFileSync(HAPROXY, ["-v"]).toString().includes("version 2.6");
const SKIP = isThere ? false : "no HAProxy 2.6 here";
const HAPROXY_ENVIRONMENT = { ...process.env, TZ: "UTC" };

const REQUEST: readonly string[] = [
  'GET /a/b?x=1&q="quo|te" HTTP/1.1',
  "Host: www.example.com",
  'User-Agent: agent {curly} | "quoted" #\xe4',
  "X-Long: 0123456789abcdef",
  "X-Bracket: a]b\\c",
  "Connection: close",
];

/** As they stand between double quotes behind `log-format`. */
const FORMATS: readonly string[] = [
  "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r",
  '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \\"\\" \\"\\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl',
  "%HM|%HP|%HPO|%HQ|%HU|%HV|%r",
  "%{+Q}HM|%{+Q}HP|%{+Q}HQ|%{+Q}hr|%{+Q}hs|%{+Q}hrl|%{+Q}b|%{+Q}ft|%{+Q}ID",
  "%T|%t|%tr|%Tl|%trl|%trg|%Ts|%ms",
  "%bi:%bp %si:%sp %fi:%fp %f %H %U %rt %lc",
  "%Th/%Ti/%TR/%Tq/%Tw/%Tc/%Tr/%Td/%Ta/%Tt/%Tu",
  "%{+X}ci:%{+X}cp %{+X}fi:%{+X}fp %{+X}Ts %{+X}ms %{+X}pid %{+X}rt %{+X}lc",
  "%sslc %sslv %ts %tsc %rc %sq %bq %ID",
  "a    b %hr   %hs    c %[capture.req.hdr(2)]   %[capture.req.uri]",
  "%[capture.req.hdr(0)]|%{+Q}[capture.req.hdr(0)]|%{+E}[capture.req.hdr(0)]|%{+Q,+E}[var(txn.bracket)]|%{+Q}[capture.req.hdr(2)]",
  "%{+E}r %{+E}hr",
  "%[src] %[src_port] %[capture.req.method] %[var(txn.x)] %[capture.req.hdr(0)]|%[capture.req.hdr(1)]|%[fe_name] %[be_name] %[srv_name]",
  '{ \\"path\\": \\"%[capture.req.uri,json]\\", \\"agent\\": \\"%[capture.req.hdr(0),json(utf8s)]\\" }',
  "%[bin(410042)]|%[str(a),concat(,txn.x)]",
];

test("HAProxy 2.6 writes the same lines", { skip: SKIP }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-log-"));
  const ports = await freePorts(FORMATS.length + 1);
  const text = configuration(ports);
  const file = join(directory, "haproxy.cfg");
  writeFileSync(file, text, "latin1");
  const stage = stageOf(text);
  const check = spawnSync(HAPROXY, ["-c", "-f", file], { env: HAPROXY_ENVIRONMENT });
  assert.equal(check.status, 0, check.stderr.toString());
  const haproxy = spawn(HAPROXY, ["-db", "-f", file], {
    stdio: ["ignore", "pipe", "ignore"],
    env: HAPROXY_ENVIRONMENT,
  });
  try {
    const differences: string[] = [];
    const lines = linesOf(haproxy);
    await untilListening(ports.at(-1)!, lines);
    for (const [index, format] of FORMATS.entries()) {
      await send(ports[index]!);
      const theirs = alike((await lines.next()).value!, haproxy.pid!);
      const ours = alike(ourLine(stage, index), stage.environment.pid);
      if (ours !== theirs) differences.push(`${format}\n  ours    ${ours}\n  HAProxy ${theirs}`);
    }
    assert.deepEqual(differences, []);
  } finally {
    await stop(haproxy);
    rmSync(directory, { recursive: true });
  }
});

function configuration(ports: readonly number[]): string {
  const lines = ["defaults", "  mode http", "  timeout client 5s", "  log stdout format raw local0"];
  for (const [index, format] of FORMATS.entries()) {
    lines.push(`frontend f${index}`, `  bind 127.0.0.1:${ports[index]}`, `  log-format "${format}"`);
    lines.push("  capture request header User-Agent len 40", "  capture request header X-Long len 8");
    lines.push("  capture response header X-None len 8");
    lines.push(
      "  http-request set-var(txn.x) str(val)",
      "  http-request set-var(txn.bracket) req.hdr(x-bracket)",
      "  http-request return status 200 content-type text/plain string ok",
    );
  }
  lines.push(
    "frontend ready",
    `  bind 127.0.0.1:${ports.at(-1)}`,
    '  log-format "ready"',
    "  http-request return status 200",
  );
  return `${lines.join("\n")}\n`;
}

/** A stream as it is after HAProxy's own reply. */
function ourLine(stage: Stage, index: number): string {
  const frontend = stage.runtime.frontendsByName.get(`f${index}`)!;
  const stream = requestOn(stage, REQUEST, { frontend: `f${index}` });
  frontend.state.enter(frontend.slot, COUNTER.scur, COUNTER.smax);
  frontend.programs.httpRequest.run(stream, 0);
  stream.requestCaptures = ['agent {curly} | "quoted" #\xe4', "01234567"];
  stream.idleMs = 0;
  stream.requestMs = 0;
  stream.endMs = stream.startMs;
  stream.status = 200;
  // HAProxy counts bytes of its internal form, not those of the wire.
  stream.bytesIn = 143;
  stream.bytesOut = 73;
  stream.cause = "L";
  stream.phase = "R";
  const written: string[] = [];
  const sink: LogSink = {
    write: (bytes, start, end) => {
      written.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
      return true;
    },
  };
  const output = new LogOutput(frontend.definition.logs[0]!, senderOf(stage), sink);
  compileLogWriter(frontend.definition, [output], stage.environment)!.write(stream);
  output.flush();
  frontend.state.leave(frontend.slot, COUNTER.scur);
  assert.match(written[0]!, /\n$/);
  return written[0]!.slice(0, -1);
}

function senderOf(stage: Stage): ConstructorParameters<typeof LogOutput>[1] {
  return { tag: "haproxy", pid: stage.environment.pid, hostname: null, clock: stage.clock };
}

/**
 * Makes alike what differs from run to run: dates, ports, sizes, process ids, the machine's name, request
 * numbers.
 */
function alike(line: string, pid: number): string {
  return (
    line
      .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(\.\d{3})?( [+-]\d{4})?/g, (date) =>
        date
          .replace(/[A-Za-z]/g, "A")
          .replace(/\d/g, "9")
          .replace(" -", " +"),
      )
      .replaceAll(pid.toString(16).toUpperCase().padStart(4, "0"), "PID")
      .replace(/\b1[0-9]{9}\|\d{3}/g, "SECONDS")
      .replace(/\b(6|7)[0-9A-F]{7} [0-9A-F]{2,3} /g, "SECONDS ")
      // Durations stand beside those that never began. What began took some milliseconds on a busy machine.
      .replace(/(\d+[/ ])+-1([/ ]-1)*([/ ]\d+)(\/\d+)*/g, (durations) => durations.replace(/(?<!-)\d+/g, "0"))
      .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
      .replace(/7F000001:[0-9A-F]{4}/g, "7F000001:PORT")
      .replace(/^(127\.0\.0\.1|"127\.0\.0\.1") \d+ GET/, "$1 PORT GET")
      .replace(/("" ""|- -) ("?)\d{4,5}\2 \d{3} /, "$1 PORT MS ")
      .replace(/ (vm|machine|[a-z0-9-]+) (\d+) \d+ \d+$/, " HOST $2 COUNTS")
      .replace(/PID [0-9A-F]{4} [0-9A-F]{4}$/, "PID COUNTS")
  );
}

test("the headers of syslog messages are HAProxy's", { skip: SKIP }, async () => {
  const formats = ["rfc3164", "rfc5424", "local", "priority", "short", "timed", "iso", "raw"];
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const directory = mkdtempSync(join(tmpdir(), "sallyport-log-"));
  const port = (await freePorts(1))[0]!;
  const target = `127.0.0.1:${socket.address().port}`;
  const text = [
    "global",
    "  log-tag tagged",
    "frontend f",
    "  mode http",
    "  timeout client 5s",
    `  bind 127.0.0.1:${port}`,
    '  log-format "%r %ST and more"',
    "  http-request return status 503",
    "  option log-separate-errors",
    ...formats.map((format) => `  log ${target} len ${format === "raw" ? 80 : 1024} format ${format} local3`),
    "",
  ].join("\n");
  writeFileSync(join(directory, "haproxy.cfg"), text);
  const haproxy = spawn(HAPROXY, ["-db", "-f", join(directory, "haproxy.cfg")], {
    stdio: "ignore",
    env: HAPROXY_ENVIRONMENT,
  });
  try {
    const received = collect(socket, formats.length);
    await untilAnswered(port);
    const theirs = (await received).map((line) => withoutTime(line, haproxy.pid!)).sort();
    const stage = stageOf(text);
    const stream = requestOn(stage, ["GET / HTTP/1.1", "Host: h", "Connection: close"]);
    stream.status = 503;
    const written: string[] = [];
    const sink: LogSink = {
      write: (bytes, start, end) =>
        written.push(Buffer.from(bytes.subarray(start, end)).toString("latin1")) > 0,
    };
    const sender = { ...senderOf(stage), tag: "tagged" };
    const outputs = stream.frontend.definition.logs.map((log) => new LogOutput(log, sender, sink));
    compileLogWriter(stream.frontend.definition, outputs, stage.environment)!.write(stream);
    assert.deepEqual(written.map((line) => withoutTime(line, stage.environment.pid)).sort(), theirs);
  } finally {
    await stop(haproxy);
    socket.close();
    rmSync(directory, { recursive: true });
  }
});

function withoutTime(line: string, pid: number): string {
  return line
    .replaceAll(`${pid}`, "PID")
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/, "LEGACY")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d/, "ISO");
}

function collect(socket: ReturnType<typeof createSocket>, count: number): Promise<string[]> {
  const lines: string[] = [];
  return new Promise((resolve) => {
    socket.on("message", (message) => {
      const line = message.toString("latin1");
      // Messages about the proxy itself ("Proxy f started.") are not traffic.
      if (line.includes("GET /")) lines.push(line);
      if (lines.length === count) resolve(lines);
    });
  });
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += (chunk as Buffer).toString("latin1");
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
  return undefined;
}

async function send(port: number, lines: readonly string[] = REQUEST): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  socket.resume();
  await once(socket, "close");
}

async function untilListening(port: number, lines: AsyncGenerator<string, undefined>): Promise<void> {
  await untilAnswered(port);
  while ((await lines.next()).value !== "ready");
}

async function untilAnswered(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await send(port, ["GET / HTTP/1.1", "Host: h", "Connection: close"]);
      return;
    } catch (error) {
      if (attempt >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
