import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAMING_CHUNKED, MessageHead } from "../http1/message-head.ts";
import { parseRequestHead } from "../http1/request-parser.ts";
import { KIND } from "./field-kind.ts";
import { HeaderField } from "./header-field.ts";
import { passFields } from "./hpack.fixture.ts";
import { RequestHeadWriter, settleRequestHead } from "./request-head.ts";
import { TrailerLines } from "./trailer-lines.ts";

const GET = [":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/x?y"];
const POST = [":method", "POST", ...GET.slice(2)];

interface Written {
  readonly text: string;
  readonly head: MessageHead;
}

const writer = new RequestHeadWriter();

function write(fields: readonly string[], isEndOfStream = true): Written | null {
  const head = new MessageHead();
  writer.begin(head);
  passFields(fields, writer);
  if (!writer.finish(isEndOfStream)) return null;
  head.bytes = writer.bytes.slice(0, writer.length);
  return { text: Buffer.from(head.bytes).toString("latin1"), head };
}

function headOf(fields: readonly string[], isEndOfStream = true): string | null {
  return write(fields, isEndOfStream)?.text ?? null;
}

/** What others see of a head. */
function factsOf(head: MessageHead, status: number): object {
  const { method, target, framing, contentLength, expectContinue, hostIndex, cookieIndex, isVerbatim } = head;
  const { start, end, headersStart, headersEnd, headerCount, connectionClose } = head;
  head.hideOrigin();
  const encoded = new Uint8Array(head.encodedLengthMax());
  const sent = Buffer.from(encoded.subarray(0, head.encodeInto(encoded, 0))).toString("latin1");
  const places = { start, end, headersStart, headersEnd, hostIndex, cookieIndex, isVerbatim };
  const meaning = { method, target, framing, contentLength, expectContinue, headerCount, connectionClose };
  return { status, sent, headers: head.receivedHeaders(), ...places, ...meaning };
}

test("offsets and facts are those that the parser of HTTP/1.1 finds in the same bytes", () => {
  const more = [
    ...GET,
    "accept",
    "*/*",
    "cookie",
    "a=1",
    "cookie",
    "b=2",
    "te",
    "trailers",
    "x-long",
    "y".repeat(5000),
  ];
  const cases: [fields: string[], isEndOfStream: boolean][] = [
    [GET, true],
    [more, true],
    [[...POST, "content-length", "5", "expect", "100-continue"], false],
    [[...POST, "content-length", "007"], false],
    [POST, false],
    [[...GET.slice(0, 4), ":path", "/x", "a", "b", "host", "b.example", "c", "d"], true],
    [[...GET.slice(0, 4), ":path", "/x", "a", "b"], true],
    [[...GET.slice(0, 4), ":authority", "a:443", ":path", "/x"], true],
    [[...GET.slice(0, 4), ":authority", "a:80", ":path", "/"], true],
    [[...GET.slice(0, 4), ":authority", "a:8443", ":path", "/"], true],
    [[":method", "OPTIONS", ":scheme", "https", ":authority", "a", ":path", "*"], true],
    [[":method", "CONNECT", ":authority", "a:443"], false],
    [[":method", "CONNECT", ":authority", "a"], false],
    [[...GET, ...Array.from({ length: 200 }, (_, i) => [`x-${i}`, "1"]).flat()], true],
  ];
  for (const [fields, isEndOfStream] of cases) {
    const { text, head } = write(fields, isEndOfStream)!;
    const parsed = new MessageHead();
    const bytes = Buffer.from(text, "latin1");
    const limits = { headBytesMax: 65_536, headerCountMax: 1000 };
    const status = Math.max(0, -parseRequestHead(parsed, bytes, 0, bytes.length, limits));
    assert.deepEqual(factsOf(head, settleRequestHead(head)), factsOf(parsed, status), text);
  }
});

test("a request is its HTTP/1.1 head, with Host from the authority and cookies in one line", () => {
  const fields = [...GET, "cookie", "a=1", "accept", "*/*", "cookie", "b=2"];
  assert.equal(
    headOf(fields),
    "GET https://a.example/x?y HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\ncookie: a=1; b=2\r\n\r\n",
  );
});

test("what a request before had does not count for the room that a head needs", () => {
  const fresh = new RequestHeadWriter();
  const line = Buffer.alloc(9000, "p");
  const path = new HeaderField(line, 8000 - 5, 8000, 8500);
  path.kind = KIND.path;
  fresh.begin(new MessageHead());
  fresh.receiveField(path);
  fresh.begin(new MessageHead());
  const authority = `${"a".repeat(5000)}:443`;
  passFields([":method", "CONNECT", ":authority", authority], fresh);
  assert.ok(fresh.finish(false));
  const text = Buffer.from(fresh.bytes.subarray(0, fresh.length)).toString("latin1");
  assert.equal(text, `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
});

test("a body without length goes in chunks, one with a length as it is", () => {
  const open = write(POST, false)!;
  assert.deepEqual([open.head.framing, open.head.contentLength], [FRAMING_CHUNKED, -1]);
  assert.match(open.text, /\r\ntransfer-encoding: chunked\r\n/);
  const sized = write([...POST, "content-length", "5", "content-length", "5"], false)!;
  assert.equal(sized.head.contentLength, 5);
  assert.equal(sized.text.match(/content-length/g)?.length, 1);
});

test("what could be read as another message in HTTP/1 is no request", () => {
  const wrong: readonly (readonly string[])[] = [
    [...GET, "x-a", "1\r\nx-b: 2"],
    [...GET, "x-a", "1\n"],
    [...GET, "x-a", "\0"],
    [...GET, "x-a", " 1"],
    [...GET, "x a", "1"],
    [...GET, "x-a:", "1"],
    [...GET, "X-A", "1"],
    [...GET, "", "1"],
    [...GET, "transfer-encoding", "chunked"],
    [...GET, "connection", "close"],
    [...GET, "upgrade", "websocket"],
    [...GET, "te", "gzip"],
    [...GET, "host", "b.example"],
    [...GET, "content-length", "+1"],
    [...GET, "content-length", "1"],
    [...GET, "content-length", "1", "content-length", "2"],
    [...GET, ":path", "/z"],
    ["x-a", "1", ...GET],
    [...GET, ":status", "200"],
    [":method", "GET", ":scheme", "https", ":path", "/ HTTP/1.1\r\nx: y"],
    [":method", "GET", ":scheme", "https", ":path", "/a b"],
    [":method", "GET", ":scheme", "https", ":path", "/a#b"],
    [":method", "GET", ":scheme", "https", ":path", "a"],
    [":method", "GET", ":scheme", "https", ":path", "*"],
    [":method", "GET X", ":scheme", "https", ":path", "/"],
    [":method", "GET", ":scheme", "ht tp", ":path", "/"],
    [":method", "GET", ":scheme", "https", ":authority", "user@a", ":path", "/"],
    [":method", "GET", ":scheme", "https", ":authority", "a/b", ":path", "/"],
    [":method", "GET", ":scheme", "https"],
    [":method", "GET", ":path", "/"],
    [":method", "CONNECT", ":scheme", "https", ":authority", "a:1", ":path", "/"],
    [":method", "CONNECT"],
    [],
  ];
  for (const fields of wrong) assert.equal(headOf(fields), null, JSON.stringify(fields));
});

test("trailers are lines, without those that would frame the message or belong to a connection", () => {
  const linesOf = (fields: string[]): string | null => {
    const lines = new TrailerLines();
    passFields(fields, lines);
    return lines.isMalformed ? null : lines.text;
  };
  assert.equal(linesOf(["x-sum", "5", "x-b", ""]), "x-sum: 5\r\nx-b: \r\n");
  for (const name of [
    "content-length",
    "host",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    ":path",
    "X",
  ])
    assert.equal(linesOf([name, "1"]), null, name);
});
