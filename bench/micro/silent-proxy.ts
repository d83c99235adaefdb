// A whole ProxyCore on an engine that does nothing, for measuring what the proxy's own JavaScript costs: with
// rules, cookie persistence, counters and a log line, as bench/contenders.ts configures all contenders.
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
const RESPONSE =
  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 04:00:00 GMT\r\nContent-Type: text/plain\r\n" +
  `Content-Length: 101\r\nConnection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\n${"x".repeat(101)}`;

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

export class SilentConnection implements Connection {
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

export class SilentEngine implements Partial<Engine> {
  readonly name = "memory";
  nowMs = 1000;
  wallClockMs = 1.78e12;
  readonly timers: TimerWheel = new TimerWheel(0);
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

/** What is measured, and how much it has logged. */
export interface SilentProxy {
  acceptor: ReturnType<ProxyCore["addAcceptor"]>;
  logBytes: number;
}

export function startSilentProxy(engine: SilentEngine): SilentProxy {
  const stage = { logBytes: 0 };
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
  const sink = {
    write: (_bytes: Uint8Array, start: number, end: number) => (stage.logBytes += end - start) > 0,
  };
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
  return Object.assign(stage, { acceptor });
}

export function openClient(proxy: SilentProxy): SilentConnection {
  const connection = new SilentConnection();
  connection.handler = proxy.acceptor.accept(connection)!;
  connection.handler.handleOpen(connection);
  return connection;
}

/** Each server that was asked answers, once for each request. */
export function answerAll(engine: SilentEngine): void {
  for (const server of engine.servers) {
    if (server.sentBytes === 0) continue;
    server.sentBytes = 0;
    deliver(engine, server, RESPONSE_BYTES);
  }
  engine.turn();
}

export function deliver(engine: SilentEngine, connection: SilentConnection, bytes: Uint8Array): void {
  const chunk = engine.allocate();
  chunk.bytes.set(bytes);
  connection.handler.handleData(connection, chunk, 0, bytes.length);
  chunk.release();
}

/** `serve` serves so many requests. Twice, since the first round is compiled while it runs. */
export function measure(proxy: SilentProxy, count: number, serve: (count: number) => void): void {
  for (let round = 0; round < 2; round++) {
    const before = process.cpuUsage();
    serve(count);
    const used = process.cpuUsage(before);
    console.log(
      `${(((used.user + used.system) * 1000) / count).toFixed(0)} ns per request, ${proxy.logBytes} bytes logged`,
    );
  }
}

const RESPONSE_BYTES = Buffer.from(RESPONSE);
