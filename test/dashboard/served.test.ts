// The dashboard of a Sallyport that serves: figures, requests and visitors of real traffic, a server that
// drains, events as they come, and the end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { World } from "../../src/cli/program.fixture.ts";
import type {
  History,
  Overview,
  RequestDetails,
  RequestsAnswer,
  ServerActionAnswer,
  ServersAnswer,
  SessionAnswer,
} from "../../src/model/dashboard-api.ts";
import { makeSelfSigned } from "../../src/server/certificates/self-signed.ts";
import { freePort } from "../free-port.ts";

const world = new World();
after(() => world.close());

async function startOrigin(): Promise<number> {
  const origin = createServer((_question, answer) => answer.end("hello\n")).listen(0, "127.0.0.1");
  await once(origin, "listening");
  after(() => origin.close());
  return (origin.address() as AddressInfo).port;
}

async function ask<T>(url: string, headers: Record<string, string> = {}, body?: unknown): Promise<T> {
  const asked = request(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    agent: false,
  });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response) text += String(part);
  assert.equal(response.statusCode, 200, text);
  return (text.startsWith("{") ? JSON.parse(text) : text) as T;
}

/** Resolves once the reader is admitted. */
async function openEvents(url: string): Promise<IncomingMessage> {
  const asked = request(url, { agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
}

/** What comes until it is enough, or to the end. */
async function readEvents(response: IncomingMessage, isEnough: (text: string) => boolean): Promise<string> {
  let text = "";
  for await (const part of response) {
    text += String(part);
    if (isEnough(text)) break;
  }
  return text;
}

/** Asks again until it is so. */
async function until<T>(read: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isSo(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("real traffic is seen, a server is drained by hand, and the end is told", async () => {
  const [first, second, port] = [await startOrigin(), await startOrigin(), await freePort()];
  writeFileSync(
    world.path("haproxy.cfg"),
    `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  cookie SERVERID insert indirect nocache
  server a 127.0.0.1:${first} cookie A
  server b 127.0.0.1:${second} cookie B
`,
  );
  const program = world.start([
    "run",
    "--workers",
    "2",
    "--dashboard",
    "localhost:0",
    world.path("haproxy.cfg"),
  ]);
  const [, origin = ""] = await program.saw(/dashboard: (http:\S+)\//);
  const api = `${origin}/api/v1`;
  const reader = await openEvents(`${api}/events?topics=requests&server=b`);
  const events = readEvents(reader, (text) => /"server":"b"/.test(text));
  for (let i = 0; i < 20; i++)
    await ask(`http://127.0.0.1:${port}/page?${i}`, { cookie: "SERVERID=B; session=secret" });
  assert.match(await events, /event: requests\nid: \w+-\d+\ndata: \{"requests":\[\{/);

  const { requests, kept } = await until(
    () => ask<RequestsAnswer>(`${api}/requests?path=/page`),
    (answer) => answer.requests.length === 20,
  );
  assert.equal(kept.countMax, 10_000);
  assert.equal(requests[0]!.persistence, "stays by its cookie");
  const details = await ask<RequestDetails>(`${api}/requests/${requests[0]!.id}`);
  assert.deepEqual(
    details.headers.find(([name]) => name === "cookie"),
    ["cookie", "SERVERID=B; session=…"],
  );
  assert.equal(details.explanation.kind === "trace" && details.explanation.trace.server?.name, "b");

  const history = await until(
    () => ask<History>(`${api}/history?seconds=60&proxy=backend/app`),
    // How many in a second depends on how long its second was on a busy machine.
    ({ columns }) => columns.requestsPerSecond.some((rate) => rate !== null && rate > 0),
  );
  assert.ok(history.columns.p50Ms.some((ms) => ms !== null && ms > 0));
  const { workers, total } = await ask<Overview>(`${api}/overview`);
  assert.deepEqual([workers, total.serverCount], [2, 2]);

  const { csrfToken } = await ask<SessionAnswer>(`${api}/session`);
  const headers = { "x-csrf-token": csrfToken! };
  const drained = await ask<ServerActionAnswer>(`${api}/servers/app/b/actions`, headers, { action: "drain" });
  assert.match(drained.message, /1 clients? hold/);
  // Its visitor still reaches it, somebody new does not.
  await ask(`http://127.0.0.1:${port}/held`, { cookie: "SERVERID=B" });
  for (let i = 0; i < 4; i++) await ask(`http://127.0.0.1:${port}/new`);
  const after = await until(
    () => ask<RequestsAnswer>(`${api}/requests`),
    (answer) => answer.requests.length === 25,
  );
  const served = (path: string) =>
    after.requests.filter(({ http }) => http?.target === path).map(({ server }) => server);
  assert.deepEqual(served("/held"), ["b"]);
  assert.deepEqual(new Set(served("/new")), new Set(["a"]));
  const { servers } = await ask<ServersAnswer>(`${api}/servers`);
  assert.equal(servers.find(({ server }) => server === "b")!.condition, "drain");

  const last = await openEvents(`${api}/events?topics=servers`);
  program.signal("SIGTERM");
  assert.match(await readEvents(last, () => false), /event: bye\n/);
  assert.equal((await program.ended).code, 0);
});

test("an address that is taken keeps the program from starting, with the reason", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  writeFileSync(world.path("other.cfg"), `listen a\n  bind 127.0.0.1:${await freePort()}\n`);
  const { code, complaints } = await world.run([
    "run",
    "--dashboard",
    `127.0.0.1:${port}`,
    world.path("other.cfg"),
  ]);
  assert.equal(code, 1);
  assert.match(
    complaints,
    new RegExp(`the dashboard cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  );
});

test("a reload takes the dashboard's new certificate, and says why it does not take a bad one", async () => {
  const certificateFile = world.path("dashboard.pem");
  const put = (text: string) => writeFileSync(certificateFile, text);
  const { certificatePem, keyPem } = makeSelfSigned(["localhost"]);
  put(certificatePem + keyPem);
  writeFileSync(world.path("renewed.cfg"), `listen a\n  bind 127.0.0.1:${await freePort()}\n`);
  const program = world.start([
    ...["run", "--workers", "1", "--dashboard", "localhost:0", "--dashboard-certificate", certificateFile],
    world.path("renewed.cfg"),
  ]);
  await program.saw(/dashboard: https:/);
  put("nonsense");
  const words = ["reload", "--pid", String(program.pid)];
  const refused = await world.run(words);
  assert.equal(refused.code, 0);
  assert.match(refused.output, /the dashboard goes on with its old certificate: .*\nreloaded\n$/);
  const fresh = makeSelfSigned(["localhost"]);
  put(fresh.certificatePem + fresh.keyPem);
  assert.doesNotMatch((await world.run(words)).output, /certificate/);
  await program.saw(/the dashboard has a new certificate, good until 20/);
});
