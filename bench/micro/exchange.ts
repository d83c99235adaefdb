// What the proxy's own JavaScript costs for one small keep-alive request, without kernel and engine: a whole
// ProxyCore on an engine that does nothing, with rules, cookie persistence, counters and a log line. The
// budget is 1.5 µs.
//   bin/node-26 --max-inlined-bytecode-size-cumulative=2000 [--cpu-prof] bench/micro/exchange.ts
// as workers run (server/worker-process.ts); without that budget it is a tenth dearer.
import { TimerWheel } from "../../src/base/timer-wheel.ts";
import { readConfiguration } from "../../src/language/haproxy/reader.ts";
import { buildRuntime } from "../../src/proxy/build.ts";
import { ProxyCore } from "../../src/proxy/core.ts";
import { contentReply } from "../../src/proxy/exchange/replies.ts";
import { compileLogWriter } from "../../src/proxy/log/log-line.ts";
import { LogOutput } from "../../src/proxy/log/log-target.ts";
import type { RuleEnvironment } from "../../src/proxy/rules/environment.ts";
import { PatternLists } from "../../src/proxy/rules/patterns/pattern-lists.ts";
import { assignSlots } from "../../src/proxy/slots.ts";
import { CELL, SERVER_STATE, SharedState } from "../../src/proxy/state.ts";
import type { Chunk, Connection, ConnectionHandler, Engine } from "../../src/transport/contract.ts";

const CONFIGURATION = `
defaults
  mode http
  log 127.0.0.1:514 local0
  option httplog
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend main
  bind 127.0.0.1:8080
  stats enable
  stats uri /stats-page
  http-request set-header X-Forwarded-Proto https
  default_backend application
backend application
  balance roundrobin
  option forwardfor
  cookie SERVERID insert indirect nocache
  server WEB-001 127.0.0.1:8081 cookie A
  server WEB-002 127.0.0.1:8082 cookie B
  server WEB-003 127.0.0.1:8083 cookie C
`;
const REQUEST = "GET /small HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const RESPONSE =
  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 04:00:00 GMT\r\nContent-Type: text/plain\r\n" +
  `Content-Length: 101\r\nConnection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\n${"x".repeat(101)}`;
const CONNECTIONS = 64;
const REQUESTS = 400_000;

/** One reference-counted block of memory that is used again and again. */
class PlainChunk implements Chunk {
  readonly bytes: Uint8Array;
  readonly #pool: PlainChunk[];
  #references = 0;

  constructor(pool: PlainChunk[]) {
    this.bytes = new Uint8Array(4096);
    this.#pool = pool;
  }
  retain(): void {
    this.#references++;
  }
  release(): void {
    if (--this.#references === 0) this.#pool.push(this);
  }
}

class SilentConnection implements Connection {
  readonly id = 1;
  handler!: ConnectionHandler;
  readonly remote = { family: 4, host: "127.0.0.1", port: 40000 } as const;
  readonly local = { family: 4, host: "127.0.0.1", port: 8080 } as const;
  readonly proxied = null;
  readonly tls = null;
  readonly pendingBytes = 0;
  readonly isClosed = false;
  sentBytes = 0;
  send(_chunk: Chunk, start: number, end: number): void {
    this.sentBytes += end - start;
  }
  pause(): void {}
  resume(): void {}
  expectBulk(): void {}
  shutdown(): void {}
  close(): void {}
  reset(): void {}
}

class SilentEngine implements Partial<Engine> {
  readonly name = "memory";
  nowMs = 1000;
  wallClockMs = 1.78e12;
  readonly timers = new TimerWheel(0);
  readonly servers: SilentConnection[] = [];
  readonly deferred: (() => void)[] = [];
  readonly #pool: PlainChunk[] = [];
  random(): number {
    return 0.5;
  }
  allocate(): Chunk {
    const chunk = this.#pool.pop() ?? new PlainChunk(this.#pool);
    chunk.retain();
    return chunk;
  }
  connect(_options: unknown, handler: ConnectionHandler): Connection {
    const connection = new SilentConnection();
    connection.handler = handler;
    this.servers.push(connection);
    this.deferred.push(() => handler.handleOpen(connection));
    return connection;
  }
  defer(task: () => void): void {
    this.deferred.push(task);
  }
  onTurnEnd(): void {}
  turn(): void {
    for (let task = this.deferred.shift(); task !== undefined; task = this.deferred.shift()) task();
  }
}

function main(): void {
  const engine = new SilentEngine();
  const asEngine = engine as unknown as Engine;
  const environment = { variables: {}, readFile: () => null, hostname: "bench", cpuCount: 1 };
  const { configuration, diagnostics } = readConfiguration(
    [{ name: "bench.cfg", text: CONFIGURATION }],
    environment,
  );
  if (configuration === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const state = SharedState.alone();
  const rules: RuleEnvironment = {
    configuration,
    patterns: new PatternLists(configuration.patternLists),
    hostname: "bench",
    pid: 1,
    processVariables: {},
    workerIndex: 1,
    workerCount: 1,
    clock: engine,
    variables: new Map(),
    requestCount: { value: 0 },
  };
  let logBytes = 0;
  const sink = { write: (_bytes: Uint8Array, start: number, end: number) => (logBytes += end - start) > 0 };
  const runtime = buildRuntime({
    configuration,
    state,
    slots: assignSlots(configuration, {}, 256)!,
    environment: rules,
    previous: null,
    createLog: ({ definition }) => {
      const sender = { tag: "haproxy", pid: 1, hostname: null, clock: engine };
      return compileLogWriter(
        definition,
        definition.logs.map((target) => new LogOutput(target, sender, sink)),
        rules,
      );
    },
  });
  for (const server of runtime.backends.flatMap(({ servers }) => servers)) {
    state.write(server.slot, CELL.operational, SERVER_STATE.up);
    state.write(server.slot, CELL.effectiveWeight, 16);
  }
  state.raiseEpoch();
  const core = new ProxyCore(asEngine, runtime, {
    evaluate: () => "",
    serveStatistics: () => null,
    serveMetrics: () => contentReply(200, "text/plain", new Uint8Array(0)),
    observe() {},
  });
  const acceptor = core.addAcceptor(runtime.listeners[0]!);
  const clients = Array.from({ length: CONNECTIONS }, () => {
    const connection = new SilentConnection();
    connection.handler = acceptor.accept(connection)!;
    connection.handler.handleOpen(connection);
    return connection;
  });
  for (const count of [REQUESTS, REQUESTS]) {
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) exchange(engine, clients[i % CONNECTIONS]!);
    const used = process.cpuUsage(before);
    console.log(
      `${(((used.user + used.system) * 1000) / count).toFixed(0)} ns per request, ${logBytes} bytes logged`,
    );
  }
}

function exchange(engine: SilentEngine, client: SilentConnection): void {
  engine.nowMs += 0.01;
  deliver(engine, client, REQUEST_BYTES);
  engine.turn();
  // The server that was asked last answers.
  for (const server of engine.servers) {
    if (server.sentBytes === 0) continue;
    server.sentBytes = 0;
    deliver(engine, server, RESPONSE_BYTES);
    engine.turn();
    return;
  }
}

function deliver(engine: SilentEngine, connection: SilentConnection, bytes: Uint8Array): void {
  const chunk = engine.allocate();
  chunk.bytes.set(bytes);
  connection.handler.handleData(connection, chunk, 0, bytes.length);
  chunk.release();
}

const REQUEST_BYTES = Buffer.from(REQUEST);
const RESPONSE_BYTES = Buffer.from(RESPONSE);
main();
