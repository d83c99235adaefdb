import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findCommand, requires } from "../../../test/requirements.ts";
import type { ProxyConfiguration, Proxy as ProxyModel } from "../../model/proxy.ts";
import { type ReaderEnvironment, readConfiguration } from "./reader.ts";

const environment: ReaderEnvironment = { variables: {}, readFile: () => null, hostname: "lb", cpuCount: 2 };
const DEFAULTS = "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n";

function read(text: string, given: Partial<ReaderEnvironment> = {}): ProxyConfiguration {
  const { configuration, diagnostics } = readConfiguration([{ name: "a.cfg", text }], {
    ...environment,
    ...given,
  });
  const errors = diagnostics
    .filter((one) => one.severity === "error")
    .map((one) => `${one.span.line}: ${one.message}`);
  assert.deepEqual(errors, []);
  return configuration!;
}

function codes(text: string): string[] {
  return readConfiguration([{ name: "a.cfg", text }], environment).diagnostics.map((one) => one.code);
}

function proxyOf(configuration: ProxyConfiguration, name: string): ProxyModel {
  return configuration.proxies.find((proxy) => proxy.name === name)!;
}

test("defaults are merged into the sections behind them, and named ones by `from`", () => {
  const text = `defaults first\n mode http\n timeout connect 1s\n retries 5\n option httpclose\ndefaults second from first\n retries 7\n no option httpclose\nbackend a from first\n server s 192.0.2.1:80\nbackend b\n server s 192.0.2.1:80\n retries 9\n`;
  const configuration = read(text);
  const [a, b] = [proxyOf(configuration, "a"), proxyOf(configuration, "b")];
  assert.deepEqual([a.backend!.retries, a.options.connectionMode, a.timeouts.connectMs], [5, "close", 1000]);
  assert.deepEqual([b.backend!.retries, b.options.connectionMode, b.mode], [9, "keep-alive", "http"]);
});

test("a listen section has both sides", () => {
  const { frontend, backend } = proxyOf(
    read(`${DEFAULTS}listen l\n bind :80\n server s 192.0.2.1:80\n`),
    "l",
  );
  assert.equal(frontend!.binds.length, 1);
  assert.equal(backend!.servers.length, 1);
  assert.equal(frontend!.defaultBackend, null);
});

test("a range of ports is as many listeners, and a list of addresses too", () => {
  const { frontend } = proxyOf(
    read(`${DEFAULTS}listen l\n bind 127.0.0.1:80-82,[::1]:90,/run/x.sock mode 660\n`),
    "l",
  );
  assert.deepEqual(
    frontend!.binds.map((bind) => bind.address),
    [
      { kind: "tcp", host: "127.0.0.1", port: 80 },
      { kind: "tcp", host: "127.0.0.1", port: 81 },
      { kind: "tcp", host: "127.0.0.1", port: 82 },
      { kind: "tcp", host: "::1", port: 90 },
      { kind: "unix", path: "/run/x.sock", mode: 0o660, uid: null, gid: null },
    ],
  );
  assert.deepEqual(
    frontend!.binds.map((bind) => bind.id),
    [1, 2, 3, 4, 5],
  );
});

test("default-server and server-template fill the servers", () => {
  const text = `${DEFAULTS}backend b\n default-server inter 3s fall 5 weight 7 check\n server-template w 2-4 192.0.2.1:80 cookie c\n server x 192.0.2.9:+10 no-check weight 1\n`;
  const { servers } = proxyOf(read(text), "b").backend!;
  assert.deepEqual(
    servers.map((server) => server.name),
    ["w2", "w3", "w4", "x"],
  );
  assert.deepEqual([servers[0]!.check!.interMs, servers[0]!.check!.fall, servers[0]!.weight], [3000, 5, 7]);
  assert.deepEqual([servers[3]!.check, servers[3]!.weight], [null, 1]);
  assert.deepEqual(servers[3]!.address, { kind: "tcp", host: "192.0.2.9", port: null, portOffset: 10 });
});

test("proxies, servers and binds have the numbers that HAProxy gives them", () => {
  const text = `frontend a\n bind :80-81\nbackend b\n server s 192.0.2.1:1\n server t 192.0.2.1:1 id 1\n server u 192.0.2.1:1\nbackend c\n id 2\nlisten d\n`;
  const plain = read(DEFAULTS + text);
  assert.deepEqual(
    plain.proxies.map((proxy) => proxy.id),
    [1, 3, 2, 5],
  );
  assert.deepEqual(
    plain.proxies[1]!.backend!.servers.map((server) => server.id),
    [2, 1, 4],
  );
  assert.deepEqual(
    plain.proxies[0]!.frontend!.binds.map((bind) => bind.id),
    [1, 2],
  );
  const withSocket = read(`global\n stats socket /run/x.sock\n${DEFAULTS}${text}`);
  assert.deepEqual(
    withSocket.proxies.map((proxy) => proxy.id),
    [3, 4, 2, 6],
  );
});

test("h2 is offered to clients, and taken out of the ALPN of http servers with a notice", () => {
  const server = "server s 127.0.0.1:1 ssl verify none alpn h2,http/1.1";
  const text = `${DEFAULTS}listen a\n bind :443 ssl crt x alpn h2,http/1.1\n ${server}\nfrontend b\n mode tcp\n bind :444 ssl crt x alpn h2,http/1.1\n`;
  assert.deepEqual(
    read(text).proxies.map((proxy) => proxy.frontend!.binds[0]!.tls!.alpn),
    [
      ["h2", "http/1.1"],
      ["h2", "http/1.1"],
    ],
  );
  assert.deepEqual(proxyOf(read(text), "a").backend!.servers[0]!.tls!.alpn, ["http/1.1"]);
  assert.deepEqual(codes(text), ["no-effect"]);
});

test("times have units and sizes have letters", () => {
  const text =
    "global\n tune.bufsize 32k\n hard-stop-after 2m\ndefaults\n timeout client 1h\n timeout connect 1500us\n timeout server 1d\nlisten l\n";
  const configuration = read(text);
  const { timeouts } = configuration.proxies[0]!;
  assert.deepEqual([timeouts.clientMs, timeouts.connectMs, timeouts.serverMs], [3_600_000, 2, 86_400_000]);
  assert.deepEqual(
    [configuration.global.bufferBytes, configuration.global.hardStopAfterMs],
    [32_768, 120_000],
  );
});

test("log global takes the targets of the global section, and `no log` takes them away", () => {
  const text =
    "global\n log 127.0.0.1 local3 warning\n log stdout format raw daemon\ndefaults\n mode http\n log global\nfrontend f\n bind :80\nfrontend g\n bind :81\n no log\n";
  const configuration = read(text);
  const { logs } = proxyOf(configuration, "f");
  assert.deepEqual(
    logs.map((log) => log.target.kind),
    ["udp", "stdout"],
  );
  assert.deepEqual([logs[0]!.facility, logs[0]!.maxLevel, logs[0]!.minLevel], [19, "warning", "emerg"]);
  assert.deepEqual(proxyOf(configuration, "g").logs, []);
});

test("setenv acts on the lines below it", () => {
  const { frontend } = proxyOf(
    read('global\n setenv PORT 8080\n presetenv PORT 1\nlisten l\n bind "127.0.0.1:${PORT}"\n'),
    "l",
  );
  assert.deepEqual(frontend!.binds[0]!.address, { kind: "tcp", host: "127.0.0.1", port: 8080 });
});

test("rules of 1.5 run after http-request rules and `reqadd` after them, redirects last, `block` first", () => {
  const text = `${DEFAULTS}frontend f\n bind :80\n reqadd X-A:\\ 1\n redirect location / if FALSE\n reqidel ^X-B:.*\n http-request set-path /x\n block if FALSE\n`;
  const kinds = proxyOf(read(text), "f").httpRequest.map((rule) => rule.action.kind);
  assert.deepEqual(kinds, ["deny", "set-path", "del-header", "add-header", "redirect"]);
});

test("a header of reqadd keeps its percent signs", () => {
  const [rule] = proxyOf(read(`${DEFAULTS}frontend f\n bind :80\n reqadd X-A:\\ 50%\n`), "f").httpRequest;
  assert.ok(rule!.action.kind === "add-header");
  assert.deepEqual(rule!.action.value.parts, [{ kind: "text", text: "50%" }]);
});

test("rules of 1.5 without a mode are read as http, and so is the backend behind them", () => {
  const seed =
    "frontend f\n bind :80\n reqadd X-A:\\ 1\n default_backend b\nbackend b\n cookie S insert\n server s 192.0.2.1:80\n";
  const configuration = read(seed);
  assert.deepEqual(
    configuration.proxies.map((proxy) => proxy.mode),
    ["http", "http"],
  );
  assert.equal(configuration.proxies[1]!.backend!.cookie!.name, "S");
  assert.equal(codes(seed).filter((code) => code === "missing-mode").length, 2);
});

test("http-only lines of a proxy in tcp mode are taken out of the model with a warning", () => {
  const text = "backend b\n cookie S insert\n option forwardfor\n server s 192.0.2.1:80\n";
  const proxy = read(text).proxies[0]!;
  assert.deepEqual([proxy.mode, proxy.backend!.cookie, proxy.options.forwardFor], ["tcp", null, null]);
  assert.equal(codes(text).filter((code) => code === "needs-http-mode").length, 2);
});

test("error files are read with the configuration", () => {
  const page = new TextEncoder().encode("HTTP/1.0 503 No\r\n\r\n");
  const text = `${DEFAULTS}http-errors site\n errorfile 503 /e/503.http\nfrontend f\n bind :80\n errorfiles site 503\n errorloc303 404 /lost\n`;
  const { errorReplies } = proxyOf(
    read(text, { readFile: (path) => (path === "/e/503.http" ? page : null) }),
    "f",
  );
  assert.deepEqual(
    errorReplies.map((one) => one.reply),
    [
      { status: 503, content: { kind: "raw", bytes: page }, headers: [] },
      { location: "/lost", code: 303 },
    ],
  );
});

test("several files are one configuration and diagnostics follow their order", () => {
  const files = [
    { name: "b.cfg", text: "backend x\n server a 1.2.3.x:1\n" },
    { name: "a.cfg", text: "frontend f\n bind nope\n default_backend y\n" },
  ];
  const { configuration, diagnostics } = readConfiguration(files, environment);
  assert.equal(configuration, null);
  const errors = diagnostics
    .filter((one) => one.severity === "error")
    .map((one) => `${one.span.file}:${one.span.line}`);
  assert.deepEqual(errors, ["b.cfg:2", "a.cfg:2", "a.cfg:3"]);
});

test("no text makes the reader throw", () => {
  const random = seeded(99);
  const sample =
    readFileSync(new URL("accepted/balance.cfg", import.meta.url), "utf8") +
    readFileSync(new URL("accepted/page.cfg", import.meta.url), "utf8");
  const lines = sample.split("\n");
  for (let round = 0; round < 400; round++) {
    const text = Array.from({ length: 30 }, () =>
      mutate(lines[Math.floor(random() * lines.length)]!, random),
    ).join("\n");
    const { configuration, diagnostics } = readConfiguration(
      [{ name: "fuzz", text: `listen x\n${text}` }],
      environment,
    );
    assert.equal(
      configuration === null,
      diagnostics.some((one) => one.severity === "error"),
      `seed 99, round ${round}`,
    );
  }
});

function mutate(line: string, random: () => number): string {
  const words = line.split(" ");
  const at = Math.floor(random() * (words.length + 1));
  switch (Math.floor(random() * 5)) {
    case 0:
      return words.toSpliced(at, 1).join(" ");
    case 1:
      return words.toSpliced(at, 0, '"', "if", "}").join(" ");
    case 2:
      return words.slice(0, at).join(" ");
    case 3:
      return line.replace(/[a-z]/, String.fromCharCode(Math.floor(random() * 0x500)));
    default:
      return line;
  }
}

function seeded(seed: number): () => number {
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x80000000;
  };
}

const accepted = new URL("accepted/", import.meta.url);

for (const name of readdirSync(accepted)) {
  const url = new URL(name, accepted);
  test(`the realistic file ${name} is read without an error`, () => {
    read(readFileSync(url, "utf8"));
  });

  test(`HAProxy accepts ${name} too`, { skip: requires("haproxy") }, () => {
    const { status, signal, stderr } = spawnSync(findCommand("haproxy")!, ["-c", "-f", fileURLToPath(url)], {
      encoding: "utf8",
    });
    // Its verdict is in the alerts: a run that somebody ended by a signal is none against the file.
    assert.ok(!stderr.includes("[ALERT]") && (status === 0 || signal !== null), stderr);
  });
}
