// Caches in a whole Sallyport: shared by its workers and kept through reloads, and beside a real HAProxy 2.6:
// the same requests are answered from the cache, with the same headers, log lines and statistics.
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { describe, test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { exchange, readAnswer, TableServer } from "./raw-exchange.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const FRESH = "Cache-Control: max-age=1000\r\n";
const MONDAY = "Mon, 01 Jan 2024 00:00:00 GMT";
const SUNDAY = "Sun, 31 Dec 2023 00:00:00 GMT";

/** Headers by path; what is not here is FRESH. */
const HEADERS: Readonly<Record<string, string>> = {
  "/shared-age": "Cache-Control: s-maxage=10, max-age=5\r\n",
  "/zero-age": "Cache-Control: s-maxage=10, max-age=0\r\n",
  "/nothing": "X: 1\r\n",
  "/tag": 'ETag: "v1"\r\n',
  "/dated": `Last-Modified: ${MONDAY}\r\n`,
  "/expires": "Expires: Wed, 01 Jan 2031 00:00:00 GMT\r\n",
  "/expired": "Expires: Wed, 01 Jan 2020 00:00:00 GMT\r\n",
  "/bad-expiry": "Expires: 0\r\n",
  "/private": "Cache-Control: private, max-age=10\r\n",
  "/no-cache": "Cache-Control: no-cache, max-age=10\r\n",
  "/no-store": "Cache-Control: no-store, max-age=10\r\n",
  "/public": "Cache-Control: public\r\n",
  "/vary": `${FRESH}Vary: Cookie\r\n`,
  "/vary-coding": `${FRESH}Vary: Accept-Encoding\r\n`,
  "/vary-both": `${FRESH}Vary: referer, accept-encoding\r\n`,
  "/vary-more": `${FRESH}Vary: referer, x-other\r\n`,
  "/old-already": "Cache-Control: max-age=10\r\nAge: 20\r\n",
  "/bad-age": `${FRESH}Age: abc\r\n`,
  "/set-cookie": `${FRESH}Set-Cookie: a=b\r\n`,
  "/no-cookies": 'Cache-Control: no-cache="set-cookie", max-age=10\r\nSet-Cookie: a=b\r\n',
  "/quoted": 'Cache-Control: max-age="10"\r\n',
  "/pragma": 'Pragma: no-cache\r\nETag: "x"\r\n',
  "/revalidate": "Cache-Control: must-revalidate, max-age=10\r\n",
  "/full": `${FRESH}ETag: "v1"\r\nLast-Modified: ${MONDAY}\r\nX-Own: 1\r\n`,
  "/weak": `${FRESH}ETag: W/"v1"\r\n`,
  "/date": `${FRESH}Date: ${MONDAY}\r\n`,
};

function answerOf(path: string, head: string, count: number): string {
  const coding = path.startsWith("/vary-")
    ? /accept-encoding: *(gzip|deflate|br|odd)/i.exec(head)?.[1]
    : undefined;
  const headers = (HEADERS[path] ?? FRESH) + (coding === undefined ? "" : `Content-Encoding: ${coding}\r\n`);
  const body =
    path === "/large" ? "large ".repeat(2000) : path === "/middle" ? "middle ".repeat(600) : `body ${count}`;
  const sized = `Content-Length: ${body.length}\r\n\r\n${head.startsWith("HEAD") ? "" : body}`;
  if (path === "/chunks")
    return `HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n`;
  if (path === "/until-close") return `HTTP/1.1 200 OK\r\n${FRESH}Connection: close\r\n\r\n${body}`;
  if (path === "/old") return `HTTP/1.0 200 OK\r\n${FRESH}${sized}`;
  const status = /^\/(\d{3})/.exec(path)?.[1];
  if (status === "204") return `HTTP/1.1 204 OK\r\n${FRESH}\r\n`;
  return `HTTP/1.1 ${head.startsWith("PUT /fails") ? 500 : (status ?? 200)} OK\r\n${headers}${sized}`;
}

const twice = (line: string, headers = ""): [string, string][] => [
  [line, headers],
  [line, headers],
];
const get = (path: string, ...headers: string[]): [string, string][] =>
  headers.map((header) => [`GET ${path} HTTP/1.1`, header === "" ? "" : `${header}\r\n`]);

/** Start lines and headers. */
const REQUESTS: readonly (readonly [string, string])[] = [
  ...Object.keys(HEADERS).flatMap((path) => twice(`GET ${path} HTTP/1.1`)),
  ...["/chunks", "/until-close", "/old", "/large", "/middle", "/404", "/301", "/203", "/204", "/206"].flatMap(
    (path) => twice(`GET ${path} HTTP/1.1`),
  ),
  ...get(
    "/asked", "", "", "Authorization: x", "Cache-Control: no-cache", "Cache-Control: no-store", "Cache-Control: max-age=0",
    "Pragma: no-cache", "Cache-Control: only-if-cached", "Range: bytes=0-1", "Cookie: a=b", "Cache-Control: max-age=100",
    "Cache-Control: max-stale", "Cache-Control: min-fresh=5", "",
  ), // biome-ignore format: a table
  ["HEAD /asked HTTP/1.1", ""],
  ["GET /asked HTTP/1.0", ""],
  ...get("/asked?x=1", "", ""),
  ...get("/ASKED", ""),
  ...get(
    "/full", 'If-None-Match: "v1"', 'If-None-Match: W/"v1"', "If-None-Match: *", 'If-None-Match: "v2"',
    'If-None-Match: "v2", "v1"', `If-Modified-Since: ${MONDAY}`, `If-Modified-Since: ${SUNDAY}`, "If-Modified-Since: foo",
    `If-None-Match: "v2"\r\nIf-Modified-Since: ${MONDAY}`, 'If-Match: "v2"', `If-Unmodified-Since: ${SUNDAY}`,
  ), // biome-ignore format: a table
  ...get("/weak", 'If-None-Match: "v1"', 'If-None-Match: W/"v1"'),
  ...get("/date", `If-Modified-Since: ${MONDAY}`, `If-Modified-Since: ${SUNDAY}`),
  ["HEAD /full HTTP/1.1", 'If-None-Match: "v1"\r\n'],
  ["POST /asked HTTP/1.1", "Content-Length: 0\r\n"],
  ...get("/asked", "", ""),
  ["OPTIONS /asked HTTP/1.1", ""],
  ...get("/asked", ""),
  ["DELETE /asked HTTP/1.1", ""],
  ...get("/asked", ""),
  ...get("/fails", "", ""),
  ["PUT /fails HTTP/1.1", "Content-Length: 0\r\n"],
  ...get("/fails", ""),
  ["HEAD /headed HTTP/1.1", ""],
  ...get("/headed", "", ""),
  ...get("/reloaded", "Cache-Control: no-cache", ""),
  ...get("/secret", "Authorization: x", ""),
  ...get(
    "/vary-coding", "", "Accept-Encoding: gzip", "Accept-Encoding: gzip", "Accept-Encoding: deflate, gzip;q=0.5",
    "Accept-Encoding: br;q=0, identity;q=0, deflate", "Accept-Encoding: odd", "Accept-Encoding: odd",
  ), // biome-ignore format: a table
];

function siteOf(socket: string, port: number, server: number, log: number, more = ""): string {
  return `
global
  stats socket ${socket} level admin
defaults
  mode http
  log 127.0.0.1:${log} local0
  option httplog
  timeout client 10s
  timeout server 10s
  timeout connect 5s
cache site
  total-max-size 2
  max-object-size 8000
  max-age 300
  process-vary on
  max-secondary-entries 4
frontend front
  bind 127.0.0.1:${port}
  http-response set-header x-front "%[res.cache_hit] %[res.cache_name]"
  http-after-response set-header x-after "%[res.cache_hit] %[status]"
  default_backend back
backend back
  ${more}
  http-request cache-use site
  http-response set-header x-before "%[res.cache_hit]"
  http-response cache-store site
  http-response set-header x-behind "%[res.cache_hit]"
  server s 127.0.0.1:${server}
`;
}

class LogReceiver {
  readonly lines: string[] = [];
  readonly #socket: Socket = createSocket("udp4");
  #waiting: () => void = () => {};

  constructor() {
    this.#socket.on("message", (bytes) => {
      this.lines.push(bytes.toString());
      this.#waiting();
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#socket.bind(0, "127.0.0.1", () => resolve(this.#socket.address().port));
    });
  }

  async next(): Promise<string> {
    while (this.lines.length === 0)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    return this.lines.shift()!;
  }

  close(): void {
    this.#socket.close();
  }
}

async function conversationOf(port: number, origin: TableServer, logs: LogReceiver): Promise<string[]> {
  const said: string[] = [];
  for (const [line, headers] of REQUESTS) {
    origin.requests.length = 0;
    const request = `${line}\r\nHost: test\r\nConnection: close\r\n${headers}\r\n`;
    const bytes = await exchange(port, request);
    const isChunked = /^transfer-encoding/im.test(bytes.toString("latin1"));
    const { head, content } = readAnswer(stripCoding(bytes));
    const logged = / (\S+\/\S+) \S+ (\d{3}) \d+ - - (\S+) .*"(.*)"/.exec(await logs.next())!;
    said.push(
      `${line} ${headers}\n${head.replace(/\nage: [0-9]\r?/i, "\nage: N")}\n${content.toString("latin1")} ${isChunked}\n` +
        `${logged.slice(1).join(" ")} asked the server: ${origin.requests.length}`,
    );
  }
  return said;
}

/** The server only says that it has encoded. */
function stripCoding(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("latin1").replace(/content-encoding:/i, "x-encoding:"), "latin1");
}

async function statisticsOf(socket: string): Promise<string[]> {
  const lines = (await askSocket(socket, "show stat")).trim().split("\n");
  const names = lines[0]!.replace("# ", "").split(",");
  const wanted = [
    "pxname",
    "svname",
    "cache_lookups",
    "cache_hits",
    "req_tot",
    "hrsp_2xx",
    "hrsp_3xx",
    "stot",
    "intercepted",
  ];
  return lines.slice(1).map((line) => wanted.map((name) => line.split(",")[names.indexOf(name)]).join(" "));
}

test("HAProxy 2.6 delivers the same responses from its cache and says the same of it", {
  skip: requires("haproxy"),
}, async () => {
  using ours = new TestDirectory();
  using theirs = new TestDirectory();
  await using origin = await TableServer.start(answerOf);
  const [ourLogs, theirLogs] = [new LogReceiver(), new LogReceiver()];
  const [ourPort, theirPort] = [await freePort(), await freePort()];
  const site = siteOf(ours.file("admin.sock"), ourPort, origin.port, await ourLogs.listen());
  await using _sallyport = await RunningSallyport.start(ours.file("x.cfg", site), { workers: 2 });
  const haproxy = await startHaproxy(
    theirs.path,
    siteOf("DIRECTORY/admin.sock", theirPort, origin.port, await theirLogs.listen()),
    ["admin.sock"],
  );
  try {
    const mine = await conversationOf(ourPort, origin, ourLogs);
    const expected = await conversationOf(theirPort, origin, theirLogs);
    assert.deepEqual(mine, expected);
    assert.ok(expected.filter((one) => one.includes("<CACHE>")).length > 30);
    assert.deepEqual(
      await statisticsOf(ours.file("admin.sock")),
      await statisticsOf(theirs.file("admin.sock")),
    );
  } finally {
    await haproxy.dispose();
    ourLogs.close();
    theirLogs.close();
  }
});

for (const engine of ENGINES) {
  describe(`a cache on the ${engine} engine`, () => {
    test("is one for all workers, lives through reloads and is told of by show cache", async () => {
      using directory = new TestDirectory();
      await using origin = await TableServer.start(answerOf);
      const port = await freePort();
      const site = siteOf(directory.file("admin.sock"), port, origin.port, 9);
      const file = directory.file("x.cfg", site);
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const request = "GET /full HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
      for (let i = 0; i < 20; i++)
        assert.equal(readAnswer(await exchange(port, request)).content.toString(), "body 1");
      await sallyport.reloadBySignal();
      assert.equal(readAnswer(await exchange(port, request)).content.toString(), "body 1");
      assert.match(
        await askSocket(directory.file("admin.sock"), "show cache"),
        /^0x\w+: site \(shctx:0x\w+, available blocks:2048\)\n0x\w+ hash:\d+ vary:0x0{16} size:\d+ \(1 blocks\), refcount:0, expire:\d+\n\n$/,
      );
      for (const pid of sallyport.workerPids) process.kill(pid, "SIGKILL");
      await sallyport.until(() => sallyport.workerPids.length === 2, "there are workers again");
      assert.equal(origin.requests.length, 1);
    });

    test("keeps what is not compressed, and compresses what it delivers", async () => {
      using directory = new TestDirectory();
      await using origin = await TableServer.start(answerOf);
      const port = await freePort();
      const site = siteOf(directory.file("admin.sock"), port, origin.port, 9, "compression algo gzip");
      await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", site), {
        engine,
        workers: 2,
      });
      const ask = async (headers: string) =>
        readAnswer(
          await exchange(port, `GET /middle HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${headers}\r\n`),
        );
      const answers = [
        await ask("Accept-Encoding: gzip\r\n"),
        await ask("Accept-Encoding: gzip\r\n"),
        await ask(""),
      ];
      assert.deepEqual(
        answers.map(({ head }) => /^content-encoding: gzip/im.test(head)),
        [true, true, false],
      );
      for (const { content } of answers) assert.equal(content.toString(), "middle ".repeat(600));
      assert.equal(origin.requests.length, 1);
    });
  });
}
