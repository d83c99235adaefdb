// Compression in a whole Sallyport, and beside a real HAProxy 2.6: the same requests get the same headers
// and, once unpacked, the same bytes; servers see the same requests, and the statistics count the same.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { exchange, readAnswer, TableServer } from "./raw-exchange.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const BODY = "a line of text that can be compressed\n".repeat(20);
const LARGE = Buffer.from(Array.from({ length: 90_000 }, (_, i) => `line ${i} of ${i * 7919}\n`).join(""));

/** What is between start line and Content-Length. */
const HEADERS: Readonly<Record<string, string>> = {
  "/plain": "Content-Type: text/plain\r\n",
  "/charset": "Content-Type: text/plain; charset=utf-8\r\n",
  "/longer": "Content-Type: text/plainer\r\n",
  "/capitals": "Content-Type: TEXT/PLAIN\r\n",
  "/html": "Content-Type: text/html\r\n",
  "/made-plain": "Content-Type: text/html\r\nX-Plain: 1\r\n",
  "/two-types": "Content-Type: text/plain\r\nContent-Type: image/png\r\n",
  "/no-type": "",
  "/multipart": "Content-Type: multipart/mixed; boundary=a\r\n",
  "/tag": 'Content-Type: text/plain\r\nETag: "abc"\r\n',
  "/weak-tag": 'Content-Type: text/plain\r\nETag: W/"abc"\r\n',
  "/bad-tag": "Content-Type: text/plain\r\nETag: abc\r\n",
  "/two-tags": 'Content-Type: text/plain\r\nETag: "a"\r\nETag: "a"\r\n',
  "/vary": "Content-Type: text/plain\r\nVary: Cookie\r\n",
  "/vary-too": "Content-Type: text/plain\r\nVary: accept-encoding\r\n",
  "/encoded": "Content-Type: text/plain\r\nContent-Encoding: identity\r\n",
  "/no-transform": "Content-Type: text/plain\r\nCache-Control: max-age=3, No-Transform\r\n",
  "/ranges": "Content-Type: text/plain\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\n",
};

function answerOf(path: string, head: string): Buffer | string {
  const type = "Content-Type: text/plain\r\n";
  const sized = `Content-Length: ${BODY.length}\r\n\r\n${head.startsWith("HEAD") ? "" : BODY}`;
  const size = BODY.length.toString(16);
  switch (path) {
    case "/old":
      return `HTTP/1.0 200 OK\r\n${type}${sized}`;
    case "/empty":
      return `HTTP/1.1 200 OK\r\n${type}Content-Length: 0\r\n\r\n`;
    case "/until-close":
      return `HTTP/1.1 200 OK\r\n${type}Connection: close\r\n\r\n${BODY}`;
    case "/chunks":
      return `HTTP/1.1 200 OK\r\n${type}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${BODY}\r\n${size}\r\n${BODY}\r\n0\r\n\r\n`;
    case "/no-chunks":
      return `HTTP/1.1 200 OK\r\n${type}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    case "/large":
      return Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\n${type}Content-Length: ${LARGE.length}\r\n\r\n`),
        LARGE,
      ]);
  }
  const status = /^\/(\d{3})$/.exec(path)?.[1];
  if (status === "204" || status === "304") return `HTTP/1.1 ${status} OK\r\n\r\n`;
  return `HTTP/1.1 ${status ?? 200} OK\r\n${HEADERS[path] ?? type}${sized}`;
}

const CODINGS = [
  "", "gzip", "GZIP", "*", "*;q=0", "deflate", "gzip, deflate", "deflate, gzip", "deflate;q=1, gzip;q=0.5", "gzip;q=0",
  "x-gzip", "identity", "gzip;q=0, *", "br, gzip;q=0.2, deflate;q=0.2", "gzip;q=abc", "gzip ; q = 0.5, deflate;q=0.6",
]; // biome-ignore format: a table
const AGENTS = [
  "Mozilla/4.0",
  "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
  "Mozilla/4.0 (compatible; MSIE 6.0)",
  "Mozilla/4.0 (compatible; MSIE 7.0)",
  "Mozilla/4.0 (compatible; MSIE 10.0)",
  "Mozilla/5.0",
];
const GZIP = "Accept-Encoding: gzip\r\n";

/** Frontend, start line and headers of each request. */
const REQUESTS: readonly (readonly [frontend: number, line: string, headers: string])[] = [
  ...Object.keys(HEADERS).map((path) => [0, `GET ${path} HTTP/1.1`, GZIP] as const),
  ...[200, 201, 202, 203, 206, 204, 304, 404, 500].map((one) => [0, `GET /${one} HTTP/1.1`, GZIP] as const),
  ...["old", "empty", "until-close", "chunks", "no-chunks", "large"].map(
    (path) => [0, `GET /${path} HTTP/1.1`, GZIP] as const,
  ),
  ...CODINGS.map((value) => [0, "GET / HTTP/1.1", `Accept-Encoding: ${value}\r\n`] as const),
  ...AGENTS.map((agent) => [0, "GET / HTTP/1.1", `${GZIP}User-Agent: ${agent}\r\n`] as const),
  [0, "GET / HTTP/1.1", ""],
  [0, "GET / HTTP/1.0", GZIP],
  [0, "HEAD / HTTP/1.1", GZIP],
  [0, "GET /own HTTP/1.1", GZIP],
  [0, "GET /deleted HTTP/1.1", GZIP],
  [0, "GET / HTTP/1.1", `Accept-Encoding: br\r\nX: 1\r\n${GZIP}`],
  ...["gzip", "deflate", "br", ""].flatMap((value) =>
    [1, 2, 3].map((one) => [one, "GET / HTTP/1.1", `Accept-Encoding: ${value}\r\n`] as const),
  ),
  [2, "HEAD / HTTP/1.1", ""],
  [3, "GET /html HTTP/1.1", GZIP],
  [3, "GET /no-type HTTP/1.1", GZIP],
];

function siteOf(socket: string, ports: readonly number[], server: number): string {
  return `
global
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend front
  bind 127.0.0.1:${ports[0]}
  http-request return status 200 content-type text/plain string "${"our own ".repeat(20)}" if { path /own }
  http-request del-header accept-encoding if { path /deleted }
  http-after-response set-header x-after "%[res.comp] %[res.comp_algo]"
  default_backend back
backend back
  compression algo gzip deflate
  compression type text/plain
  http-response set-header content-type text/plain if { res.hdr(x-plain) -m found }
  http-response set-header x-compressed "%[res.comp] %[res.comp_algo]"
  server s 127.0.0.1:${server}
frontend offload
  bind 127.0.0.1:${ports[1]}
  compression algo gzip
  compression offload
  default_backend other
frontend identity
  bind 127.0.0.1:${ports[2]}
  compression algo deflate identity
  compression offload
  default_backend other
listen both
  bind 127.0.0.1:${ports[3]}
  compression algo raw-deflate gzip
  server s 127.0.0.1:${server}
backend other
  server s 127.0.0.1:${server}
`;
}

async function conversationOf(ports: readonly number[], origin: TableServer): Promise<string[]> {
  const said: string[] = [];
  for (const [frontend, line, headers] of REQUESTS) {
    origin.requests.length = 0;
    const bytes = await exchange(
      ports[frontend]!,
      `${line}\r\nHost: test\r\nConnection: close\r\n${headers}\r\n`,
    );
    const { head, content } = readAnswer(bytes);
    const text = content.equals(LARGE) ? "LARGE" : content.toString("latin1");
    said.push(`${frontend} ${line} ${headers}\n${head}\n${text}\nserver: ${origin.requests.join()}`);
  }
  return said;
}

async function statisticsOf(socket: string): Promise<string[]> {
  const lines = (await askSocket(socket, "show stat")).trim().split("\n");
  const names = lines[0]!.replace("# ", "").split(",");
  return lines.slice(1).map((line) => {
    const values = line.split(",");
    const field = (name: string) => values[names.indexOf(name)];
    return `${field("pxname")} ${field("svname")} in ${field("comp_in")} past ${field("comp_byp")} responses ${field("comp_rsp")}`;
  });
}

test("HAProxy 2.6 compresses the same responses and says the same of them", {
  skip: requires("haproxy"),
}, async () => {
  using ours = new TestDirectory();
  using theirs = new TestDirectory();
  await using origin = await TableServer.start(answerOf);
  const ourPorts = [await freePort(), await freePort(), await freePort(), await freePort()];
  const theirPorts = [await freePort(), await freePort(), await freePort(), await freePort()];
  const file = ours.file("x.cfg", siteOf(ours.file("admin.sock"), ourPorts, origin.port));
  await using _sallyport = await RunningSallyport.start(file, { workers: 2 });
  const configuration = siteOf("DIRECTORY/admin.sock", theirPorts, origin.port);
  const haproxy = await startHaproxy(theirs.path, configuration, ["admin.sock"]);
  try {
    const mine = await conversationOf(ourPorts, origin);
    const expected = await conversationOf(theirPorts, origin);
    assert.deepEqual(mine, expected);
    assert.ok(expected.filter((one) => /^content-encoding: (gzip|deflate)/m.test(one)).length > 30);
    // HAProxy also counts what frames the body in its own memory: a few bytes for each response.
    const counted = (lines: readonly string[]) =>
      lines.map((line) =>
        line.replace(/in (\d+)/, (_, bytes: string) => `in about ${Math.round(Number(bytes) / 1000)}k`),
      );
    assert.deepEqual(
      counted(await statisticsOf(ours.file("admin.sock"))),
      counted(await statisticsOf(theirs.file("admin.sock"))),
    );
  } finally {
    await haproxy.dispose();
  }
});

for (const engine of ENGINES) {
  describe(`compression on the ${engine} engine`, () => {
    test("gives slow and many clients the whole body", async () => {
      using directory = new TestDirectory();
      await using origin = await TableServer.start(answerOf);
      const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
      const file = directory.file("x.cfg", siteOf(directory.file("admin.sock"), ports, origin.port));
      await using _sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const request = `GET /large HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${GZIP}\r\n`;
      const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(ports[0]!, request)));
      for (const bytes of answers) {
        assert.ok(bytes.length < LARGE.length / 2, `${bytes.length}`);
        assert.ok(readAnswer(bytes).content.equals(LARGE));
      }
    });

    test("lets responses pass once more than maxcomprate has been compressed in a second", async () => {
      using directory = new TestDirectory();
      await using origin = await TableServer.start(answerOf);
      const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
      const site = siteOf(directory.file("admin.sock"), ports, origin.port);
      const file = directory.file("x.cfg", site.replace("global\n", "global\n  maxcomprate 1\n"));
      await using _sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
      const request = (path: string) =>
        exchange(ports[0]!, `GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${GZIP}\r\n`);
      // The first is compressed, and on a machine that is held up more of them: what counts is one second.
      let compressedCount = 0;
      for (; compressedCount < 50; compressedCount++) {
        const { head, content } = readAnswer(await request("/large"));
        assert.ok(content.equals(LARGE));
        if (!/content-encoding: gzip/.test(head)) break;
      }
      assert.ok(compressedCount > 0 && compressedCount < 50, `${compressedCount}`);
      const [front] = await statisticsOf(directory.file("admin.sock"));
      const compressedBytes = compressedCount * LARGE.length;
      assert.equal(
        front,
        `front FRONTEND in ${compressedBytes} past ${LARGE.length} responses ${compressedCount}`,
      );
      assert.match(await askSocket(directory.file("admin.sock"), "show info"), /CompressBpsRateLim: 1024\n/);
    });
  });
}
