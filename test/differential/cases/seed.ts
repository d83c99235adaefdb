// The configuration that the project starts from (without its certificate): three servers, sticky by cookie.
import type { CaseGroup } from "../comparison.ts";
import { CUT } from "../conversation.ts";
import { END, RESET } from "../origin.ts";
import { chunked, get, head, ok, old, post } from "./text.ts";

export const SEED: CaseGroup = {
  name: "the seed configuration",
  configuration: `
global
  log 127.0.0.1:{log} local0
defaults
  mode http
  log global
  option httplog
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend http-in
  bind 127.0.0.1:{front1}
  http-request add-header X-Forwarded-Proto https
  default_backend application-backend
backend application-backend
  balance roundrobin
  option httpclose
  option forwardfor
  cookie SERVERID insert indirect nocache
  server WEB-001 127.0.0.1:{a} cookie A check inter 1h
  server WEB-002 127.0.0.1:{b} cookie B check inter 1h
  server WEB-003 127.0.0.1:{c} cookie C check inter 1h
`,
  cases: [
    {
      name: "clients without a cookie go round",
      clients: [[get("/1")], [get("/2")], [get("/3")], [get("/4")]],
    },
    {
      name: "a cookie leads to its server and stays hidden from it",
      clients: [[get("/", "Cookie: SERVERID=B")], [get("/", "Cookie: SERVERID=C")]],
    },
    {
      name: "other cookies stay around the hidden one",
      clients: [
        [get("/", "Cookie: a=1; SERVERID=B; b=2")],
        [get("/", "Cookie: SERVERID=A; z=1")],
        [get("/", "Cookie: z=1; SERVERID=A")],
      ],
    },
    { name: "two Cookie headers are both read", clients: [[get("/", "Cookie: a=1\nCookie: SERVERID=C")]] },
    { name: "a cookie of no server is replaced", clients: [[get("/", "Cookie: SERVERID=Z")]] },
    { name: "an empty cookie is as none", clients: [[get("/", "Cookie: SERVERID=")]] },
    {
      name: "quoted, spaced and repeated cookies are read alike",
      clients: [
        [get("/", 'Cookie: SERVERID="B"')],
        [get("/", "Cookie: SERVERID = B")],
        [get("/", "Cookie: SERVERID=B; SERVERID=C")],
        [get("/", "Cookie: serverid=B")],
        [get("/", "Cookie: XSERVERID=B")],
        [get("/", "Cookie:SERVERID=B;")],
        [get("/", "Cookie: ; SERVERID=B, x=y")],
      ],
    },
    {
      name: "cacheable responses that set the cookie are made private",
      clients: [[get("/")], [get("/", "", "HEAD")], [post("/", "x")]],
      servers: [
        ["read", ok("x", "Cache-Control: max-age=60")],
        ["read", head("200 OK", "Content-Length: 9")],
        ["read", ok("y")],
      ],
    },
    {
      name: "private and uncacheable responses keep their headers",
      clients: [[get("/")], [get("/")], [get("/")], [get("/")]],
      servers: [
        ["read", ok("x", "Cache-Control: private")],
        ["read", ok("x", "Cache-Control: no-store")],
        ["read", ok("x", "", "500 Oops")],
        ["read", ok("x", "", "404 Not Found")],
      ],
    },
    {
      name: "a server's own SERVERID is left to our judgement alike",
      clients: [[get("/")], [get("/", "Cookie: SERVERID=A")]],
      servers: [["read", ok("x", "Set-Cookie: SERVERID=own; path=/")]],
    },
    {
      name: "a server's other cookies pass",
      clients: [[get("/")]],
      servers: [["read", ok("x", "Set-Cookie: id=7; HttpOnly\nSet-Cookie: z=1")]],
    },
    {
      name: "X-Forwarded-For is added behind what the client says",
      clients: [[get("/", "X-Forwarded-For: 10.1.1.1")], [get("/", "x-forwarded-proto: http")]],
      from: ["127.0.0.1", "127.0.0.7"],
    },
    {
      name: "the client's address is forwarded",
      clients: [[get("/")], [get("/")]],
      from: ["127.0.0.2", "127.0.0.3"],
    },
    {
      name: "header names and values pass as they are",
      clients: [
        [get("/path?q=1&x=%20", "X-MiXeD: Value  with   spaces \nX-Tab:\ttab\t\nEmpty:\nX-Latin: \xe9\xff")],
      ],
    },
    {
      name: "a request of HTTP/1.0 is answered and closed",
      clients: [[old("/old")], [old("/old", "Host: h")], [old("/old", "Connection: keep-alive")]],
    },
    {
      name: "Connection headers of clients stay with us",
      clients: [
        [get("/", "Connection: close")],
        [get("/", "Connection: keep-alive")],
        [get("/", "Connection: X-Hop\nX-Hop: 1")],
        [get("/", "Keep-Alive: timeout=5\nProxy-Connection: keep-alive")],
      ],
    },
    {
      name: "an absolute target passes as it is",
      clients: [
        ["GET http://shop.example/x?y HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
        ["GET http://shop.example HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
      ],
    },
    {
      name: "targets that are odd but allowed pass",
      clients: [
        [get("*", "", "OPTIONS")],
        [get("//double//slash")],
        [get("/a/../b/./c")],
        [get("/%00%2f")],
        [get("/#fragment")],
        [get("/q?a?b??")],
        [get("/;p=1;q")],
      ],
    },
    {
      name: "unknown methods pass",
      clients: [
        [get("/", "", "PROPFIND")],
        [get("/", "", "x-custom")],
        [get("/", "", "TRACE")],
        [get("/", "", "DELETE")],
      ],
    },
    { name: "a body with its length passes", clients: [[post("/form", "name=value&x=1")], [post("/", "")]] },
    {
      name: "a chunked body passes with its trailers",
      clients: [
        [get("/", "Transfer-Encoding: chunked", "POST") + chunked("hello ", "world")],
        [`${get("/", "Transfer-Encoding: chunked", "POST")}3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n`],
        [`${get("/", "Transfer-Encoding: chunked", "PUT")}3;ext=1\r\nabc\r\n0;last\r\n\r\n`],
      ],
    },
    {
      name: "a head and a body in small pieces are put together",
      clients: [
        ["GET / HT", 5, "TP/1.1\r\nHo", 5, "st: a\r", 5, "\n\r", 5, "\n"],
        [get("/", "Content-Length: 6", "POST"), 5, "abc", 5, "def"],
      ],
    },
    {
      name: "malformed requests get 400",
      clients: [
        ["GET /\r\n\r\n"],
        ["GET  / HTTP/1.1\r\n\r\n"],
        ["FOO\r\n\r\n"],
        ["GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
        ["GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n"],
        ["GET / HTTP/1.1\r\nA b: c\r\n\r\n"],
        [get("/", "Content-Length: x", "POST")],
        [get("/", "Content-Length: 1\nContent-Length: 2", "POST")],
        [get("/", "Transfer-Encoding: foo", "POST")],
      ],
    },
    {
      name: "a malformed chunk is refused",
      clients: [[`${get("/", "Transfer-Encoding: chunked", "POST")}zz\r\nabc\r\n`]],
      servers: [["read", ok()]],
    },
    {
      name: "a chunked response passes",
      clients: [[get("/")], [get("/")]],
      servers: [
        ["read", head("200 OK", "Transfer-Encoding: chunked"), chunked("one", "two", "three")],
        ["read", head("200 OK", "Transfer-Encoding: chunked"), "3\r\nabc\r\n", 10, "0\r\nX-After: 1\r\n\r\n"],
      ],
    },
    {
      name: "a chunked response is unwrapped for HTTP/1.0",
      clients: [[old("/")]],
      servers: [["read", head("200 OK", "Transfer-Encoding: chunked"), chunked("one", "two", "three")]],
    },
    {
      name: "a response until close passes",
      clients: [[get("/")], [old("/")]],
      servers: [["read", head("200 OK", "X-Kind: endless"), "some ", 10, "bytes", END]],
    },
    {
      name: "statuses without a body have none",
      clients: [[get("/")], [get("/")], [get("/", "", "HEAD")]],
      servers: [
        ["read", head("204 No Content")],
        ["read", head("304 Not Modified", "ETag: x\nContent-Length: 100")],
        ["read", head("200 OK", "Content-Length: 1000")],
      ],
    },
    {
      name: "a response of HTTP/1.0 is passed on as the version that we speak",
      clients: [[get("/")], [get("/")]],
      servers: [
        ["read", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", END],
        ["read", "HTTP/1.0 200 OK\r\n\r\nhi", END],
      ],
    },
    {
      name: "odd reason phrases pass",
      clients: [[get("/")], [get("/")], [get("/")]],
      servers: [
        ["read", ok("x", "", "299 Very Fine Indeed!")],
        ["read", ok("x", "", "200 ")],
        ["read", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx"],
      ],
    },
    {
      name: "broken responses become 502",
      clients: [[get("/")], [get("/")], [get("/")], [get("/")]],
      servers: [
        ["read", "garbage\r\n\r\n", END],
        ["read", "HTTP/1.1 20x OK\r\n\r\n", END],
        ["read", "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n", END],
        ["read", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", END],
      ],
    },
    {
      name: "a server that closes without a word gives 502",
      clients: [[get("/")], [get("/")], [get("/")]],
      servers: [
        ["read", END],
        ["read", RESET],
        ["read", "HTTP/1.1 200", END],
      ],
    },
    {
      name: "a cut response is cut for the client too",
      clients: [[get("/")], [get("/")]],
      servers: [
        ["read", head("200 OK", "Content-Length: 100"), "only this", 30, END],
        ["read", head("200 OK", "Transfer-Encoding: chunked"), "5\r\nhello\r\n", 30, END],
      ],
    },
    {
      name: "interim responses pass",
      clients: [
        [get("/", "Expect: 100-continue\nContent-Length: 3", "POST"), { until: "100 " }, "abc"],
        [get("/")],
      ],
      servers: [
        [head("100 Continue"), "read", ok()],
        ["read", head("103 Early Hints", "Link: </x>"), ok()],
      ],
    },
    {
      name: "a large response arrives whole",
      clients: [[get("/")]],
      servers: [["read", ok("x".repeat(300_000))]],
    },
    { name: "a large request arrives whole", clients: [[post("/", "y".repeat(300_000))]] },
    {
      name: "after an early answer the rest of the request is still taken",
      clients: [
        [get("/", "Content-Length: 8", "POST"), "part", { until: "enough" }, 20, "rest", get("/next")],
      ],
      servers: [
        [ok("enough"), "read"],
        ["read", ok()],
      ],
      responses: 2,
    },
    {
      name: "a server that answers early and closes ends the request",
      clients: [
        [get("/", "Content-Length: 8", "POST"), "part", { until: "enough" }, 50, "rest", get("/next")],
      ],
      servers: [
        [ok("enough"), 10, END],
        ["read", ok()],
      ],
      responses: 2,
    },
    {
      name: "an early answer to a request without end waits for the client",
      clients: [[`${get("/", "Content-Length: 100", "POST")}part`, { until: "enough" }, 40, CUT]],
      servers: [[ok("enough"), "read"]],
    },
    {
      name: "a server that answers early and resets ends the request",
      clients: [[`${get("/", "Content-Length: 8", "POST")}part`, { until: "enough" }, 500, "rest"]],
      // Long before the rest comes, also where the machine is busy.
      servers: [[ok("enough"), 10, RESET]],
    },
    {
      name: "an upload with an early answer and a closed server",
      clients: [[get("/", "Content-Length: 200000", "POST"), "z".repeat(5000), { until: "413" }]],
      servers: [[ok("too much", "", "413 Payload Too Large"), 10, END]],
    },
  ],
};
