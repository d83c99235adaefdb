// Each cookie mode against each kind of client and server cookie, through a real HAProxy 2.6 and through our
// functions: the cookies that the server sees, the response's headers, the server and the log flags have to
// be the same.
import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { CookieSettings } from "../../model/proxy.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { makeBackend, makeStream } from "../balance/backend.fixture.ts";
import {
  HAS_HAPROXY,
  type Haproxy,
  makeDirectory,
  removeDirectory,
  request,
  startHaproxy,
} from "../balance/haproxy.fixture.ts";
import { applyRequestCookie, applyResponseCookie } from "./cookie.ts";
import { encodeCookieDate } from "./cookie-date.ts";
import { cookieSettings } from "./cookie-settings.fixture.ts";

interface Mode {
  readonly line: string;
  readonly settings: CookieSettings;
  readonly extra?: readonly string[];
  readonly persist?: boolean;
  readonly checkcache?: boolean;
  readonly ignore?: boolean;
  readonly force?: boolean;
  /** A use-server rule sends everything to this server. */
  readonly useServer?: string;
}

const mode = (
  line: string,
  settings: Partial<CookieSettings>,
  more: Omit<Mode, "line" | "settings"> = {},
): Mode => ({ line: `cookie SRV ${line}`, settings: cookieSettings(settings), ...more });

const MODES: readonly Mode[] = [
  mode("", { mode: "passive" }),
  mode("indirect", { mode: "passive", indirect: true }),
  mode("indirect preserve", { mode: "passive", indirect: true, preserve: true }),
  mode("rewrite", { mode: "rewrite" }),
  mode("insert", { mode: "insert" }),
  mode("insert nocache", { mode: "insert", nocache: true }),
  mode("insert indirect nocache", { mode: "insert", indirect: true, nocache: true }),
  mode("insert preserve", { mode: "insert", preserve: true }),
  mode("insert indirect preserve nocache", { mode: "insert", indirect: true, preserve: true, nocache: true }),
  mode("insert postonly", { mode: "insert", postonly: true }),
  mode("insert indirect httponly secure domain .a.example domain .b.example attr SameSite=None", {
    mode: "insert",
    indirect: true,
    httponly: true,
    secure: true,
    domains: [".a.example", ".b.example"],
    attributes: ["SameSite=None"],
  }),
  mode("insert indirect maxidle 60s", { mode: "insert", indirect: true, maxidleSeconds: 60 }),
  mode("insert maxlife 1h", { mode: "insert", maxlifeSeconds: 3600 }),
  mode("insert indirect maxidle 1m maxlife 1h", {
    mode: "insert",
    indirect: true,
    maxidleSeconds: 60,
    maxlifeSeconds: 3600,
  }),
  mode("prefix", { mode: "prefix" }),
  mode("prefix indirect", { mode: "prefix", indirect: true }),
  mode("prefix indirect preserve", { mode: "prefix", indirect: true, preserve: true }),
  mode("insert indirect", { mode: "insert", indirect: true }, { extra: ["option persist"], persist: true }),
  mode(
    "insert indirect",
    { mode: "insert", indirect: true },
    { extra: ["option checkcache"], checkcache: true },
  ),
  mode("rewrite", { mode: "rewrite" }, { extra: ["option checkcache"], checkcache: true }),
  mode(
    "insert indirect",
    { mode: "insert", indirect: true },
    { extra: ["ignore-persist if TRUE"], ignore: true },
  ),
  mode(
    "insert indirect",
    { mode: "insert", indirect: true },
    { extra: ["force-persist if TRUE"], force: true },
  ),
  mode(
    "insert indirect",
    { mode: "insert", indirect: true },
    { extra: ["use-server b if TRUE"], useServer: "b" },
  ),
];

interface Exchange {
  readonly cookies: readonly string[];
  readonly method?: string;
  readonly status?: number;
  readonly answer?: readonly (readonly [string, string])[];
}

function exchanges(nowSeconds: number): Exchange[] {
  const date = (offset: number) => `|${encodeCookieDate(nowSeconds + offset)}`;
  const dated = (last: number, first?: number) => date(last) + (first === undefined ? "" : date(first));
  const cookies = [
    [],
    ["SRV=A"],
    ["SRV=B; x=1"],
    ["x=1; SRV=B"],
    ["x=1; SRV=B ; y=2"],
    ["SRV=C"],
    ["SRV=Z"],
    ["SRV="],
    ["SRV"],
    ["XSRV=A; SRVX=B"],
    ["srv=B"],
    [' SRV = B ; y = "a;b" '],
    ["SRV=B, y=2"],
    ["$Version=1; SRV=B; $Path=/; y=2"],
    ["x=1", "SRV=B"],
    ["SRV=B", "x=1"],
    ["SRV=C; SRV=B"],
    ["SRV=B; SRV=C"],
    ["SRV=Z; x=1; SRV=B"],
    ["SRV=B~own; y=2"],
    ["SRV=Z~own"],
    ["SRV=~own"],
    ["SRV=C~own"],
    ["x=1;SRV=B~own;z"],
    [`SRV=B${dated(-20)}`],
    [`SRV=B${dated(-20, -200)}`],
    [`SRV=B${dated(-500, -600)}`],
    [`SRV=B${dated(-20, -7200)}`],
    [`SRV=B${dated(90_000, 90_000)}; x=1`],
    [`SRV=B${dated(0, 0)}`],
    ["SRV=B|abc"],
    ["SRV=B|!!!!!"],
    ["SRV=D"],
    ["x=1;  y=2;SRV=A;  z=3"],
  ];
  const answers: Omit<Exchange, "cookies">[] = [
    { answer: [["set-cookie", "SRV=app; path=/x"]] },
    {
      answer: [
        ["set-cookie", "SRV = app ; path=/x"],
        ["set-cookie", "other=1; Expires=Thu, 01-Jan-2099 00:00:01 GMT"],
        ["cache-control", "max-age=60"],
      ],
    },
    {
      answer: [
        ["set-cookie", "other=1"],
        ["cache-control", 'no-cache="set-cookie", max-age=5'],
      ],
    },
    {
      answer: [
        ["set-cookie", "SRV="],
        ["cache-control", "private"],
      ],
    },
    {
      answer: [
        ["set-cookie", "SRV=app"],
        ["pragma", "no-cache"],
      ],
    },
    {
      answer: [
        ["set-cookie", "SRV=app"],
        ["cache-control", "public"],
      ],
      method: "POST",
      status: 500,
    },
    {
      answer: [
        ["set-cookie", "other=1"],
        ["cache-control", "no-store, public"],
      ],
    },
    {
      answer: [
        ["set-cookie", "SRV=app"],
        ["etag", "1"],
      ],
    },
    {
      answer: [
        ["set-cookie", "other=1"],
        ["expires", "0"],
        ["cache-control", 'public, no-cache="set-cookie"'],
      ],
    },
    { answer: [["cache-control", "public, s-maxage=9"]], status: 500 },
    { method: "POST" },
    { status: 302 },
    { status: 404 },
  ];
  return [
    ...cookies.map((list) => ({ cookies: list })),
    ...answers.flatMap((answer) => [
      { cookies: [], ...answer },
      { cookies: ["SRV=B"], ...answer },
      { cookies: ["SRV=A~own; x=1"], ...answer },
    ]),
  ];
}

/** What is compared. */
interface Outcome {
  readonly seenByServer: readonly string[];
  readonly server: string;
  readonly status: number;
  readonly setCookies: readonly string[];
  readonly cacheControl: readonly string[];
  readonly flags: string;
}

describe("cookies beside HAProxy 2.6", { skip: !HAS_HAPROXY }, () => {
  let directory: string;
  let haproxy: Haproxy;
  let origin: http.Server;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let serial = 0;

  before(async () => {
    directory = makeDirectory();
    origin = http.createServer(answerAsAsked);
    await new Promise<void>((resolve) => origin.listen(path.join(directory, "origin"), resolve));
    haproxy = await startHaproxy(
      directory,
      configuration(),
      MODES.map((_, i) => `mode${i}`),
    );
  });

  after(async () => {
    agent.destroy();
    await haproxy.dispose();
    await new Promise((resolve) => origin.close(resolve).closeAllConnections());
    removeDirectory(directory);
  });

  for (const [index, modeOf] of MODES.entries()) {
    test(`${modeOf.line} ${modeOf.extra?.join() ?? ""} gives the same cookies and flags`, async () => {
      for (const exchange of exchanges(Math.floor(Date.now() / 1000))) {
        const beforehand = Math.floor(Date.now() / 1000);
        const theirs = await askHaproxy(index, exchange);
        const ours = askUs(modeOf, exchange, beforehand);
        try {
          assert.deepEqual(ours, theirs, JSON.stringify(exchange));
        } catch (error) {
          // A second may have passed while HAProxy was asked.
          const afterwards = Math.floor(Date.now() / 1000);
          if (afterwards === beforehand) throw error;
          assert.deepEqual(askUs(modeOf, exchange, afterwards), theirs, JSON.stringify(exchange));
        }
      }
    });
  }

  async function askHaproxy(index: number, exchange: Exchange): Promise<Outcome> {
    const target = `/${serial++}.`;
    const headers = exchange.cookies.map((cookie) => ["cookie", cookie] as const);
    const wish = [
      "x-wish",
      JSON.stringify({ status: exchange.status ?? 200, answer: exchange.answer ?? [] }),
    ] as const;
    const response = await request(path.join(directory, `mode${index}`), {
      method: exchange.method ?? "GET",
      path: target,
      headers: [...headers, wish],
      agent,
    });
    const line = await logLine(target);
    const values = (name: string) =>
      response.rawHeaders.filter((_, i) => i % 2 === 1 && response.rawHeaders[i - 1]!.toLowerCase() === name);
    const seen = JSON.parse(values("x-seen")[0] ?? "[]");
    return {
      seenByServer: seen,
      server: line[2]!,
      status: response.status,
      setCookies: values("set-cookie"),
      cacheControl: values("cache-control"),
      flags: line[1]!.slice(2),
    };
  }

  /** The log may arrive a little after the response. */
  async function logLine(target: string): Promise<string[]> {
    for (;;) {
      const line = haproxy.output
        .join("")
        .split("\n")
        .find((text) => text.startsWith(`${target} `));
      if (line !== undefined) {
        haproxy.output.length = 0;
        return line.split(" ");
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});

/** The header x-wish says how to answer; x-seen tells what came. */
function answerAsAsked(incoming: http.IncomingMessage, outgoing: http.ServerResponse): void {
  const wish = JSON.parse(String(incoming.headers["x-wish"]));
  const cookies = incoming.rawHeaders.filter(
    (_, i) => i % 2 === 1 && incoming.rawHeaders[i - 1]!.toLowerCase() === "cookie",
  );
  outgoing.writeHead(
    wish.status,
    [["x-seen", JSON.stringify(cookies)], ["content-length", "0"], ...wish.answer].flat(),
  );
  outgoing.end();
}

function askUs(modeOf: Mode, exchange: Exchange, nowSeconds: number): Outcome {
  const backend = makeBackend(
    {
      a: { cookie: "A" },
      b: { cookie: "B" },
      c: { cookie: "C", isDown: true },
      d: { cookie: "D", isDown: true },
      e: { cookie: "D" },
      f: {},
    },
    {
      settings: { cookie: modeOf.settings },
      options: { persist: modeOf.persist ?? false, checkcache: modeOf.checkcache ?? false },
    },
  );
  const stream = makeStream(backend, {
    method: exchange.method ?? "GET",
    headers: exchange.cookies.map((cookie) => ["cookie", cookie.trim()] as const),
  });
  if (modeOf.ignore) stream.persistence = "ignore";
  if (modeOf.force) stream.persistence = "force";
  if (modeOf.useServer !== undefined) {
    stream.server = backend.serversByName.get(modeOf.useServer)!;
    stream.isPersistent = true;
  }
  const named = applyRequestCookie(stream, backend, nowSeconds);
  if (named !== null) {
    stream.server = named;
    stream.isPersistent = true;
  }
  stream.server ??= backend.servers[0]!;
  const response = new MessageHead();
  response.startResponse(exchange.status ?? 200, "OK");
  stream.status = exchange.status ?? 200;
  for (const [name, value] of exchange.answer ?? []) response.addHeader(name, value);
  stream.response = response;
  const verdict = applyResponseCookie(stream, backend, nowSeconds);
  const isDenied = verdict === "deny";
  return {
    // A denied response does not tell what the server saw.
    seenByServer: isDenied ? [] : valuesOf(stream.request!, "cookie"),
    server: stream.server.name,
    // HAProxy 2.6.12 puts the server's status on its own reply; its manual says 502.
    status: response.status,
    setCookies: isDenied ? [] : valuesOf(response, "set-cookie"),
    cacheControl: isDenied ? ["no-cache"] : valuesOf(response, "cache-control"),
    flags: stream.cookieRequest + stream.cookieResponse,
  };
}

function valuesOf(head: MessageHead, name: string): string[] {
  const values: string[] = [];
  for (let i = head.indexOf(name); i >= 0; i = head.indexOf(name, i + 1)) values.push(head.valueAt(i));
  return values;
}

function configuration(): string {
  const lines = [
    "global",
    "  nbthread 1",
    "  log stdout format raw local0",
    "defaults",
    "  mode http",
    "  log global",
  ];
  lines.push(
    "  timeout client 10s",
    "  timeout server 10s",
    "  timeout connect 10s",
    "  log-format %HP\\ %tsc\\ %s",
  );
  for (const [index, modeOf] of MODES.entries()) {
    lines.push(
      `listen mode${index}`,
      `  bind unix@DIRECTORY/mode${index}`,
      "  balance first",
      `  ${modeOf.line}`,
    );
    lines.push(...(modeOf.extra ?? []).map((line) => `  ${line}`));
    for (const [name, options] of [
      ["a", "cookie A"],
      ["b", "cookie B"],
      ["c", "cookie C disabled"],
      ["d", "cookie D disabled"],
      ["e", "cookie D"],
      ["f", ""],
    ]) {
      lines.push(`  server ${name} unix@DIRECTORY/origin ${options}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
