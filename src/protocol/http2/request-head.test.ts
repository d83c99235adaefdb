import assert from "node:assert/strict";
import { test } from "node:test";
import { requestPartsOf, trailerLinesOf } from "./request-head.ts";

const GET = [":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/x?y"];
const POST = [":method", "POST", ...GET.slice(2)];

function headOf(fields: readonly string[], isEndOfStream = true): string | null {
  return requestPartsOf(fields, isEndOfStream)?.head ?? null;
}

test("a request is its HTTP/1.1 head, with Host from the authority and cookies in one line", () => {
  const fields = [...GET, "cookie", "a=1", "accept", "*/*", "cookie", "b=2"];
  assert.equal(
    headOf(fields),
    "GET https://a.example/x?y HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\ncookie: a=1; b=2\r\n\r\n",
  );
});

test("a body without length goes in chunks, one with a length as it is", () => {
  const open = requestPartsOf(POST, false)!;
  assert.deepEqual([open.isChunked, open.contentLength], [true, -1]);
  assert.match(open.head, /\r\ntransfer-encoding: chunked\r\n/);
  const sized = requestPartsOf([...POST, "content-length", "5", "content-length", "5"], false)!;
  assert.deepEqual([sized.isChunked, sized.contentLength], [false, 5]);
  assert.equal(sized.head.match(/content-length/g)?.length, 1);
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
  assert.equal(trailerLinesOf(["x-sum", "5", "x-b", ""]), "x-sum: 5\r\nx-b: \r\n");
  for (const name of ["content-length", "host", "transfer-encoding", "connection", ":path", "X"])
    assert.equal(trailerLinesOf([name, "1"]), null, name);
});
