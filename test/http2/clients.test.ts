// HTTP/2 as clients of others speak it: Node's own and curl.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { ENGINES } from "../processes/running-sallyport.ts";
import { requires } from "../requirements.ts";
import { Http2Stage } from "./http2-stage.ts";

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly trailers: Record<string, unknown>;
}

/** What Node's client gets for requests that it makes all at once on one connection. */
async function ask(origin: string, requests: readonly { headers: object; body?: Buffer }[]): Promise<Seen[]> {
  const session = connectHttp2(origin, { rejectUnauthorized: false });
  const answers = requests.map(async ({ headers, body }): Promise<Seen> => {
    const stream = session.request({ ...headers });
    stream.end(body);
    let status = 0;
    let trailers = {};
    stream.on("response", (head) => (status = Number(head[constants.HTTP2_HEADER_STATUS])));
    stream.on("trailers", (lines) => (trailers = { ...lines }));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { status, body: Buffer.concat(parts).toString("latin1"), trailers };
  });
  const seen = await Promise.all(answers);
  session.close();
  await once(session, "close");
  return seen;
}

for (const engine of ENGINES)
  describe(`HTTP/2 to clients on the ${engine} engine`, { timeout: 30_000 }, () => {
    test("requests of one connection are answered side by side, clear and by TLS", async () => {
      await using stage = await Http2Stage.start(engine);
      const [clear, secure, forced] = stage.ports;
      for (const origin of [
        `http://127.0.0.1:${clear}`,
        `https://127.0.0.1:${secure}`,
        `http://127.0.0.1:${forced}`,
      ]) {
        const paths = Array.from({ length: 150 }, (_, i) => `/${i}`);
        const seen = await ask(
          origin,
          paths.map((path) => ({ headers: { ":path": path } })),
        );
        assert.deepEqual(
          seen.map(({ status, body }) => [status, JSON.parse(body).url]),
          paths.map((path) => [200, path]),
        );
      }
    });

    test("bodies go both ways, larger than all windows, and trailers with them", async () => {
      await using stage = await Http2Stage.start(engine);
      const body = Buffer.alloc(3_000_000, "u");
      const seen = await ask(`https://127.0.0.1:${stage.ports[1]}`, [
        { headers: { ":path": "/up", ":method": "POST" }, body },
        { headers: { ":path": "/up", ":method": "POST", "content-length": body.length }, body },
        { headers: { ":path": "/bytes/3000000" } },
        { headers: { ":path": "/trailers" } },
        { headers: { ":path": "/bytes/10", ":method": "HEAD" } },
        { headers: { ":path": "/denied" } },
      ]);
      assert.deepEqual(
        seen.map(({ status }) => status),
        [200, 200, 200, 200, 200, 403],
      );
      assert.equal(JSON.parse(seen[0]!.body).length, body.length);
      assert.equal(JSON.parse(seen[1]!.body).length, body.length);
      assert.equal(seen[2]!.body.length, 3_000_000);
      assert.deepEqual([seen[3]!.body, seen[3]!.trailers["x-sum"]], ["data", "5"]);
      assert.equal(seen[4]!.body, "");
      assert.match(seen[5]!.body, /403 Forbidden/);
    });

    test("rules and logs see the version, and the server HTTP/1.1 with the path and one Cookie", async () => {
      await using stage = await Http2Stage.start(engine);
      const origin = `https://127.0.0.1:${stage.ports[1]}`;
      const [seen] = await ask(origin, [{ headers: { ":path": "/a?b", cookie: ["a=1", "b=2"] } }]);
      const { url, headers } = JSON.parse(seen!.body) as { url: string; headers: string[] };
      assert.equal(url, "/a?b");
      const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
      assert.deepEqual(
        pairs.filter((line) => /^(host|cookie|x-forwarded-for)/.test(line)),
        [`host: 127.0.0.1:${stage.ports[1]}`, "cookie: a=1; b=2", "x-forwarded-for: 127.0.0.1"],
      );
      const line = `GET ${origin}/a?b HTTP/2.0 200 -- fc=2 ver=2.0 alpn=h2`;
      await stage.sallyport.until(() => stage.sallyport.text.includes(line), line);
    });

    test("a soft stop lets streams in progress end and takes no new ones", async () => {
      await using stage = await Http2Stage.start(engine);
      const session = connectHttp2(`http://127.0.0.1:${stage.ports[0]}`);
      session.on("error", () => undefined);
      const stream = session.request({ ":path": "/up", ":method": "POST" });
      stream.write("one");
      await stage.sallyport.until(() => stage.requestCount === 1, "the request at the server");
      const goaway = once(session, "goaway");
      stage.sallyport.signal("SIGUSR1");
      assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
      stream.end("two");
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      assert.equal(JSON.parse(Buffer.concat(parts).toString()).length, 6);
      if (!session.destroyed) await once(session, "close");
    });

    test("without the upgrade, the preface is a bad request", { skip: requires("curl") }, async () => {
      await using stage = await Http2Stage.start(engine);
      const curl = async (port: number, option: string): Promise<string> => {
        const words = ["-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", option];
        const run = promisify(execFile)("curl", [...words, `http://127.0.0.1:${port}/`]);
        return (await run.catch((error: { stdout: string }) => error)).stdout;
      };
      assert.equal(await curl(stage.ports[0]!, "--http2-prior-knowledge"), "2 200");
      assert.equal(await curl(stage.ports[0]!, "--http1.1"), "1.1 200");
      assert.notEqual(await curl(stage.ports[3]!, "--http2-prior-knowledge"), "2 200");
      assert.equal(await curl(stage.ports[3]!, "--http1.1"), "1.1 200");
    });
  });
