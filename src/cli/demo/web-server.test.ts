import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { DemoWebServer } from "./web-server.ts";

const server = new DemoWebServer("WEB-001", "A", "#123456");
before(() => server.open());
after(() => server.close());

const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;

test("curl gets text and a browser a page, both with what reached the server", async () => {
  const text = await (await fetch(url("/x/../"), { headers: { cookie: "a=1", "x-own": "yes" } })).text();
  assert.match(
    text,
    /^WEB-001 answers, request 1 here\.\nCookies that reached it: a=1; SERVERID=A leads here/,
  );
  assert.match(text, /^ {2}x-own: +yes$/m);
  const page = await fetch(url("/"), { headers: { accept: "text/html,*/*" } });
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(
    await page.text(),
    /<h1>WEB-001<\/h1>[\s\S]*request 2 here|<h1>WEB-001<\/h1>[\s\S]*Request 2 here/,
  );
});

test("what a client sends cannot become part of the page", async () => {
  const page = await fetch(url("/"), {
    headers: { accept: "text/html", cookie: `"><script>alert(1)</script>` },
  });
  const text = await page.text();
  assert.ok(text.includes("&quot;&gt;&lt;script&gt;alert(1)") && !text.includes("<script>alert"));
});

test("a big answer is as long as it says", async () => {
  const answer = await fetch(url("/big"));
  assert.equal((await answer.arrayBuffer()).byteLength, 10 * 1024 * 1024);
  assert.equal(answer.headers.get("content-length"), String(10 * 1024 * 1024));
});

test("events keep coming until the reader leaves", async () => {
  const leaving = new AbortController();
  const answer = await fetch(url("/events"), { signal: leaving.signal });
  const reader = answer.body!.getReader();
  assert.equal(Buffer.from((await reader.read()).value!).toString(), "data: WEB-001 1\n\n");
  leaving.abort();
});

test("a WebSocket gets back what it says, short and long", async () => {
  const socket = new WebSocket(url("/echo").replace("http", "ws"));
  await once(socket, "open");
  for (const text of ["hello", "x".repeat(1000)]) {
    const answer = once(socket, "message");
    socket.send(text);
    const [event] = (await answer) as [MessageEvent];
    assert.equal(event.data, `WEB-001: ${text}`);
  }
  socket.close();
  await once(socket, "close");
});

test("an upgrade that is no WebSocket is refused", async () => {
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n");
  const [bytes] = (await once(socket, "data")) as [Buffer];
  assert.match(bytes.toString(), /^HTTP\/1\.1 400 /);
  socket.destroy();
});

test("it stops only for a POST and a sensible time, and comes back on its port", async () => {
  const { port } = server;
  assert.equal((await fetch(url("/stop"))).status, 405);
  assert.equal((await fetch(url("/stop?seconds=0"), { method: "POST" })).status, 400);
  const answer = await fetch(url("/stop?seconds=1"), { method: "POST" });
  assert.equal(await answer.text(), "WEB-001 is out for 1 s\n");
  await until(async () => !(await isUp()));
  await until(isUp);
  assert.equal(server.port, port);
});

async function isUp(): Promise<boolean> {
  return fetch(url("/")).then(
    async (answer) => (await answer.text()) !== "",
    () => false,
  );
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a request target that is no URL is not found, and the server goes on", async () => {
  const socket = connect(server.port, "127.0.0.1");
  socket.end("GET // HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const bytes of socket) answer += bytes;
  assert.match(answer, /^HTTP\/1\.1 404 /);
  assert.equal((await fetch(url("/"))).status, 200);
});
