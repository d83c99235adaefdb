import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, MessageHead } from "./message-head.ts";
import { parseRequestHead } from "./request-parser.ts";
import { REQUEST_VERDICTS } from "./request-verdicts.fixture.ts";

interface Outcome {
  readonly result: number;
  readonly output: string;
  readonly head: MessageHead;
}

/**
 * Parses in pieces of `step` bytes; each piece comes in another buffer, at another place, when `isMoving`.
 */
function parse(text: string, step: number, isMoving = false): Outcome {
  const all = Buffer.from(text, "latin1");
  const head = new MessageHead();
  let memory: Uint8Array = Uint8Array.from(all);
  let start = 0;
  let result = 0;
  let seen = 0;
  for (let end = Math.min(step, all.length); ; end = Math.min(end + step, all.length)) {
    if (isMoving) {
      // What was parsed already has been changed in place, and moves with its changes.
      const moved = new Uint8Array(all.length + 50);
      const nextStart = (start + 7) % 40;
      moved.set(all, nextStart);
      moved.set(memory.subarray(start, start + seen), nextStart);
      [memory, start] = [moved, nextStart];
    }
    result = parseRequestHead(head, memory, start, start + end);
    seen = end;
    if (result !== 0 || end === all.length) break;
  }
  return { result, output: result > 0 ? encode(head) : "", head };
}

function encode(head: MessageHead): string {
  const target = new Uint8Array(head.encodedLengthMax());
  return Buffer.from(target.subarray(0, head.encodeInto(target, 0))).toString("latin1");
}

function show(text: string): string {
  return JSON.stringify(text.length > 150 ? `${text.slice(0, 150)}…` : text);
}

test("each nasty request gets its verdict", () => {
  assert.ok(REQUEST_VERDICTS.length >= 60);
  for (const { text, status } of REQUEST_VERDICTS) {
    const { result } = parse(text, text.length);
    assert.equal(result > 0 ? 200 : -result, status, show(text));
  }
});

test("the verdict and what is forwarded are the same in pieces and with bytes behind", () => {
  for (const { text } of REQUEST_VERDICTS) {
    const whole = parse(text, text.length);
    for (const step of text.length > 5000 ? [1000] : [1, 2, 5, 17]) {
      for (const isMoving of [false, true]) {
        const pieces = parse(text, step, isMoving);
        assert.deepEqual(
          [pieces.result, pieces.output],
          [whole.result, whole.output],
          `${step} ${show(text)}`,
        );
      }
    }
    if (text.length > 5000) continue;
    const trailed = parse(`${text}GET /next HTTP/1.1\r\n\r\n`, 100_000);
    assert.deepEqual([trailed.result, trailed.output], [whole.result, whole.output], show(text));
  }
});

test("what is forwarded has one reading: it parses again to the same head, and it is in our own form", () => {
  for (const { text, status } of REQUEST_VERDICTS) {
    if (status !== 200) continue;
    const first = parse(text, text.length);
    const second = parse(first.output, first.output.length);
    assert.equal(second.result, first.output.length, show(text));
    assert.equal(second.output, first.output);
    assert.ok(!/[^\r]\n|\r[^\n]|\0|\n[ \t]/.test(first.output), show(first.output));
    assert.equal(second.head.framing, first.head.framing, show(text));
    assert.equal(second.head.contentLength, first.head.contentLength, show(text));
    const lengths = first.output.match(/\ncontent-length:/g)?.length ?? 0;
    const codings = first.output.match(/\ntransfer-encoding:/g)?.length ?? 0;
    assert.ok(lengths + codings <= 1, show(first.output));
    assert.equal(codings === 1, first.head.framing === FRAMING_CHUNKED);
    assert.equal(lengths === 1, first.head.framing === FRAMING_LENGTH);
  }
});

test("framing and connection facts are read", () => {
  const facts = (lines: string, method = "POST") =>
    parse(`${method} / HTTP/1.1\r\n${lines}\r\n`, 10_000).head;
  assert.equal(facts("").framing, FRAMING_NONE);
  assert.equal(facts("Content-Length: 1234567890123\r\n").contentLength, 1234567890123);
  const both = facts("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n");
  assert.equal(both.framing, FRAMING_CHUNKED);
  assert.equal(both.connectionClose, true);
  assert.equal(both.has("content-length"), false);
  const connection = facts("Connection: Keep-Alive, X-A\r\nConnection: CLOSE\r\n");
  assert.equal(connection.connectionKeepAlive && connection.connectionClose, true);
  assert.equal(connection.firstValue("connection"), "X-A");
  const upgrade = facts(
    "Connection: Upgrade\r\nUpgrade: foo\r\nExpect: 100-Continue\r\nCookie: a\r\nCookie: b\r\n",
  );
  assert.equal(upgrade.connectionUpgrade && upgrade.expectContinue, true);
  assert.equal(upgrade.upgrade, "foo");
  assert.equal(upgrade.valueAt(upgrade.cookieIndex), "a");
  const withBody = facts("Connection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 1\r\n");
  assert.equal(withBody.connectionUpgrade, false);
  assert.equal(withBody.upgrade, null);
});

test("TE says no more than whether trailers are understood", () => {
  const te = (value: string) => parse(`GET / HTTP/1.1\r\nTE: ${value}\r\n\r\n`, 1000).head.firstValue("te");
  assert.equal(te("trailers"), "trailers");
  assert.equal(te("gzip, trailers, deflate"), "trailers");
  assert.equal(te("trailers;q=1"), null);
  assert.equal(te("gzip"), null);
});

test("a default port in an absolute target is taken out of target and Host", () => {
  assert.equal(
    parse("GET http://a:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n", 1000).output,
    "GET http://a/x HTTP/1.1\r\nhost: a\r\n\r\n",
  );
  assert.equal(
    parse("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 1000).output,
    "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n",
  );
});

test("an endless head is refused at the limit, wherever it stands", () => {
  const limits = { headBytesMax: 200, headerCountMax: 5 };
  const head = new MessageHead();
  for (const text of [
    "\r\n".repeat(150),
    "A".repeat(300),
    `GET /${"a".repeat(300)}`,
    `GET / HTTP/1.1\r\nX: ${"a".repeat(300)}`,
  ]) {
    const bytes = Buffer.from(text);
    assert.equal(parseRequestHead(head, bytes, 0, 199, limits), 0);
    assert.equal(parseRequestHead(head, bytes, 0, 200, limits), -400);
  }
  const many = Buffer.from(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(6)}\r\n`);
  assert.equal(parseRequestHead(head, many, 0, many.length, limits), -400);
});

test("a head object is as new for the next request", () => {
  const head = new MessageHead();
  const first = Buffer.from(
    "POST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 4\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nCookie: x\r\n\r\n",
  );
  const second = Buffer.from("GET /b HTTP/1.1\r\nA: b\r\n\r\n");
  assert.equal(parseRequestHead(head, first, 0, first.length), first.length);
  head.addHeader("x-added", "1");
  head.target = "/changed";
  assert.equal(parseRequestHead(head, second, 0, second.length), second.length);
  assert.equal(encode(head), "GET /b HTTP/1.1\r\na: b\r\n\r\n");
  assert.deepEqual(
    [
      head.framing,
      head.contentLength,
      head.hostIndex,
      head.cookieIndex,
      head.expectContinue,
      head.connectionKeepAlive,
    ],
    [FRAMING_NONE, -1, -1, -1, false, false],
  );
});

test("garbage gives a verdict and never throws", () => {
  let seed = 4711;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  const alphabet = Buffer.from("GET / HTTP/1.1\r\n: ,;chunked5\0\t\n\r\n", "latin1");
  for (let round = 0; round < 20_000; round++) {
    const base = Buffer.from(
      REQUEST_VERDICTS[random() % REQUEST_VERDICTS.length]!.text.slice(0, 400),
      "latin1",
    );
    for (let k = random() % 5; k >= 0; k--)
      base[random() % base.length] = alphabet[random() % alphabet.length]!;
    const text = base.toString("latin1");
    const whole = parse(text, text.length);
    assert.ok(whole.result >= -422 && whole.result <= text.length);
    if (whole.result <= 0) continue;
    const again = parse(whole.output, whole.output.length);
    assert.equal(again.output, whole.output, show(text));
    assert.equal(again.head.framing, whole.head.framing, show(text));
  }
});
