// The explanation of a request and the data path on the memory engine, with the requests that are also
// compared with HAProxy: the same backend and server, the same bytes for the server and for the client, the
// same flags in the log.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MemoryEngine } from "../../src/io/memory/memory-engine.ts";
import { createMemoryEngine } from "../../src/io/memory/memory-engine.ts";
import { MemoryNetwork } from "../../src/io/memory/memory-network.ts";
import { readConfiguration } from "../../src/language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../../src/model/proxy.ts";
import { ProxyCore } from "../../src/proxy/core.ts";
import { explainRequest } from "../../src/proxy/explain/explain-request.ts";
import {
  type AssumedResponse,
  OK_RESPONSE,
  type QuestionRequest,
  requestText,
  responseText,
} from "../../src/proxy/explain/question.ts";
import { HealthChecks } from "../../src/proxy/health/health-checks.ts";
import { assignSlots } from "../../src/proxy/slots.ts";
import { SharedState } from "../../src/proxy/state.ts";
import type { Stream } from "../../src/proxy/stream.ts";
import { buildGeneration } from "../../src/server/generation.ts";
import { NOTHING_CHANGED } from "../../src/server/messages.ts";
import { TableMaps } from "../../src/server/table-places.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../src/transport/contract.ts";
import { GROUPS } from "../differential/cases/groups.ts";
import type { Case } from "../differential/comparison.ts";

const PORTS: Readonly<Record<string, number>> = {
  front1: 8001,
  front2: 8002,
  front3: 8003,
  front4: 8004,
  a: 9001,
  b: 9002,
  c: 9003,
  hole: 9999,
};
const SLOT_COUNT = 512;
const ERROR_FILE = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nX-Own: yes\r\n\r\nno";

interface Outcome {
  readonly backend: string | null;
  readonly server: string | null;
  /** As the trace writes it. */
  readonly proxyHeader: string | null;
  readonly requestHead: readonly string[] | null;
  readonly responseHead: readonly string[];
  readonly status: number;
  readonly flags: string;
}

type Logged = Omit<Outcome, "proxyHeader" | "requestHead" | "responseHead">;

let compared = 0;

for (const group of GROUPS) {
  const configuration = read(group.configuration);
  describe(group.name, () => {
    for (const each of group.cases) {
      const requests = requestsOf(each);
      if (requests.length === 0) continue;
      test(`explained as served: ${each.name}`, () => {
        const port = PORTS[each.front ?? "front1"]!;
        const response = responseOf(each);
        if (response === null) return;
        for (const request of requests) {
          const served = serve(configuration, port, request, response);
          // An explanation takes servers to answer.
          if (served === null || /^[sS]C/.test(served.flags)) continue;
          assert.deepEqual(explain(configuration, port, request, response), served, requestText(request));
          compared++;
        }
      });
    }
  });
}

test("more than a hundred requests were compared", () => {
  assert.ok(compared > 100, `only ${compared}`);
});

function read(text: string): ProxyConfiguration {
  const filled = text
    .replaceAll("{directory}", "/etc/haproxy")
    .replace(/\{([a-z]+\d*)\}/g, (_whole, name: string) => `${PORTS[name] ?? PORTS["hole"]}`);
  const { configuration, diagnostics } = readConfiguration([{ name: "haproxy.cfg", text: filled }], {
    variables: {},
    readFile: () => Buffer.from(ERROR_FILE),
    hostname: "machine",
    cpuCount: 1,
  });
  assert.ok(configuration !== null, diagnostics.map(({ message }) => message).join("; "));
  return configuration;
}

/** Of clients that send one well-formed request of HTTP/1.1 in one piece. */
function requestsOf({ clients }: Case): QuestionRequest[] {
  return clients.flatMap((steps) => {
    const [text] = steps;
    if (steps.length !== 1 || typeof text !== "string") return [];
    const match = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n((?:[^\r\n]+\r\n)*)\r\n(.*)$/s.exec(text);
    if (match === null) return [];
    const headers = match[3]!
      .split("\r\n")
      .slice(0, -1)
      .map((line) => /^([^:\s]+): ?(.*)$/.exec(line));
    if (headers.some((header) => header === null)) return [];
    const pairs = headers.map((header) => [header![1]!, header![2]!] as const);
    const length = pairs.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? "0";
    if (pairs.some(([name]) => name.toLowerCase() === "transfer-encoding")) return [];
    if (Number(length) !== match[4]!.length) return [];
    return [{ method: match[1]!, target: match[2]!, headers: pairs, bodyBytes: match[4]!.length }];
  });
}

/** Null where the servers do something else than answer once. */
function responseOf({ servers }: Case): AssumedResponse | null {
  if (servers === undefined) return OK_RESPONSE;
  const [first, second] = servers;
  const text = first?.[1];
  if (second !== undefined || first?.[0] !== "read" || first.length !== 2 || typeof text !== "string")
    return null;
  const match = /^HTTP\/1\.1 (\d{3}) ([^\r\n]*)\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(text);
  if (match === null || Number(match[1]) < 200) return null;
  const headers = match[3]!
    .split("\r\n")
    .slice(0, -1)
    .map((line) => /^([^:\s]+): ?(.*)$/.exec(line));
  if (headers.some((header) => header === null)) return null;
  const pairs = headers.map((header) => [header![1]!, header![2]!] as const);
  return { status: Number(match[1]), reason: match[2]!, headers: pairs };
}

function explain(
  configuration: ProxyConfiguration,
  port: number,
  request: QuestionRequest,
  response: AssumedResponse,
): Outcome {
  const trace = explainRequest(
    configuration,
    {
      from: { family: 4, host: "198.51.100.7", port: 50_000 },
      to: { host: "127.0.0.1", port },
      tls: null,
      request,
      response,
      down: [],
    },
    { nowMs: 0, hostname: "machine", pid: 1, processVariables: {}, certificateNames: new Map() },
  );
  assert.ok(!("kind" in trace));
  const present = (lines: typeof trace.requestHead) =>
    lines?.filter(({ change }) => change !== "removed").map(({ text }) => text) ?? null;
  return {
    backend: trace.backend,
    server: trace.server?.name ?? null,
    proxyHeader: trace.server?.proxyHeader ?? null,
    requestHead: present(trace.requestHead),
    responseHead: present(trace.responseHead) ?? [],
    status: trace.log?.status ?? -1,
    flags: trace.log?.flags ?? "",
  };
}

/** Null when the proxy logged nothing: there was no HTTP exchange. */
function serve(
  configuration: ProxyConfiguration,
  port: number,
  request: QuestionRequest,
  response: AssumedResponse,
): Outcome | null {
  const network = new MemoryNetwork({ seed: 1 });
  const proxy = createMemoryEngine({ seed: 2, network, host: "127.0.0.1" });
  const others = createMemoryEngine({ seed: 3, network, host: "198.51.100.7" });
  const origins = ["a", "b", "c", "hole"].map((name) => listen(others, PORTS[name]!, response));
  let outcome: Logged | null = null;
  startProxy(configuration, proxy, (stream) => {
    outcome ??= {
      backend: stream.backend?.name ?? null,
      server: stream.server?.name ?? null,
      status: stream.status,
      flags: stream.cause + stream.phase + stream.cookieRequest + stream.cookieResponse,
    };
  });
  const client = new Recording((connection) => send(others, connection, requestText(request)));
  others.connect(
    {
      address: { kind: "tcp", host: "127.0.0.1", port },
      source: { host: "198.51.100.7", port: 50_000 },
      tls: null,
      preamble: null,
      timeoutMs: Number.POSITIVE_INFINITY,
    },
    client,
  );
  for (let i = 0; i < 5000 && outcome === null && network.step(); i++);
  network.advance(20);
  if (outcome === null) return null;
  const asked = origins.map(({ received }) => received).find((text) => text !== "") ?? null;
  return {
    ...(outcome as Logged),
    ...(asked === null ? { proxyHeader: null, requestHead: null } : openedBy(asked)),
    responseHead: headOf(client.received),
  };
}

function startProxy(
  configuration: ProxyConfiguration,
  engine: MemoryEngine,
  streamEnded: (stream: Stream) => void,
): void {
  const state = SharedState.alone(SLOT_COUNT);
  const built = buildGeneration(
    {
      configuration,
      slots: assignSlots(configuration, {}, SLOT_COUNT)!,
      tables: {},
      caches: {},
      addresses: {},
      ports: {},
      certificates: {},
      crtLists: {},
      trust: {},
      ticketKeys: new Uint8Array(80),
      issuers: [],
      signers: {},
      sessionStore: null,
      load: 1,
      live: NOTHING_CHANGED,
      wantsRequests: false,
    },
    {
      engine,
      state,
      masterPid: 1,
      tables: new TableMaps(null, 1, 2),
      workerIndex: 0,
      workerCount: 1,
      previous: null,
      number: 1,
      share: () => {},
      report: () => {},
    },
  );
  assert.ok(built.ok);
  const generation = built.value;
  for (const frontend of generation.runtime.frontends)
    frontend.log = { write: streamEnded, writeFailure: () => {} };
  new HealthChecks(engine, generation.runtime.backends, {
    spreadChecksPercent: 0,
    nodeName: "machine",
    emit: () => {},
  }).start(null);
  const core = new ProxyCore(engine, generation.runtime, {
    evaluate: (format, stream) => generation.evaluate(format, stream),
    serveStatistics: (stream) => generation.serveStatistics(stream, () => {}),
    serveMetrics: (stream) => generation.serveMetrics(stream),
    observe: () => {},
  });
  for (const runtime of generation.runtime.listeners) {
    const acceptor = core.addAcceptor(runtime);
    const { address, acceptProxy } = runtime.definition;
    engine.listen(
      { address, backlog: 10, tls: null, acceptProxy, handshakeTimeoutMs: 5000, reusePort: false },
      acceptor,
      () => {},
    );
  }
}

/** A server that answers what was assumed. */
function listen(engine: MemoryEngine, port: number, response: AssumedResponse): { received: string } {
  const seen = { received: "" };
  engine.listen(
    {
      address: { kind: "tcp", host: "127.0.0.1", port },
      backlog: 10,
      tls: null,
      acceptProxy: false,
      handshakeTimeoutMs: 5000,
      reusePort: false,
    },
    {
      accept: () => {
        let isAnswered = false;
        const recording: Recording = new Recording(
          () => {},
          (connection) => {
            seen.received = recording.received;
            const end = recording.received.indexOf("\r\n\r\n", recording.received.indexOf(" HTTP/1.1"));
            const length = Number(/^content-length: *(\d+)/im.exec(recording.received)?.[1] ?? 0);
            if (isAnswered || end < 0 || recording.received.length < end + 4 + length) return;
            isAnswered = true;
            send(engine, connection, responseText(response, recording.received.split(" ")[0]!));
          },
        );
        return recording;
      },
    },
    () => {},
  );
  return seen;
}

class Recording implements ConnectionHandler {
  received = "";
  readonly #onOpen: (connection: Connection) => void;
  readonly #onData: (connection: Connection) => void;

  constructor(onOpen: (connection: Connection) => void, onData: (connection: Connection) => void = () => {}) {
    this.#onOpen = onOpen;
    this.#onData = onData;
  }

  handleOpen(connection: Connection): void {
    this.#onOpen(connection);
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.received += Buffer.from(chunk.bytes.subarray(start, end)).toString("latin1");
    this.#onData(connection);
  }

  handleDrain(): void {}
  handleEnd(connection: Connection): void {
    connection.close();
  }
  handleClose(): void {}
}

function send(engine: MemoryEngine, connection: Connection, text: string): void {
  const chunk = engine.allocate(text.length);
  chunk.bytes.set(Buffer.from(text, "latin1"));
  connection.send(chunk, 0, text.length);
  chunk.release();
}

/** What a server got first. */
function openedBy(text: string): Pick<Outcome, "proxyHeader" | "requestHead"> {
  const first = /^PROXY [^\r]*/.exec(text)?.[0] ?? null;
  if (first !== null) return { proxyHeader: first, requestHead: headOf(text.slice(first.length + 2)) };
  if (!text.startsWith("\r\n\r\n\0\r\nQUIT\n")) return { proxyHeader: null, requestHead: headOf(text) };
  const end = 16 + Buffer.from(text, "latin1").readUInt16BE(14);
  const header = Buffer.from(text.slice(0, end), "latin1").toString("hex");
  return { proxyHeader: header, requestHead: headOf(text.slice(end)) };
}

function headOf(text: string): string[] {
  let rest = text;
  while (/^HTTP\/1\.1 1(?!01)\d\d /.test(rest)) rest = rest.slice(rest.indexOf("\r\n\r\n") + 4);
  const head = rest.slice(0, Math.max(0, rest.indexOf("\r\n\r\n")));
  return head === "" ? [] : head.split("\r\n");
}
