// What RFC 9113 and RFC 7541 ask of a server, case by case, as h2spec asks it: the error, and whether it is
// the stream's or the connection's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR, FLAG, FRAME, PREFACE, SETTING } from "../../src/protocol/http2/frames.ts";
import { Http2Stage } from "./http2-stage.ts";
import { frame, GET, POST, RawClient, uint32 } from "./raw-client.ts";

type Case = readonly [what: string, ask: (client: RawClient) => void];

const setting = (id: number, value: number): Uint8Array =>
  Buffer.concat([Uint8Array.of(0, id), uint32(value)]);
const without = (name: string): string[] => GET.filter((_, i) => GET[i - (i % 2)] !== name);
const headers = (
  client: RawClient,
  streamId: number,
  flags: number,
  fields: readonly string[] = POST,
): Uint8Array => frame(FRAME.headers, flags, streamId, client.block(fields));

/** The connection ends with this error. */
const CONNECTION_ERRORS: readonly (readonly [error: number, ...rest: Case])[] = [
  [
    ERROR.frameSize,
    "a frame larger than announced",
    (c) => c.send(frame(FRAME.data, 0, 1, new Uint8Array(16_385))),
  ],
  [ERROR.protocol, "DATA on stream 0", (c) => c.send(frame(FRAME.data, 0, 0, uint32(1)))],
  [ERROR.protocol, "DATA on an idle stream", (c) => c.send(frame(FRAME.data, 0, 1, uint32(1)))],
  [ERROR.protocol, "HEADERS on stream 0", (c) => c.send(headers(c, 0, 5))],
  [ERROR.protocol, "HEADERS on an even stream", (c) => c.send(headers(c, 2, 5))],
  [ERROR.protocol, "RST_STREAM on an idle stream", (c) => c.send(frame(FRAME.rstStream, 0, 1, uint32(8)))],
  [
    ERROR.frameSize,
    "RST_STREAM of another length",
    (c) => c.send(frame(FRAME.rstStream, 0, 1, uint32(8, 8))),
  ],
  [
    ERROR.protocol,
    "WINDOW_UPDATE on an idle stream",
    (c) => c.send(frame(FRAME.windowUpdate, 0, 1, uint32(8))),
  ],
  [ERROR.protocol, "WINDOW_UPDATE of 0", (c) => c.send(frame(FRAME.windowUpdate, 0, 0, uint32(0)))],
  [
    ERROR.frameSize,
    "WINDOW_UPDATE of another length",
    (c) => c.send(frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))),
  ],
  [
    ERROR.flowControl,
    "a window above 2^31-1",
    (c) =>
      c.send(
        frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1)),
        frame(FRAME.windowUpdate, 0, 0, uint32(1)),
      ),
  ],
  [ERROR.protocol, "PUSH_PROMISE", (c) => c.send(frame(FRAME.pushPromise, 4, 1, uint32(2)))],
  [ERROR.protocol, "CONTINUATION without HEADERS", (c) => c.send(frame(FRAME.continuation, 4, 1))],
  [
    ERROR.protocol,
    "something else than CONTINUATION within a block",
    (c) => c.send(headers(c, 1, 1), frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
  ],
  [
    ERROR.protocol,
    "CONTINUATION of another stream",
    (c) => c.send(headers(c, 1, 1), frame(FRAME.continuation, 4, 3)),
  ],
  [
    ERROR.protocol,
    "padding as long as the frame",
    (c) => c.send(frame(FRAME.headers, 13, 1, Uint8Array.of(9, 0x82))),
  ],
  [
    ERROR.compression,
    "an index behind the table",
    (c) => c.send(frame(FRAME.headers, 5, 1, Uint8Array.of(0xff, 0x40))),
  ],
  [ERROR.protocol, "PING on a stream", (c) => c.send(frame(FRAME.ping, 0, 1, Buffer.alloc(8)))],
  [ERROR.frameSize, "PING of another length", (c) => c.send(frame(FRAME.ping, 0, 0, Buffer.alloc(7)))],
  [ERROR.protocol, "PRIORITY on stream 0", (c) => c.send(frame(FRAME.priority, 0, 0, Buffer.alloc(5)))],
  [ERROR.protocol, "GOAWAY on a stream", (c) => c.send(frame(FRAME.goaway, 0, 1, uint32(0, 0)))],
  [ERROR.protocol, "SETTINGS on a stream", (c) => c.send(frame(FRAME.settings, 0, 1))],
  [ERROR.frameSize, "SETTINGS of 5 bytes", (c) => c.send(frame(FRAME.settings, 0, 0, Buffer.alloc(5)))],
  [ERROR.frameSize, "SETTINGS ACK with content", (c) => c.send(frame(FRAME.settings, 1, 0, Buffer.alloc(6)))],
  [
    ERROR.protocol,
    "ENABLE_PUSH of 2",
    (c) => c.send(frame(FRAME.settings, 0, 0, setting(SETTING.enablePush, 2))),
  ],
  [
    ERROR.flowControl,
    "INITIAL_WINDOW_SIZE of 2^31",
    (c) => c.send(frame(FRAME.settings, 0, 0, setting(SETTING.initialWindowSize, 2 ** 31))),
  ],
  [
    ERROR.protocol,
    "MAX_FRAME_SIZE of 1",
    (c) => c.send(frame(FRAME.settings, 0, 0, setting(SETTING.maxFrameSize, 1))),
  ],
  [
    ERROR.protocol,
    "an older stream than the last",
    (c) => {
      c.request(5, GET);
      c.request(4, GET);
    },
  ],
];

/** The stream ends with this error, and the connection goes on. */
const STREAM_ERRORS: readonly (readonly [error: number, ...rest: Case])[] = [
  ...[":method", ":scheme", ":path"].map(
    (name) =>
      [ERROR.protocol, `a request without ${name}`, (c: RawClient) => c.request(1, without(name))] as const,
  ),
  ...(
    [
      [":method", "GET"],
      [":status", "200"],
      ["Upper", "a"],
      ["connection", "close"],
      ["transfer-encoding", "chunked"],
      ["upgrade", "websocket"],
      ["keep-alive", "1"],
      ["proxy-connection", "close"],
      ["te", "gzip"],
      ["host", "b"],
      ["a b", "c"],
      ["", "c"],
      ["a", "b\r\nc: d"],
      ["a", "b\nc"],
      ["a", "b\0c"],
      ["a", " b"],
      ["content-length", "+1"],
      ["content-length", "1"],
    ] as const
  ).map(
    ([name, value]) =>
      [
        ERROR.protocol,
        `"${name}: ${JSON.stringify(value)}"`,
        (c: RawClient) => c.request(1, [...GET, name, value]),
      ] as const,
  ),
  ...["", "a", "http://b/", "/ HTTP/1.1", "/\r\n", "/#a", "*"].map(
    (path) =>
      [
        ERROR.protocol,
        `the path ${JSON.stringify(path)}`,
        (c: RawClient) => c.request(1, [...without(":path"), ":path", path]),
      ] as const,
  ),
  ...["a@b", "a/b", "a b", "a?b"].map(
    (authority) =>
      [
        ERROR.protocol,
        `the authority ${authority}`,
        (c: RawClient) => c.request(1, [...without(":authority"), ":authority", authority]),
      ] as const,
  ),
  [ERROR.protocol, "a pseudo-header behind others", (c) => c.request(1, ["a", "b", ...GET])],
  [ERROR.protocol, "a method with a blank", (c) => c.request(1, [...without(":method"), ":method", "GET /"])],
  [
    ERROR.protocol,
    "a stream that depends on itself",
    (c) => {
      const block = c.block(GET);
      c.send(frame(FRAME.headers, 0x25, 1, Buffer.concat([uint32(1), Uint8Array.of(0), block])));
    },
  ],
  [
    ERROR.protocol,
    "WINDOW_UPDATE of 0",
    (c) => {
      c.request(1, POST, 0);
      c.send(frame(FRAME.windowUpdate, 0, 1, uint32(0)));
    },
  ],
  [
    ERROR.flowControl,
    "a window above 2^31-1",
    (c) => {
      c.request(1, POST, 0);
      c.send(frame(FRAME.windowUpdate, 0, 1, uint32(2 ** 31 - 1)));
    },
  ],
  [
    ERROR.protocol,
    "less data than announced",
    (c) => {
      c.request(1, [...POST, "content-length", "4"], 0);
      c.send(frame(FRAME.data, 1, 1, Buffer.alloc(3)));
    },
  ],
  [
    ERROR.protocol,
    "more data than announced",
    (c) => {
      c.request(1, [...POST, "content-length", "2"], 0);
      c.send(frame(FRAME.data, 1, 1, Buffer.alloc(3)));
    },
  ],
  [
    ERROR.protocol,
    "trailers without the end",
    (c) => {
      c.request(1, POST, 0);
      c.request(1, ["a", "b"], 0);
    },
  ],
  [
    ERROR.protocol,
    "trailers with a pseudo-header",
    (c) => {
      c.request(1, POST, 0);
      c.request(1, [":path", "/"]);
    },
  ],
  [
    ERROR.protocol,
    "trailers about framing",
    (c) => {
      c.request(1, POST, 0);
      c.request(1, ["content-length", "0"]);
    },
  ],
  [
    ERROR.streamClosed,
    "DATA behind the end",
    (c) => {
      c.request(1, [...without(":path"), ":path", "/never"]);
      c.send(frame(FRAME.data, 0, 1, uint32(1)));
    },
  ],
];

test("errors of the connection end it with the error that the RFC names", { timeout: 30_000 }, async () => {
  await using stage = await Http2Stage.start("portable");
  const wrong: string[] = [];
  for (const [error, what, ask] of CONNECTION_ERRORS) {
    await using client = await RawClient.open(stage.ports[0]!);
    ask(client);
    const end = await client.end();
    if (end !== error) wrong.push(`${what}: ${end} instead of ${error}`);
  }
  assert.deepEqual(wrong, []);
});

test("errors of a stream end the stream only", { timeout: 30_000 }, async () => {
  await using stage = await Http2Stage.start("portable");
  const wrong: string[] = [];
  for (const [error, what, ask] of STREAM_ERRORS) {
    await using client = await RawClient.open(stage.ports[0]!);
    ask(client);
    const outcome = await client.outcome(1);
    if (outcome !== error) wrong.push(`${what}: ${outcome} instead of ${error}`);
    client.request(3, GET);
    const next = await client.outcome(3);
    if (next !== ":status: 200") wrong.push(`behind ${what}: ${next}`);
  }
  assert.deepEqual(wrong, []);
});

test("whatever is no preface, or no SETTINGS behind it, ends the connection", {
  timeout: 30_000,
}, async () => {
  await using stage = await Http2Stage.start("portable");
  for (const start of [
    Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Buffer.concat([PREFACE, frame(FRAME.ping, 0, 0, Buffer.alloc(8))]),
  ]) {
    await using client = await RawClient.open(stage.ports[2]!, start);
    assert.equal(await client.end(), ERROR.protocol);
  }
});

test("a request byte by byte, in CONTINUATION frames and with padding, is the same request", {
  timeout: 30_000,
}, async () => {
  await using stage = await Http2Stage.start("portable");
  await using client = await RawClient.open(stage.ports[0]!, new Uint8Array(0));
  const block = client.block([...POST, "x-a", "b"]);
  const bytes = Buffer.concat([
    PREFACE,
    frame(FRAME.settings),
    frame(FRAME.headers, FLAG.padded, 1, Uint8Array.of(2, ...block.subarray(0, 3), 0, 0)),
    ...[...block.subarray(3)]
      .map((byte) => frame(FRAME.continuation, 0, 1, Uint8Array.of(byte)))
      .slice(0, 20),
    frame(FRAME.continuation, FLAG.endHeaders, 1, block.subarray(Math.min(23, block.length))),
    frame(FRAME.data, FLAG.padded, 1, Uint8Array.of(3, 104, 105, 0, 0, 0)),
    frame(0xfa, 0xff, 1, Buffer.from("unknown")),
    frame(FRAME.data, FLAG.endStream, 1, Buffer.from("!")),
  ]);
  for (const byte of bytes) client.send(Uint8Array.of(byte));
  assert.equal(await client.outcome(1), ":status: 200");
  const seen = JSON.parse(client.body(1));
  assert.equal(seen.length, 3);
  assert.ok(seen.headers.includes("x-a"));
});

test("data waits for the windows that the client gives, of the stream and of the connection", {
  timeout: 30_000,
}, async () => {
  await using stage = await Http2Stage.start("portable");
  await using client = await RawClient.open(stage.ports[0]!, new Uint8Array(0));
  client.send(PREFACE, frame(FRAME.settings, 0, 0, setting(SETTING.initialWindowSize, 0)));
  client.request(1, [...without(":path"), ":path", "/bytes/70000"]);
  await client.find(({ type }) => type === FRAME.headers);
  assert.equal(client.body(1), "");
  client.send(frame(FRAME.windowUpdate, 0, 1, uint32(1)));
  await client.find(({ type }) => type === FRAME.data);
  assert.equal(client.body(1), "b");
  client.send(frame(FRAME.settings, 0, 0, setting(SETTING.initialWindowSize, 100_000)));
  await client.find(() => client.body(1).length === 65_535);
  client.send(frame(FRAME.windowUpdate, 0, 0, uint32(100_000)));
  assert.equal(await client.outcome(1), ":status: 200");
  assert.equal(client.body(1).length, 70_000);
});
