// As exchange.ts, with clients that speak HTTP/2: what a small request costs of our own JavaScript when some
// connections make STREAMS of them at a time. Those that h2load sends, or with "browser" behind it the fields
// of a browser, of which all but the path are in HPACK's table after the first time.
//   bin/node-26 --max-inlined-bytecode-size-cumulative=2000 [--cpu-prof] bench/micro/http2.ts [browser]
import { FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE, writeFrameHead } from "../../src/protocol/http2/frames.ts";
import { answerAll, deliver, measure, openClient, SilentEngine, startSilentProxy } from "./silent-proxy.ts";

const CONNECTIONS = 8;
const STREAMS = 10;
const REQUESTS = 200_000;
const BROWSER_FIELDS = [
  'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
  "accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
  "sec-fetch-site: same-origin",
  "sec-fetch-mode: no-cors",
  "sec-fetch-dest: image",
  "referer: https://www.example.com/shop/list?page=2",
  "accept-encoding: gzip, deflate, br, zstd",
  "accept-language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7",
  "cookie: session=0123456789abcdef0123456789abcdef",
  "cookie: consent=yes",
];
/** No settings, and as much window as there can be. */
const SETTINGS_AND_WINDOW = Buffer.from("0000000400000000000000040800000000007fff0000", "hex");
const isBrowser = process.argv.includes("browser");

/** A literal that goes into the table. */
function indexed(name: string | number, value: string): Buffer {
  const start =
    typeof name === "number"
      ? Buffer.of(0x40 | name)
      : Buffer.concat([Buffer.of(0x40, name.length), Buffer.from(name)]);
  const length = value.length < 127 ? Buffer.of(value.length) : Buffer.of(127, value.length - 127);
  return Buffer.concat([start, length, Buffer.from(value)]);
}

function headers(streamId: number, block: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + block.length);
  frame.set(
    block,
    writeFrameHead(block.length, FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, frame, 0),
  );
  return frame;
}

const fields = isBrowser ? BROWSER_FIELDS : ["user-agent: h2load nghttp2/1.52.0"];
const start = Buffer.concat([Buffer.of(0x82, 0x86), indexed(1, "127.0.0.1:8080"), indexed(4, "/small")]);
const first = Buffer.concat([
  start,
  ...fields.map((line) => indexed(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2))),
]);
// The last field to go in is the first of the dynamic table.
const count = fields.length;
const path = isBrowser
  ? Buffer.concat([Buffer.of(0x04, 6), Buffer.from("/small")])
  : Buffer.of(0x80 | (62 + count));
const again = Buffer.concat([
  Buffer.of(0x82, 0x86, 0x80 | (63 + count)),
  path,
  Buffer.from(fields.map((_, i) => 0x80 | (61 + count - i))),
]);

const engine = new SilentEngine();
const proxy = startSilentProxy(engine);
const clients = Array.from({ length: CONNECTIONS }, () => {
  const connection = openClient(proxy);
  deliver(engine, connection, Buffer.concat([PREFACE, SETTINGS_AND_WINDOW, headers(1, first)]));
  engine.turn();
  answerAll(engine);
  return { connection, streamId: 3 };
});
const requests = Buffer.concat(Array.from({ length: STREAMS }, () => headers(0, again)));
const frameBytes = requests.length / STREAMS;
measure(proxy, REQUESTS, (total) => {
  for (let done = 0; done < total; done += STREAMS) {
    const client = clients[(done / STREAMS) % CONNECTIONS]!;
    engine.nowMs += 0.1;
    for (let i = 0; i < STREAMS; i++, client.streamId += 2)
      requests.writeUInt32BE(client.streamId, i * frameBytes + 5);
    deliver(engine, client.connection, requests);
    engine.turn();
    answerAll(engine);
  }
});
