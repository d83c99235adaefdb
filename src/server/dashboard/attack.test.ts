// What somebody would try who writes to the socket himself: bodies without end, heads that make no sense,
// readers that never read.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setPassword } from "../console/users.ts";
import { ENDED, startDashboard } from "./dashboard.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-attack-"));
const usersFile = join(folder, "users");

before(() => setPassword(usersFile, "anna", "correct horse", "admin"));
after(() => rmSync(folder, { recursive: true }));

async function openSocket(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

/** All that comes until the other side ends. */
async function answerTo(port: number, text: string): Promise<string> {
  const socket = await openSocket(port, text);
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
  });
  await once(socket, "close");
  return answer;
}

const LOGIN = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

test("a stranger's body without end is answered as soon as it is too long, and not waited for", async (t) => {
  const { port, ask } = await startDashboard(t, { usersFile });
  const announced = await answerTo(port, `${LOGIN}content-length: 1000000000\r\n\r\n{`);
  assert.match(announced, /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const chunked = await answerTo(port, `${LOGIN}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`);
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  assert.equal((await ask("/api/v1/session")).status, 200);
});

test("a body that stops in the middle is no answer and no fault", async (t) => {
  const { port, ask, reports } = await startDashboard(t, { usersFile });
  const socket = await openSocket(port, `${LOGIN}content-length: 100\r\n\r\n{"user":`);
  socket.end();
  await once(socket.resume(), "close");
  assert.equal((await ask("/api/v1/session")).status, 200);
  assert.deepEqual(reports, []);
});

test("what is no request, or hides another one, ends the connection and tells nothing", async (t) => {
  const { port, reports } = await startDashboard(t);
  const get = "GET /api/v1/overview HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
  for (const text of [
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "GET / HTTP/9.9\r\n\r\n",
    `${get}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${get}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`,
    `${get}x: ${"y".repeat(20_000)}\r\n\r\n`,
    `${get}na me: x\r\n\r\n`,
  ]) {
    const answer = await answerTo(port, text);
    assert.doesNotMatch(answer, /HTTP\/1\.1 200/, JSON.stringify(text.slice(0, 120)));
  }
  // Without a Host, with two, or with that of another in the request line it is not for us.
  for (const text of [
    "GET /api/v1/overview HTTP/1.0\r\n\r\n",
    "GET /api/v1/overview HTTP/1.1\r\nhost: evil.example\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    "GET http://evil.example/api/v1/overview HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
  ])
    assert.match(await answerTo(port, text), /^HTTP\/1\.1 (?:421|400) /, JSON.stringify(text));
  assert.deepEqual(reports, []);
});

test("paths lead to nothing but the pages, however they are written", async (t) => {
  const { port } = await startDashboard(t);
  for (const path of [
    "/../haproxy.cfg",
    "/assets/../../haproxy.cfg",
    "/..%2fhaproxy.cfg",
    "/%2e%2e/haproxy.cfg",
    "/..\\haproxy.cfg",
    "/haproxy.cfg%00.html",
    "/haproxy.cfg",
    "//etc/passwd",
    "/api/v1/../../haproxy.cfg",
    "/api/v1/requests/..%2f..%2faudit",
    "/api/v1/servers/%00/%0a/actions",
    "file:///etc/passwd",
  ]) {
    const head = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
    const answer = await answerTo(port, head);
    assert.doesNotMatch(answer, /hunter2|root:|frontend web/, path);
    assert.match(answer, /^HTTP\/1\.1 (?:404|405|400|200) /, path);
    assert.doesNotMatch(answer, /^location:/im, path);
  }
});

test("readers that never read get what fits, others get everything, and all are ended with the rest", async (t) => {
  const { port, dashboard } = await startDashboard(t);
  const head = "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const deaf = await Promise.all(Array.from({ length: 20 }, () => openSocket(port, head)));
  for (const socket of deaf) {
    await once(socket, "readable");
    socket.pause();
  }
  const reader = await openSocket(port, head);
  let ids = 0;
  reader.on("data", (bytes) => {
    ids += bytes.toString("latin1").split("event: overview").length - 1;
  });
  const target = `/${"x".repeat(1000)}`;
  const many = Array.from({ length: 50 }, () => ({ ...ENDED, http: { ...ENDED.http!, target } }));
  for (let round = 0; round < 200; round++) {
    dashboard.handleRequests(many, many.length);
    dashboard.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (ids < 200) await once(reader, "data");
  await dashboard.close();
  for (const socket of [...deaf, reader]) {
    socket.resume();
    if (!socket.closed) await once(socket, "close");
  }
});
