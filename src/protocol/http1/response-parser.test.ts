import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FRAMING_CHUNKED,
  FRAMING_LENGTH,
  FRAMING_NONE,
  FRAMING_UNTIL_CLOSE,
  type Framing,
  MessageHead,
} from "./message-head.ts";
import { parseResponseHead } from "./response-parser.ts";

function parse(
  text: string,
  method = "GET",
  step = text.length,
): { result: number; output: string; head: MessageHead } {
  const bytes = Buffer.from(text, "latin1");
  const head = new MessageHead();
  let result = 0;
  for (let end = Math.min(step, bytes.length); ; end = Math.min(end + step, bytes.length)) {
    result = parseResponseHead(head, bytes, 0, end, method);
    if (result !== 0 || end === bytes.length) break;
  }
  if (result <= 0) return { result, output: "", head };
  const target = new Uint8Array(head.encodedLengthMax());
  return {
    result,
    output: Buffer.from(target.subarray(0, head.encodeInto(target, 0))).toString("latin1"),
    head,
  };
}

const ACCEPTED: readonly [text: string, method: string, framing: Framing, output: string][] = [
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    "GET",
    FRAMING_LENGTH,
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
  ],
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
    "GET",
    FRAMING_LENGTH,
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
  ],
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n",
    "GET",
    FRAMING_LENGTH,
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
  ],
  [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET",
    FRAMING_CHUNKED,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
  ],
  ["HTTP/1.1 200 OK\r\n\r\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.1 200 OK\r\n\r\n"],
  ["HTTP/1.0 200 OK\r\n\r\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.0 200 OK\r\n\r\n"],
  ["HTTP/2.0 200 OK\r\n\r\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.1 200 OK\r\n\r\n"],
  ["HTTP/1.1 200\r\n\r\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.1 200 \r\n\r\n"],
  ["HTTP/1.1 200 \r\n\r\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.1 200 \r\n\r\n"],
  ["HTTP/1.1  200\t OK then\n\n", "GET", FRAMING_UNTIL_CLOSE, "HTTP/1.1 200 OK then\r\n\r\n"],
  [
    "\r\nHTTP/1.1 999 \x01\x80\r\nX: a\r\n b\r\n\r\n",
    "GET",
    FRAMING_UNTIL_CLOSE,
    "HTTP/1.1 999 \x01\x80\r\nx: a   b\r\n\r\n",
  ],
  ["HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", "GET", FRAMING_NONE, "HTTP/1.1 204 No\r\n\r\n"],
  [
    "HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n",
    "GET",
    FRAMING_NONE,
    "HTTP/1.1 304 No\r\ncontent-length: 2\r\n\r\n",
  ],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HEAD",
    FRAMING_NONE,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
  ],
  [
    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
    "GET",
    FRAMING_NONE,
    "HTTP/1.1 100 Continue\r\n\r\n",
  ],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "CONNECT", FRAMING_NONE, "HTTP/1.1 200 OK\r\n\r\n"],
  [
    "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n",
    "CONNECT",
    FRAMING_LENGTH,
    "HTTP/1.1 403 No\r\ncontent-length: 5\r\n\r\n",
  ],
  [
    "HTTP/1.1 200 OK\r\nConnection: close, x\r\nContent-Length: 0\r\n\r\n",
    "GET",
    FRAMING_LENGTH,
    "HTTP/1.1 200 OK\r\nconnection: x\r\ncontent-length: 0\r\n\r\n",
  ],
  [
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
    "GET",
    FRAMING_NONE,
    "HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n",
  ],
];

test("a response is framed by its head and by the method that it answers, whole, in pieces, with bytes behind", () => {
  for (const [text, method, framing, output] of ACCEPTED) {
    for (const step of [text.length, 1, 2, 9]) {
      const parsed = parse(text, method, step);
      assert.equal(parsed.result, text.length, JSON.stringify(text));
      assert.equal(parsed.output, output);
      assert.equal(parsed.head.framing, framing, JSON.stringify(text));
    }
    assert.equal(parse(`${text}body\r\n\r\n`, method).result, text.length);
  }
});

test("facts about status and connection are read", () => {
  const { head } = parse("HTTP/1.1 404 Not Here\r\nConnection: Keep-Alive\r\nContent-Length: 7\r\n\r\n");
  assert.deepEqual(
    [head.status, head.reason, head.contentLength, head.connectionKeepAlive],
    [404, "Not Here", 7, true],
  );
  assert.equal(parse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").head.connectionClose, true);
  assert.equal(
    parse("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n").head.connectionUpgrade,
    true,
  );
});

test("a bad response is refused, whole and byte by byte", () => {
  const lines = [
    "hi",
    "ICY 200 OK",
    "RTSP/1.0 200 OK",
    "HTTP/0.9 200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 200OK",
    "HTTP/1.1",
    "HTTP/1.1 200 a\0b",
    "HTTP/1.1 200 a\rb",
    "HTTP/1.1 200 OK\r\nContent-Length: x",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding:",
    "HTTP/1.1 200 OK\r\nX : a",
    "HTTP/1.1 200 OK\r\nX: a\0",
    "HTTP/1.1 200 OK\r\n: a",
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket",
    `HTTP/1.1 200 OK${"\r\nX: y".repeat(101)}`,
    `HTTP/1.1 200 OK\r\nX: ${"a".repeat(17_000)}`,
  ];
  for (const line of lines) {
    const text = `${line}\r\n\r\n`;
    assert.equal(parse(text).result, -502, JSON.stringify(text.slice(0, 80)));
    assert.equal(
      parse(text, "GET", text.length > 1000 ? 500 : 1).result,
      -502,
      JSON.stringify(text.slice(0, 80)),
    );
  }
});
