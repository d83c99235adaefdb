// What becomes of HTTP/2's connections and streams when Sallyport reloads, stops or loses a worker, and of
// those whose client does not go on: nothing that was begun is lost, and nothing is held for ever.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/protocol/http2/frames.ts";
import { freePort } from "../free-port.ts";
import { ENGINES, type EngineName, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { frame, GET, POST, RawClient, uint32 } from "./raw-client.ts";

/** A Sallyport whose responses say by which generation of its file they were made. */
class Stage implements AsyncDisposable {
  readonly directory: TestDirectory = new TestDirectory();
  readonly server: Server = createServer((request, response) => this.#answer(request.url!, response));
  sallyport!: RunningSallyport;
  port = 0;
  /** Responses that the server owes until the test lets it answer. */
  readonly held: ServerResponse[] = [];

  static async start(engine: EngineName, workers = 1): Promise<Stage> {
    const stage = new Stage();
    stage.server.listen(0, "127.0.0.1");
    await once(stage.server, "listening");
    stage.port = await freePort();
    const path = stage.configure(1);
    stage.sallyport = await RunningSallyport.start(path, { engine, workers });
    return stage;
  }

  configure(generation: number): string {
    const { port } = this.server.address() as AddressInfo;
    return this.directory.file(
      "x.cfg",
      `
defaults
  mode http
  log stdout format raw local0
  log-format "%HU %ST %tsc"
  timeout connect 5s
  timeout client 500ms
  timeout http-keep-alive 20s
  timeout server 20s
frontend web
  bind 127.0.0.1:${this.port}
  http-response set-header x-generation ${generation}
  default_backend web
backend web
  server a 127.0.0.1:${port}
`,
    );
  }

  #answer(url: string, response: ServerResponse): void {
    if (url === "/held") this.held.push(response);
    else if (url === "/large") response.end(Buffer.alloc(500_000, "l"));
    else response.end("ok");
  }

  /** All that was held gets its response. */
  release(): void {
    for (const response of this.held.splice(0)) response.end("late");
  }

  connect(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.port}`);
    session.on("error", () => undefined);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await this.sallyport[Symbol.asyncDispose]();
    this.server.closeAllConnections();
    this.server.close();
    this.directory[Symbol.dispose]();
  }
}

interface Answer {
  readonly status: number;
  readonly generation: string;
  readonly body: string;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let head: Record<string, unknown> = {};
  stream.on("response", (fields) => (head = { ...fields }));
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const body = Buffer.concat(parts).toString();
  return { status: Number(head[":status"]), generation: String(head["x-generation"]), body };
}

const ask = (session: ClientHttp2Session, path: string): Promise<Answer> =>
  answerOf(session.request({ ":path": path }));

for (const engine of ENGINES)
  describe(`HTTP/2 through changes, on the ${engine} engine`, { timeout: 60_000 }, () => {
    test("a reload leaves connections and streams alone: old ones end in the old generation", async () => {
      await using stage = await Stage.start(engine);
      const session = stage.connect();
      const old = Array.from({ length: 30 }, () => ask(session, "/held"));
      await stage.sallyport.until(() => stage.held.length === 30, "the requests at the server");
      stage.configure(2);
      await stage.sallyport.reloadBySignal();
      assert.equal((await ask(session, "/new")).generation, "2");
      stage.release();
      for (const answer of await Promise.all(old))
        assert.deepEqual(answer, { status: 200, generation: "1", body: "late" });
      session.close();
      await once(session, "close");
    });

    test("no request is lost while it reloads again and again", async () => {
      await using stage = await Stage.start(engine, 2);
      let isDone = false;
      const clients = Array.from({ length: 4 }, async () => {
        const session = stage.connect();
        let count = 0;
        while (!isDone) {
          const answers = await Promise.all(Array.from({ length: 10 }, () => ask(session, "/")));
          assert.ok(answers.every(({ status, body }) => status === 200 && body === "ok"));
          count += answers.length;
        }
        session.close();
        return count;
      });
      for (let generation = 2; generation < 6; generation++) {
        stage.configure(generation);
        await stage.sallyport.reloadBySignal();
      }
      isDone = true;
      for (const count of await Promise.all(clients)) assert.ok(count > 0);
    });

    test("a soft stop says GOAWAY, lets all streams end, and then the program ends", async () => {
      await using stage = await Stage.start(engine);
      const session = stage.connect();
      const goaway = once(session, "goaway");
      const answers = Array.from({ length: 50 }, () => ask(session, "/held"));
      await stage.sallyport.until(() => stage.held.length === 50, "the requests at the server");
      stage.sallyport.signal("SIGUSR1");
      const [code, lastStreamId] = await goaway;
      assert.deepEqual([code, lastStreamId], [constants.NGHTTP2_NO_ERROR, 99]);
      stage.release();
      for (const { status, body } of await Promise.all(answers))
        assert.deepEqual([status, body], [200, "late"]);
      assert.equal((await stage.sallyport.ended).code, 0);
    });

    test("an idle connection is closed by a soft stop", async () => {
      await using stage = await Stage.start(engine);
      const session = stage.connect();
      await ask(session, "/");
      const closed = once(session, "close");
      stage.sallyport.signal("SIGUSR1");
      await closed;
      assert.equal((await stage.sallyport.ended).code, 0);
    });

    test("a worker that is killed takes its connections along, and its successor serves new ones", async () => {
      await using stage = await Stage.start(engine);
      const session = stage.connect();
      const lost = ask(session, "/held").catch(() => "lost");
      await stage.sallyport.until(() => stage.held.length === 1, "the request at the server");
      const closed = once(session, "close");
      process.kill(stage.sallyport.workerPids[0]!, "SIGKILL");
      await closed;
      assert.equal(typeof (await lost) === "string" || ((await lost) as Answer).status !== 200, true);
      await stage.sallyport.until(async () => {
        const next = stage.connect();
        const answer = await ask(next, "/").catch(() => null);
        next.destroy();
        return answer?.status === 200;
      }, "the successor answers");
    });

    test("a body that does not come in time is a 408, and leaves the connection to others", async () => {
      await using stage = await Stage.start(engine);
      await using client = await RawClient.open(stage.port);
      client.request(1, [...POST.slice(0, 6), ":path", "/held", "content-length", "9"], 0);
      client.send(frame(FRAME.data, 0, 1, Buffer.from("12345")));
      assert.equal(await client.outcome(1), ":status: 408");
      client.request(3, GET);
      assert.equal(await client.outcome(3), ":status: 200");
      await stage.sallyport.until(() => stage.sallyport.text.includes("/held 408 cD"), "the log line");
    });

    test("a client that gives no window in time loses its stream, and its connection in the end", async () => {
      await using stage = await Stage.start(engine);
      await using client = await RawClient.open(stage.port, new Uint8Array(0));
      const shut = Buffer.concat([Uint8Array.of(0, SETTING.initialWindowSize), uint32(0)]);
      client.send(PREFACE, frame(FRAME.settings, 0, 0, shut));
      client.request(1, [...GET.slice(0, 6), ":path", "/large"]);
      await client.find(({ type }) => type === FRAME.headers);
      const end = await client.find(({ type }) => type === FRAME.rstStream || type === FRAME.goaway);
      assert.notEqual(end, undefined);
      await stage.sallyport.until(() => stage.sallyport.text.includes("/large 200 cD"), "the log line");
    });

    test("a request that is broken off is so at its server, too, and others go on", async () => {
      await using stage = await Stage.start(engine);
      await using client = await RawClient.open(stage.port);
      client.request(1, [...GET.slice(0, 6), ":path", "/held"]);
      await stage.sallyport.until(() => stage.held.length === 1, "the request at the server");
      const closed = once(stage.held[0]!, "close");
      client.send(frame(FRAME.rstStream, 0, 1, uint32(8)));
      await closed;
      client.request(3, GET, FLAG.endStream);
      assert.equal(await client.outcome(3), ":status: 200");
      await stage.sallyport.until(() => /\/held \S+ C/.test(stage.sallyport.text), "the log line");
    });
  });
