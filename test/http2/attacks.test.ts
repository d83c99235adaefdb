// Clients that want to make us work or remember without end: each is told to calm down or held back, and the
// others are served meanwhile.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ERROR, FLAG, FRAME, PREFACE, SETTING } from "../../src/protocol/http2/frames.ts";
import { ENGINES } from "../processes/running-sallyport.ts";
import { Http2Stage } from "./http2-stage.ts";
import { frame, GET, POST, RawClient, uint32 } from "./raw-client.ts";

const COUNT = 5000;
const NEVER = [...GET.slice(0, 6), ":path", "/never"];

/** Frames that are cheap to send, and what they are sent for. */
const FLOODS: readonly (readonly [what: string, send: (client: RawClient, i: number) => Uint8Array])[] = [
  ["PING", () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  ["SETTINGS", () => frame(FRAME.settings)],
  ["PRIORITY", (_, i) => frame(FRAME.priority, 0, 2 * i + 3, Buffer.alloc(5))],
  ["WINDOW_UPDATE", () => frame(FRAME.windowUpdate, 0, 0, uint32(1))],
  ["empty DATA", () => frame(FRAME.data, 0, 1)],
  [
    "requests that are reset at once (CVE-2023-44487)",
    (client, i) =>
      Buffer.concat([
        frame(FRAME.headers, 5, 2 * i + 3, client.block(NEVER)),
        frame(FRAME.rstStream, 0, 2 * i + 3, uint32(ERROR.cancel)),
      ]),
  ],
  [
    "requests that we have to reset (CVE-2025-8671)",
    (client, i) =>
      Buffer.concat([
        frame(FRAME.headers, 4, 2 * i + 3, client.block(POST)),
        frame(FRAME.windowUpdate, 0, 2 * i + 3, uint32(0)),
      ]),
  ],
  ["more streams than are allowed", (client, i) => frame(FRAME.headers, 5, 2 * i + 3, client.block(NEVER))],
];

for (const engine of ENGINES)
  describe(`attacks by HTTP/2 on the ${engine} engine`, { timeout: 60_000 }, () => {
    test("floods of cheap frames end with GOAWAY, ENHANCE_YOUR_CALM", async () => {
      await using stage = await Http2Stage.start(engine);
      const wrong: string[] = [];
      for (const [what, send] of FLOODS) {
        await using client = await RawClient.open(stage.ports[0]!);
        client.request(1, POST, 0);
        for (let i = 0; i < COUNT; i += 100)
          client.send(...Array.from({ length: 100 }, (_, k) => send(client, i + k)));
        const end = await client.end();
        if (end !== ERROR.enhanceYourCalm) wrong.push(`${what}: ${end}`);
      }
      assert.deepEqual(wrong, []);
      await assertServes(stage);
    });

    test("a header block without end is not collected", async () => {
      await using stage = await Http2Stage.start(engine);
      for (const payload of [new Uint8Array(0), Buffer.alloc(16_000, 0x82)]) {
        await using client = await RawClient.open(stage.ports[0]!);
        client.send(frame(FRAME.headers, 0, 1, client.block(GET)));
        for (let i = 0; i < 100; i++) client.send(frame(FRAME.continuation, 0, 1, payload));
        assert.equal(await client.end(), ERROR.enhanceYourCalm);
      }
      await assertServes(stage);
    });

    test("a block that unfolds into megabytes costs its stream only", async () => {
      await using stage = await Http2Stage.start(engine);
      await using client = await RawClient.open(stage.ports[0]!);
      const large = client.block([...GET, "x", "y".repeat(200)]);
      const name = Buffer.concat([Uint8Array.of(0x40, 1, 0x7a, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, "z")]);
      client.send(frame(FRAME.headers, 5, 1, large));
      assert.equal(await client.outcome(1), ":status: 200");
      client.send(frame(FRAME.headers, 5, 3, Buffer.concat([name, Buffer.alloc(12_000, 0xbe)])));
      assert.equal(await client.outcome(3), ERROR.enhanceYourCalm);
      await assertServes(stage);
    });

    test("a head larger than a buffer is a bad request", async () => {
      await using stage = await Http2Stage.start(engine);
      await using client = await RawClient.open(stage.ports[0]!);
      const fields = Array.from({ length: 10 }, (_, i) => [`x-${i}`, "y".repeat(2000)]).flat();
      const block = client.block([...GET, ...fields]);
      client.send(
        frame(FRAME.headers, FLAG.endStream, 1, block.subarray(0, 10_000)),
        frame(FRAME.continuation, FLAG.endHeaders, 1, block.subarray(10_000)),
      );
      assert.equal(await client.outcome(1), ":status: 400");
      await assertServes(stage);
    });

    test("windows that stay shut hold the server back, and memory stays small", async () => {
      await using stage = await Http2Stage.start(engine);
      await using client = await RawClient.open(stage.ports[0]!, new Uint8Array(0));
      const shut = Buffer.concat([Uint8Array.of(0, SETTING.initialWindowSize), uint32(0)]);
      client.send(PREFACE, frame(FRAME.settings, 0, 0, shut));
      const [worker] = stage.sallyport.workerPids;
      const before = residentKiB(worker!);
      for (let i = 0; i < 100; i++)
        client.request(2 * i + 1, [...GET.slice(0, 6), ":path", "/bytes/20000000"]);
      await client.find(() => client.frames.filter(({ type }) => type === FRAME.headers).length === 100);
      await assertServes(stage);
      // 100 responses of 20 MB each.
      const grownKiB = residentKiB(worker!) - before;
      assert.ok(grownKiB < 200 * 1024, `${grownKiB} KiB`);
    });

    test("garbage behind the preface ends its connection and nothing else", async () => {
      await using stage = await Http2Stage.start(engine);
      const workers = stage.sallyport.workerPids;
      let state = 7;
      const random = (): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 8) / 0x100_0000;
      };
      for (let round = 0; round < 150; round++) {
        await using client = await RawClient.open(stage.ports[0]!);
        const parts = Array.from({ length: 8 }, (_, i) => {
          const isValid = random() < 0.4;
          const payload = isValid
            ? client.block([...GET, "content-length", "3"])
            : Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
          const type = isValid ? FRAME.headers : Math.floor(random() * 11);
          return frame(type, isValid ? 4 : Math.floor(random() * 256), 2 * i + 1, payload);
        });
        client.send(...parts, frame(FRAME.data, 0, 0, Buffer.alloc(1)));
        await client.end();
      }
      await assertServes(stage);
      assert.deepEqual(stage.sallyport.workerPids, workers);
    });
  });

async function assertServes(stage: Http2Stage): Promise<void> {
  await using client = await RawClient.open(stage.ports[0]!);
  client.request(1, GET);
  assert.equal(await client.outcome(1), ":status: 200");
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]);
}
