import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { type RunningProgram, World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** WEB-001 and so on. */
  readonly server: string;
  /** Value of the SERVERID cookie that came with it. */
  readonly cookie: string | null;
}

interface Question {
  readonly cookie?: string;
  readonly method?: string;
}

async function startDemo(
  ...args: string[]
): Promise<{ demo: RunningProgram; url: string; statistics: string }> {
  const anyPorts = ["--stats-port", "0", "--dashboard-port", "0", "--console-port", "0"];
  const demo = world.start(["demo", "--workers", "1", ...anyPorts, ...args]);
  const [, url = "", statistics = ""] = await demo.saw(
    /serving (https:\S+)\/ with statistics on (http:\S+)\//,
  );
  return { demo, url, statistics };
}

function ask(url: string, { cookie, method = "GET" }: Question = {}): Promise<Answer> {
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  const headers = cookie === undefined ? {} : { cookie: `SERVERID=${cookie}` };
  return new Promise((resolve, reject) => {
    const request = start(url, { method, headers, agent: false, rejectUnauthorized: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => {
        const set = (response.headers["set-cookie"] ?? []).join();
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body,
          server: String(response.headers["x-served-by"] ?? ""),
          cookie: /SERVERID=(\w+)/.exec(set)?.[1] ?? null,
        });
      });
    });
    request.on("error", reject);
    request.end();
  });
}

test("stickiness, rotation, a server that goes and comes back, statistics", {
  concurrency: true,
}, async (t) => {
  const engines = ["auto", "portable"].map((engine) =>
    t.test(`on the ${engine} engine`, () => showAll(engine)),
  );
  await Promise.all(engines);
});

async function showAll(engine: string): Promise<void> {
  const { demo, url, statistics } = await startDemo("--engine", engine, "--port", "0");

  // Without a jar: each server in turn, and each gives its cookie.
  const strangers = [await ask(`${url}/`), await ask(`${url}/`), await ask(`${url}/`), await ask(`${url}/`)];
  assert.deepEqual(
    strangers.map(({ server, cookie }) => `${server} ${cookie}`),
    ["WEB-001 A", "WEB-002 B", "WEB-003 C", "WEB-001 A"],
  );

  // With one: always the same, no second cookie, and the server never sees it.
  for (let i = 0; i < 3; i++) {
    const { server, cookie, body } = await ask(`${url}/`, { cookie: "B" });
    assert.deepEqual([server, cookie], ["WEB-002", null]);
    assert.match(body, /No cookie reached it/);
    for (const name of ["x-forwarded-for", "x-forwarded-proto"])
      assert.equal(body.match(new RegExp(`^ +${name}: `, "gim"))?.length, 1, `${name} in ${body}`);
    assert.match(body, /x-forwarded-proto: +https$/im);
  }

  // Its server stops: the client moves, with a new cookie, and the log says why.
  assert.equal((await ask(`${url}/stop?seconds=4`, { cookie: "B", method: "POST" })).status, 202);
  let moved = await ask(`${url}/`, { cookie: "B" });
  // A connection that the kernel took in the moment of the stop is cut, and has no answer to give.
  while (moved.status >= 500) moved = await ask(`${url}/`, { cookie: "B" });
  assert.notEqual(moved.server, "WEB-002");
  assert.ok(moved.cookie === "A" || moved.cookie === "C", String(moved.cookie));
  await demo.saw(/--DI {3}its server is out: moved, gets a new cookie/);
  await demo.saw(/Server application-backend\/WEB-002 is DOWN/);
  const csv = (await ask(`${statistics}/;csv`)).body;
  assert.match(csv, /^application-backend,WEB-002,.*,DOWN,/m);

  // It comes back: its old cookie is worth something again.
  await demo.saw(/Server application-backend\/WEB-002 is UP/);
  const back = await ask(`${url}/`, { cookie: "B" });
  assert.deepEqual([back.server, back.cookie], ["WEB-002", null]);

  assert.match((await ask(`${statistics}/`)).body, /application-backend/);
  assert.match((await ask(`${statistics}/metrics`)).body, /^haproxy_server_status\{/m);

  demo.signal("SIGINT");
  const { code, complaints } = await demo.ended;
  assert.equal(code, 0);
  assert.match(complaints, /reqadd[\s\S]*http-request add-header X-Forwarded-Proto https/);
  await assert.rejects(ask(`${url}/`));
}

test("a port that is taken is said and another one found, and --for ends it", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  t.after(() => holder.close());
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  const { demo, url } = await startDemo("--port", String(port), "--for", "100ms");
  assert.notEqual(new URL(url).port, String(port));
  const { code, output } = await demo.ended;
  assert.equal(code, 0);
  assert.ok(output.includes(`note: port ${port} is taken, so it is ${new URL(url).port}`), output);
});

test("a demo that is killed takes its load balancer along", async () => {
  const { demo, url } = await startDemo("--port", "0");
  assert.equal((await ask(`${url}/`)).status, 200);
  demo.signal("SIGKILL");
  const isServing = () =>
    ask(`${url}/`).then(
      () => true,
      () => false,
    );
  while (await isServing()) await new Promise((resolve) => setTimeout(resolve, 10));
});

test("only its user can read the demo's key", () => {
  assert.equal(statSync(world.path("sallyport/demo/localhost.pem")).mode & 0o777, 0o600);
});

test("times and ports that are none are refused", async () => {
  const time = await world.run(["demo", "--for", "soon"]);
  assert.deepEqual([time.code, /--for takes a time/.test(time.complaints)], [1, true]);
  const port = await world.run(["demo", "--port", "99999"]);
  assert.deepEqual([port.code, /a port is a number/.test(port.complaints)], [1, true]);
});
