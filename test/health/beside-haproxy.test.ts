// The same checks against the same servers, by a real HAProxy 2.6 and by ours: what is logged about each
// server (reason, code, info, servers left) has to be the same but for durations. Real sockets on loopback,
// our portable engine.
import assert from "node:assert/strict";
import net, { type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { NO_SPAN } from "../../src/diagnostic/span.ts";
import { createPortableEngine } from "../../src/io/portable/portable-engine.ts";
import type {
  CheckDefinition,
  CheckRule,
  HttpExpectation,
  Server as ServerDefinition,
  TcpExpectation,
} from "../../src/model/proxy.ts";
import type { LogFormat } from "../../src/model/sample.ts";
import { makeBackend } from "../../src/proxy/balance/backend.fixture.ts";
import {
  HAS_HAPROXY,
  type Haproxy,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../src/proxy/balance/haproxy.fixture.ts";
import { HealthChecks } from "../../src/proxy/health/health-checks.ts";
import { SharedState } from "../../src/proxy/state.ts";
import { freePort } from "../free-port.ts";

/** What is to be answered is so within it, also by a machine that is busy; what is not is a timeout. */
const INTERVAL_MS = 3000;

interface Case {
  readonly title: string;
  readonly lines: readonly string[];
  readonly check: CheckDefinition;
  /** Name of the origin, below. */
  readonly origin: string;
  readonly serverOptions?: string;
  readonly server?: Partial<ServerDefinition>;
}

const request = (path: string, more: Partial<Extract<CheckRule, { kind: "http-send" }>> = {}): CheckRule => ({
  kind: "http-send",
  method: "GET",
  uri: path,
  version: "HTTP/1.0",
  headers: [],
  body: null,
  span: NO_SPAN,
  ...more,
});
const format = (text: string): LogFormat => ({ parts: [{ kind: "text", text }], text, span: NO_SPAN });
type HttpExpect = Extract<CheckRule, { kind: "http-expect" }>;
const httpExpect = (match: HttpExpectation, more: Partial<HttpExpect> = {}): CheckRule => ({
  kind: "http-expect",
  negated: false,
  match,
  okStatus: null,
  errorStatus: null,
  statusCode: null,
  onError: null,
  onSuccess: null,
  minRecv: null,
  comment: null,
  span: NO_SPAN,
  ...more,
});
const http = (path: string, words: string, match: HttpExpectation, more: Partial<HttpExpect> = {}): Case => ({
  title: `http-check ${words} of ${path}`,
  lines: [`option httpchk GET ${path}`, `http-check ${words}`],
  check: { kind: "http", rules: [request(path), httpExpect(match, more)] },
  origin: "http",
});
const httpPlain = (path: string, origin = "http"): Case => ({
  title: `httpchk ${path} at ${origin}`,
  lines: [`option httpchk GET ${path}`],
  check: { kind: "http", rules: [request(path)] },
  origin,
});
const status = (...ranges: (readonly [number, number])[]): HttpExpectation => ({ by: "status", ranges });
const header = (
  by: "hdr" | "fhdr",
  name: string,
  value: string | null,
  more: Partial<Extract<HttpExpectation, { by: "hdr" | "fhdr" }>> = {},
): HttpExpectation => ({ by, name, nameMethod: "str", value, valueMethod: "str", ...more });
const tcpConnect: CheckRule = {
  kind: "connect",
  comment: null,
  span: NO_SPAN,
  port: null,
  address: null,
  tls: null,
  sni: null,
  alpn: [],
  sendProxy: false,
};
const tcpSend = (text: string): CheckRule => ({
  kind: "tcp-send",
  bytes: new TextEncoder().encode(text),
  comment: null,
  span: NO_SPAN,
});
const tcpExpect = (
  match: TcpExpectation,
  more: Partial<Extract<CheckRule, { kind: "tcp-expect" }>> = {},
): CheckRule => ({
  kind: "tcp-expect",
  negated: false,
  match,
  minRecv: null,
  comment: null,
  span: NO_SPAN,
  ...more,
});
const tcp = (title: string, origin: string, lines: readonly string[], ...rules: CheckRule[]): Case => ({
  title: `tcp-check ${title}`,
  lines: ["option tcp-check", ...lines.map((line) => `tcp-check ${line}`)],
  check: { kind: "tcp", rules },
  origin,
});
const protocol = (option: string, check: CheckDefinition, origin: string): Case => ({
  title: `${option} at ${origin}`,
  lines: [`option ${option}`],
  check,
  origin,
});

const CASES: readonly Case[] = [
  { title: "connect to an open port", lines: [], check: { kind: "tcp-connect" }, origin: "http" },
  { title: "connect to a closed port", lines: [], check: { kind: "tcp-connect" }, origin: "refused" },
  httpPlain("/200"),
  httpPlain("/404"),
  httpPlain("/503"),
  httpPlain("/302"),
  httpPlain("/close"),
  httpPlain("/junk"),
  httpPlain("/hang"),
  httpPlain("/chunked"),
  httpPlain("/200", "refused"),
  httpPlain("/200", "reset"),
  http("/503", "expect status 503", status([503, 503])),
  http("/200", "expect ! status 200", status([200, 200]), { negated: true }),
  http("/404", "expect status 200-299,404", status([200, 299], [404, 404])),
  http("/503", "expect rstatus ^5", { by: "rstatus", pattern: "^5" }),
  http("/200", "expect rstatus ^5", { by: "rstatus", pattern: "^5" }),
  http("/200", "expect string hello", { by: "string", pattern: "hello" }),
  http("/200", "expect string other", { by: "string", pattern: "other" }),
  http("/200", "expect ! string hello", { by: "string", pattern: "hello" }, { negated: true }),
  http("/200", "expect rstring ^he.*o$", { by: "rstring", pattern: "^he.*o$" }),
  http("/200", "expect rstring bye", { by: "rstring", pattern: "bye" }),
  http("/chunked", "expect string second", { by: "string", pattern: "second" }),
  http("/empty", "expect string x", { by: "string", pattern: "x" }),
  http("/200", "expect hdr name x-a value two", header("hdr", "x-a", "two")),
  http("/200", "expect fhdr name x-a value two", header("fhdr", "x-a", "two")),
  http("/200", "expect fhdr name x-a value -m sub two", header("fhdr", "x-a", "two", { valueMethod: "sub" })),
  http(
    "/200",
    "expect hdr name -m beg x- value -m end o",
    header("hdr", "x-", "o", { nameMethod: "beg", valueMethod: "end" }),
  ),
  http("/200", "expect hdr name x-b", header("hdr", "x-b", null)),
  http(
    "/200",
    "expect hdr name -m reg ^x-[a-c]$ value -m reg ^t",
    header("hdr", "^x-[a-c]$", "^t", { nameMethod: "reg", valueMethod: "reg" }),
  ),
  http("/200", "expect status-code int(207) status 200-299", status([200, 299]), {
    statusCode: {
      fetch: { name: "int", arguments: [207] },
      converters: [],
      text: "int(207)",
      span: NO_SPAN,
    },
  }),
  http("/200", "expect hdr name -m reg ^X-[A-C]$", header("hdr", "^X-[A-C]$", null, { nameMethod: "reg" })),
  http(
    "/200",
    "expect on-error gone string other",
    { by: "string", pattern: "other" },
    { onError: format("gone") },
  ),
  http("/200", "expect error-status L7RSP comment why status 500", status([500, 500]), {
    errorStatus: "L7RSP",
    comment: "why",
  }),
  {
    title: "disable-on-404 of a server that is up",
    lines: ["option httpchk GET /404", "http-check disable-on-404"],
    check: { kind: "http", rules: [request("/404"), { kind: "disable-on-404" }] },
    origin: "http",
  },
  tcp(
    "expect string that comes",
    "banner",
    ["expect string HELLO"],
    tcpExpect({ by: "string", pattern: "HELLO" }),
  ),
  tcp(
    "expect string that does not come",
    "banner",
    ["expect string PONG"],
    tcpExpect({ by: "string", pattern: "PONG" }),
  ),
  tcp(
    "expect ! string",
    "banner",
    ["connect", "send hi", "expect ! string HELLO"],
    tcpConnect,
    tcpSend("hi"),
    tcpExpect({ by: "string", pattern: "HELLO" }, { negated: true }),
  ),
  tcp(
    "expect rstring",
    "banner",
    ["expect min-recv 4 rstring ^-"],
    tcpExpect({ by: "rstring", pattern: "^-" }, { minRecv: 4 }),
  ),
  tcp("expect binary", "banner", ["expect binary 48454c"], tcpExpect({ by: "binary", pattern: "48454c" })),
  tcp(
    "expect ! rbinary",
    "banner",
    ["expect ! rbinary ^2B"],
    tcpExpect({ by: "rbinary", pattern: "^2B" }, { negated: true }),
  ),
  tcp("at a closed port", "refused", ["expect string PONG"], tcpExpect({ by: "string", pattern: "PONG" })),
  tcp(
    "at one that resets",
    "reset",
    ["send hi", "expect string PONG"],
    tcpSend("hi"),
    tcpExpect({ by: "string", pattern: "PONG" }),
  ),
  tcp(
    "at one that closes",
    "close",
    ["expect string PONG comment why"],
    tcpExpect({ by: "string", pattern: "PONG" }, { comment: "why" }),
  ),
  tcp("with send last", "banner", ["send hi"], tcpSend("hi")),
  protocol("ssl-hello-chk", { kind: "ssl-hello" }, "banner"),
  protocol("ssl-hello-chk", { kind: "ssl-hello" }, "close"),
  protocol("ssl-hello-chk", { kind: "ssl-hello" }, "tls-alert"),
  protocol("smtpchk EHLO me.example", { kind: "smtp", hello: "EHLO", domain: "me.example" }, "smtp"),
  protocol("smtpchk", { kind: "smtp", hello: "HELO", domain: "localhost" }, "banner"),
  protocol("smtpchk HELO refuse", { kind: "smtp", hello: "HELO", domain: "refuse" }, "smtp"),
  protocol("redis-check", { kind: "redis" }, "redis"),
  protocol("redis-check", { kind: "redis" }, "close"),
  protocol("mysql-check", { kind: "mysql", user: null }, "mysql"),
  protocol("mysql-check user good", { kind: "mysql", user: "good" }, "mysql"),
  protocol("mysql-check user bad", { kind: "mysql", user: "bad" }, "mysql"),
  protocol("pgsql-check user good", { kind: "pgsql", user: "good" }, "pgsql"),
  protocol("pgsql-check user bad", { kind: "pgsql", user: "bad" }, "pgsql"),
  protocol("ldap-check", { kind: "ldap" }, "ldap"),
  protocol("ldap-check", { kind: "ldap" }, "ldap-refusing"),
  protocol("ldap-check", { kind: "ldap" }, "mysql"),
];

/** What each origin answers; undefined keeps silent. The first call, with "", is on connect. */
type Answer = (received: string) => { readonly bytes: string; readonly close?: boolean } | undefined;
const mysqlPacket = (number: number, body: string) =>
  `${String.fromCharCode(body.length)}\0\0${String.fromCharCode(number)}${body}`;
const ORIGINS: Readonly<Record<string, Answer>> = {
  http: (received) => (received.endsWith("\r\n\r\n") ? httpAnswer(received.split(" ")[1]!) : undefined),
  banner: (received) => (received === "" ? { bytes: "+HELLO\r\n" } : undefined),
  close: (received) => (received === "" ? { bytes: "", close: true } : undefined),
  "tls-alert": (received) =>
    received.startsWith("\x16\x03\0\0\x79\x01")
      ? { bytes: "\x15\x03\0\0\x02\x02\x28", close: true }
      : undefined,
  smtp: (received) =>
    received === ""
      ? { bytes: "220 mail ESMTP\r\n" }
      : received.includes("refuse")
        ? { bytes: "550 go away\r\n" }
        : { bytes: "250-mail at your service\r\n250 OK\r\n" },
  redis: (received) => (received === "*1\r\n$4\r\nPING\r\n" ? { bytes: "+PONG\r\n" } : undefined),
  mysql: (received) =>
    received === ""
      ? { bytes: mysqlPacket(0, "\x0a8.0.1\0rest") }
      : received.includes("bad")
        ? { bytes: mysqlPacket(2, "\xff\x15\x04no access") }
        : { bytes: mysqlPacket(2, "\0\0\0\x02\0") },
  pgsql: (received) =>
    received === ""
      ? undefined
      : received.includes("bad")
        ? { bytes: "E\0\0\0\x10SFATAL\0\0" }
        : { bytes: "R\0\0\0\x08\0\0\0\0" },
  ldap: (received) =>
    received === "" ? undefined : { bytes: "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0" },
  "ldap-refusing": (received) =>
    received === "" ? undefined : { bytes: "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\0\x04\0" },
};

function httpAnswer(path: string): ReturnType<Answer> {
  if (path === "/hang") return undefined;
  if (path === "/close") return { bytes: "", close: true };
  if (path === "/junk") return { bytes: "hello\r\n", close: true };
  if (path === "/empty") return { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", close: true };
  if (path === "/chunked")
    return {
      bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n",
      close: true,
    };
  const reasons: Readonly<Record<string, string>> = {
    "/200": "200 OK",
    "/404": "404 Not Found",
    "/503": '503 "Down" #1',
    "/302": "302 Found",
  };
  return {
    bytes: `HTTP/1.1 ${reasons[path]}\r\ncontent-length: 5\r\nx-a: one, two\r\n\r\nhello`,
    close: true,
  };
}

describe("health checks beside HAProxy 2.6", { skip: !HAS_HAPROXY }, () => {
  const ports = new Map<string, number>();
  const servers: net.Server[] = [];
  let directory: string;
  let haproxy: Haproxy;
  const ours: string[][] = CASES.map(() => []);
  const engine = createPortableEngine();
  let checks: HealthChecks;

  before(async () => {
    directory = makeDirectory();
    for (const [name, answer] of Object.entries(ORIGINS))
      await listen(name, (socket) => serve(socket, answer));
    // Not before something came: who is reset sooner and looks late was never connected.
    await listen("reset", (socket) => socket.once("data", () => socket.resetAndDestroy()));
    ports.set("refused", await freePort());
    haproxy = await startHaproxy(directory, configuration(ports), ["front"]);
    startOurs();
    await waitForAll();
  });

  after(async () => {
    checks.stop();
    engine.stop();
    await haproxy.dispose();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    removeDirectory(directory);
  });

  for (const [index, testCase] of CASES.entries()) {
    test(`${testCase.title} is reported alike`, () => {
      assert.deepEqual(ours[index]!.slice(0, 2), theirs(index));
    });
  }

  async function listen(name: string, connected: (socket: net.Socket) => void): Promise<void> {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      connected(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports.set(name, (server.address() as AddressInfo).port);
    servers.push(server);
  }

  function startOurs(): void {
    const state = SharedState.alone(512);
    const backends = CASES.map((testCase, index) => {
      const address = {
        kind: "tcp",
        host: "127.0.0.1",
        port: ports.get(testCase.origin)!,
        portOffset: 0,
      } as const;
      const check = {
        interMs: INTERVAL_MS,
        fastInterMs: null,
        downInterMs: null,
        rise: 2,
        fall: 1,
        port: null,
        address: null,
        tls: null,
        sni: null,
        alpn: [],
        viaSocks4: false,
      } as const;
      const settings = { check: testCase.check };
      return makeBackend(
        { s: { address, check, ...testCase.server } },
        { name: `case${index}.`, settings, options: { logHealthChecks: true }, state, slot: 2 + index * 4 },
      );
    });
    checks = new HealthChecks(engine, backends, {
      spreadChecksPercent: 0,
      nodeName: "node",
      emit(event) {
        if (event.kind === "log") ours[backends.indexOf(event.backend)]!.push(withoutDuration(event.text));
      },
    });
    checks.start(null);
    engine.run();
  }

  /**
   * Two lines of each case from both: the check's, and what became of the server; the second is not there for
   * some.
   */
  async function waitForAll(): Promise<void> {
    while (
      !CASES.every((_, index) => ours[index]!.length >= theirs(index).length && theirs(index).length > 0)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // A moment more, for a second line that either side may still owe.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  function theirs(index: number): string[] {
    const lines = haproxy.output
      .join("")
      .split("\n")
      .filter((line) => !/^\[/.test(line) && new RegExp(`[ /]case${index}\\.[/ ]`).test(line));
    return lines.slice(0, 2).map(withoutDuration);
  }
});

function withoutDuration(line: string): string {
  return line.replace(/check duration: \d+ms/, "check duration: ?");
}

function serve(socket: net.Socket, answer: Answer): void {
  let received = "";
  const give = () => {
    const reply = answer(received);
    if (reply === undefined) return;
    if (reply.close) socket.end(reply.bytes, "latin1");
    else socket.write(reply.bytes, "latin1");
  };
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text;
    give();
  });
  give();
}

function configuration(ports: ReadonlyMap<string, number>): string {
  const lines = [
    "global",
    "log stdout format raw local0",
    "defaults",
    "log global",
    "timeout connect 5s",
    "timeout client 5s",
    "timeout server 5s",
    "mode http",
  ];
  for (const [index, testCase] of CASES.entries()) {
    lines.push(`backend case${index}.`, "option log-health-checks", ...testCase.lines);
    lines.push(
      `server s 127.0.0.1:${ports.get(testCase.origin)} check inter ${INTERVAL_MS}ms fall 1 rise 2 ${testCase.serverOptions ?? ""}`,
    );
  }
  lines.push("frontend front", "bind unix@DIRECTORY/front", "default_backend case0.");
  return `${lines.join("\n")}\n`;
}
