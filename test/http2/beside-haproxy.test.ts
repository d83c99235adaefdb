// HTTP/2 beside a real HAProxy: the same frames go to both, and what comes back, what is logged and what the
// statistics say must be the same.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { ERROR, FLAG, FRAME } from "../../src/protocol/http2/frames.ts";
import { type Subject, startSubject } from "../differential/subject.ts";
import { freePort } from "../free-port.ts";
import { askSocket, ENGINES } from "../processes/running-sallyport.ts";
import { requires } from "../requirements.ts";
import { frame, GET, RawClient, uint32 } from "./raw-client.ts";

const configuration = (port: number): string => `
global
  log 127.0.0.1:{log} local0
  stats socket {directory}/stats level admin
  h1-case-adjust x-mixed-case X-Mixed-Case
defaults
  mode http
  log global
  log-format "%ft %b/%s %ST %tsc %rc %{+Q}r"
  timeout connect 2s
  timeout client 8s
  timeout server 8s
  retries 2
frontend web
  bind 127.0.0.1:{front1}
  http-request deny if { path /denied }
  http-request return status 200 content-type text/plain string own if { path /own }
  use_backend compressed if { path_beg /compressed }
  use_backend cached if { path_beg /cached }
  use_backend dead if { path /dead }
  use_backend redispatched if { path_beg /redispatched }
  use_backend queued if { path_beg /queued }
  default_backend app
frontend short
  bind 127.0.0.1:{front2}
  timeout client 400ms
  timeout http-request 400ms
  timeout http-keep-alive 400ms
  default_backend app
frontend switched
  mode tcp
  bind 127.0.0.1:{front3}
  log-format "%ft %b/%s %ts"
  tcp-request inspect-delay 5s
  tcp-request content switch-mode http proto h2
  default_backend app
frontend closing
  bind 127.0.0.1:{front4}
  option http-server-close
  option h1-case-adjust-bogus-client
  default_backend app
frontend counted
  bind 127.0.0.1:{front5}
  default_backend app
frontend impatient
  bind 127.0.0.1:{front6}
  default_backend impatient
cache store
  total-max-size 1
  max-age 60
backend app
  server a 127.0.0.1:${port}
backend compressed
  compression algo gzip
  compression type text/plain
  server a 127.0.0.1:${port}
backend cached
  http-request cache-use store
  http-response cache-store store
  server a 127.0.0.1:${port}
backend dead
  server a 127.0.0.1:{dead}
backend redispatched
  option redispatch 1
  balance first
  server a 127.0.0.1:{dead}
  server b 127.0.0.1:${port}
backend queued
  server a 127.0.0.1:${port} maxconn 1
backend impatient
  timeout server 400ms
  server a 127.0.0.1:${port}
`;

/** Answers by path; a CONNECT gets its bytes back. */
function serve(socket: Socket): void {
  let text = "";
  socket.on("error", () => undefined);
  const receive = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = text.slice(0, end);
    const [method, path = ""] = head.split(" ");
    if (method === "CONNECT") {
      socket.off("data", receive);
      socket.write(`HTTP/1.1 200 OK\r\n\r\n${text.slice(end + 4)}`);
      socket.on("data", (more: Buffer) => socket.write(more));
      socket.on("end", () => socket.end("bye"));
      return;
    }
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const isWhole = /chunked/i.test(head) ? text.includes("\r\n0\r\n") : text.length >= end + 4 + length;
    if (path.startsWith("/silent") || !isWhole) return;
    text = "";
    socket.write(answerTo(path));
    if (path === "/cut") socket.end();
  };
  socket.on("data", receive);
}

function answerTo(path: string): string {
  if (path.endsWith("trailers"))
    return "HTTP/1.1 200 OK\r\nX-Mixed-Case: Yes\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\ndata\r\n0\r\nX-Sum: 5\r\n\r\n";
  if (path.endsWith("cut")) return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nabc";
  return "HTTP/1.1 200 OK\r\nX-Mixed-Case: Yes\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
}

const get = (path: string, ...more: string[]): string[] => [...GET.slice(0, 6), ":path", path, ...more];

/** All that was said on a stream. */
async function heard(client: RawClient, streamId: number): Promise<object> {
  const outcome = await client.outcome(streamId);
  const blocks = client.frames.filter((each) => each.type === FRAME.headers && each.streamId === streamId);
  return { outcome, heads: blocks.map(({ fields }) => fields.toSorted()), body: client.body(streamId) };
}

interface Case {
  readonly name: string;
  readonly front: string;
  /** How many lines are logged. */
  readonly logs: number;
  ask(client: RawClient, subject: Subject): Promise<unknown>;
}

const CASES: readonly Case[] = [
  {
    name: "heads, bodies and errors come as they do there, and names in lower case",
    front: "front1",
    logs: 5,
    async ask(client) {
      const paths = ["/", "/denied", "/own", "/dead", "/nothing"];
      const answers: unknown[] = [];
      for (const [i, path] of paths.entries()) {
        client.request(2 * i + 1, get(path));
        answers.push(await heard(client, 2 * i + 1));
      }
      return answers;
    },
  },
  {
    name: "trailers go through, behind compression and from the cache as well as plain",
    front: "front1",
    logs: 4,
    async ask(client) {
      const paths = ["/trailers", "/compressed/trailers", "/cached/trailers", "/cached/trailers"];
      const answers: unknown[] = [];
      for (const [i, path] of paths.entries()) {
        client.request(2 * i + 1, get(path, "accept-encoding", "gzip"));
        const { heads, outcome } = (await heard(client, 2 * i + 1)) as { heads: string[][]; outcome: string };
        answers.push([outcome, heads.map((lines) => lines.filter((line) => !/^(age|date):/.test(line)))]);
      }
      return answers;
    },
  },
  {
    name: "a request that its server refuses goes to another one",
    front: "front1",
    logs: 1,
    async ask(client) {
      client.request(1, get("/redispatched"));
      return heard(client, 1);
    },
  },
  {
    name: "streams queue for a server that takes one at a time",
    front: "front1",
    logs: 6,
    async ask(client) {
      const ids = [1, 3, 5, 7, 9, 11];
      for (const id of ids) client.request(id, get(`/queued/${id}`));
      const outcomes: unknown[] = [];
      for (const id of ids) outcomes.push(await heard(client, id));
      return outcomes;
    },
  },
  {
    // Ours is reset, HAProxy's ends as if it were whole.
    name: "a response that is cut ends its stream, and no other",
    front: "front1",
    logs: 2,
    async ask(client) {
      client.request(1, get("/cut"));
      const { outcome, body } = (await heard(client, 1)) as { outcome: unknown; body: string };
      client.request(3, get("/own"));
      return [outcome === undefined, body, await heard(client, 3)];
    },
  },
  {
    name: "CONNECT opens a tunnel, which ends in both directions",
    front: "front1",
    logs: 1,
    async ask(client) {
      client.request(1, [":method", "CONNECT", ":authority", "a.example:443"], 0);
      await client.find(({ type, streamId }) => type === FRAME.headers && streamId === 1);
      client.send(frame(FRAME.data, 0, 1, Buffer.from("ping")));
      await client.find(() => client.body(1) === "ping");
      client.send(frame(FRAME.data, FLAG.endStream, 1, Buffer.from("pong")));
      return heard(client, 1);
    },
  },
  {
    name: "a connection of tcp mode that switches to h2 is one",
    front: "front3",
    logs: 2,
    async ask(client) {
      client.request(1, get("/"));
      const first = await heard(client, 1);
      client.request(3, get("/own"));
      return [first, await heard(client, 3)];
    },
  },
  {
    name: "a server's connection that is closed after each response leaves the client's open, and names in lower case",
    front: "front4",
    logs: 2,
    async ask(client) {
      client.request(1, get("/"));
      const first = await heard(client, 1);
      client.request(3, get("/"));
      return [first, await heard(client, 3)];
    },
  },
  {
    name: "a server that says nothing in time is a 504",
    front: "front6",
    logs: 1,
    async ask(client) {
      client.request(1, get("/silent"));
      return heard(client, 1);
    },
  },
  {
    name: "an idle connection ends with GOAWAY, before a request and behind one",
    front: "front2",
    logs: 1,
    async ask(client, subject) {
      client.request(1, get("/"));
      const answer = await heard(client, 1);
      await using silent = await RawClient.open(subject.portOf("front2"));
      return [answer, await client.end(), await silent.end()];
    },
  },
];

/** Those that a client's frames alone decide. */
const COLUMNS = [
  "h2_headers_rcvd",
  "h2_rst_stream_rcvd",
  "h2_goaway_rcvd",
  "h2_detected_strm_protocol_errors",
  "h2_rst_stream_resp",
  "h2_goaway_resp",
  "h2_open_connections",
  "h2_backend_open_streams",
  "h2_total_connections",
  "h2_backend_total_streams",
];

async function statisticsOf(subject: Subject): Promise<Record<string, string | undefined>> {
  const text = await askSocket(`${subject.directory}/stats`, "show stat");
  const [names, ...rows] = text.split("\n").map((line) => line.split(","));
  const row = rows.find(([proxy, side]) => proxy === "counted" && side === "FRONTEND")!;
  return Object.fromEntries(COLUMNS.map((name) => [name, row[names!.indexOf(name)]]));
}

describe("beside HAProxy", { skip: requires("haproxy"), timeout: 90_000 }, () => {
  let server: Server;
  const subjects: Subject[] = [];

  before(async () => {
    server = createServer({ allowHalfOpen: true }, serve);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const hole = await freePort();
    for (const name of ["haproxy", ...ENGINES] as const)
      subjects.push(await startSubject(name, configuration(port), hole));
  });

  after(async () => {
    for (const subject of subjects) await subject.stop();
    server.close();
  });

  for (const { name, front, logs, ask } of CASES)
    test(name, async () => {
      const seen: unknown[] = [];
      for (const subject of subjects) {
        await using client = await RawClient.open(subject.portOf(front));
        const answers = await ask(client, subject);
        while (subject.logCount < logs) await new Promise((resolve) => setTimeout(resolve, 5));
        const lines = subject.takeLogs().map((line) => subject.normalise(line).replace(/^.*?\]: /, ""));
        seen.push(JSON.parse(JSON.stringify({ answers, lines })));
      }
      for (const each of seen.slice(1)) assert.deepEqual(each, seen[0]);
    });

  test("the statistics say the same of the same frames", async () => {
    const seen: unknown[] = [];
    for (const subject of subjects) {
      const idle = await RawClient.open(subject.portOf("front5"));
      await idle.find(({ type }) => type === FRAME.settings);
      const client = await RawClient.open(subject.portOf("front5"));
      client.request(1, get("/"));
      await client.outcome(1);
      client.request(3, get("/silent"));
      client.send(frame(FRAME.rstStream, 0, 3, uint32(ERROR.cancel)));
      client.request(5, get("/", "connection", "close"));
      await client.outcome(5);
      client.request(7, get("/silent"));
      client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
      await client.find(({ type }) => type === FRAME.ping);
      const open = await statisticsOf(subject);
      client.send(
        frame(FRAME.rstStream, 0, 7, uint32(ERROR.cancel)),
        frame(FRAME.goaway, 0, 0, uint32(0, 0)),
      );
      await client[Symbol.asyncDispose]();
      await idle[Symbol.asyncDispose]();
      let closed = await statisticsOf(subject);
      while (closed["h2_open_connections"] !== "0") closed = await statisticsOf(subject);
      seen.push({ open, closed });
    }
    for (const each of seen.slice(1)) assert.deepEqual(each, seen[0]);
  });
});
