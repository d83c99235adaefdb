// What parsing and encoding a small request and a small response cost, in nanoseconds of our JavaScript. The
// budget is 600 ns for all four together. Run: bin/node-26 bench/micro/http1.ts
import { MessageHead } from "../../src/protocol/http1/message-head.ts";
import { parseRequestHead } from "../../src/protocol/http1/request-parser.ts";
import { parseResponseHead } from "../../src/protocol/http1/response-parser.ts";

const REQUEST = Buffer.from(
  "GET /static/index.html?v=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n" +
    "Cookie: SERVERID=A\r\n\r\n",
);
const RESPONSE = Buffer.from(
  "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 03:09:08 GMT\r\nContent-Type: text/html\r\n" +
    "Content-Length: 101\r\nConnection: keep-alive\r\n\r\n",
);
const ROUNDS = 50_000;

function measure(name: string, work: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  let sink = 0;
  for (let run = 0; run < 60; run++) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < ROUNDS; i++) sink += work();
    best = Math.min(best, Number(process.hrtime.bigint() - before) / ROUNDS);
  }
  console.log(`${name.padEnd(46)} ${best.toFixed(0).padStart(5)} ns   (${sink % 7})`);
  return best;
}

// As in the engines: heads lie somewhere in larger buffers, and arrive with their names in mixed case each
// time.
const arena = new Uint8Array(64 * 1024);
const requestAt = 1024;
const responseAt = 8192;
const output = new Uint8Array(64 * 1024);
const request = new MessageHead();
const response = new MessageHead();

const restore = measure("copying the bytes in (in the figures below)", () => {
  arena.set(REQUEST, requestAt);
  arena.set(RESPONSE, responseAt);
  return 1;
});
const parseBoth = () => {
  arena.set(REQUEST, requestAt);
  arena.set(RESPONSE, responseAt);
  parseRequestHead(request, arena, requestAt, requestAt + REQUEST.length);
  return parseResponseHead(response, arena, responseAt, responseAt + RESPONSE.length, "GET");
};
console.log(`request ${REQUEST.length} bytes, response ${RESPONSE.length} bytes`);
measure("parse request", () => {
  arena.set(REQUEST, requestAt);
  return parseRequestHead(request, arena, requestAt, requestAt + REQUEST.length);
});
measure("parse request and response", parseBoth);
const plain = measure("parse and encode both, untouched", () => {
  parseBoth();
  const at = request.encodeInto(output, 0);
  return response.encodeInto(output, at);
});
const edited = measure("… with X-Forwarded-For and Set-Cookie added", () => {
  parseBoth();
  request.addHeader("x-forwarded-for", "192.0.2.1");
  response.addHeader("set-cookie", "SERVERID=A; path=/");
  const at = request.encodeInto(output, 0);
  return response.encodeInto(output, at);
});
measure("find a header, absent, among those of the request", () => request.indexOf("authorization"));
measure("text of the Host header", () => request.valueAt(request.hostIndex).length);
console.log(
  `without the copying: ${(plain - restore).toFixed(0)} ns untouched, ${(edited - restore).toFixed(0)} ns edited`,
);
