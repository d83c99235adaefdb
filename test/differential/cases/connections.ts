// Which connections live on: keep-alive and its headers, pipelining, the three connection modes, reuse,
// upgrades.
import type { CaseGroup } from "../comparison.ts";
import { CUT, HALF_CLOSE } from "../conversation.ts";
import { ECHO, END } from "../origin.ts";
import { chunked, get, head, ok, old, post } from "./text.ts";

const UPGRADE = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: x";
const SWITCH = head("101 Switching Protocols", "Connection: Upgrade\nUpgrade: websocket");

export const CONNECTIONS: CaseGroup = {
  name: "connections",
  configuration: `
global
  log 127.0.0.1:{log} local1 info
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 3s
  timeout connect 1s
listen keep
  bind 127.0.0.1:{front1}
  http-reuse always
  server s1 127.0.0.1:{a}
frontend close
  bind 127.0.0.1:{front2}
  option httpclose
  default_backend plain
frontend server-close
  bind 127.0.0.1:{front3}
  option http-server-close
  default_backend plain
listen never
  bind 127.0.0.1:{front4}
  http-reuse never
  server s3 127.0.0.1:{c}
listen safe
  bind 127.0.0.1:{front5}
  http-reuse safe
  server s3 127.0.0.1:{c}
listen pretend
  bind 127.0.0.1:{front6}
  option http-server-close
  option http-pretend-keepalive
  server s2 127.0.0.1:{b}
backend plain
  server s2 127.0.0.1:{b}
`,
  cases: [
    {
      name: "a connection serves several requests",
      clients: [[get("/1"), { until: "hello" }, get("/2")]],
      responses: 2,
    },
    {
      name: "pipelined requests are answered in order",
      clients: [[get("/1") + get("/2") + get("/3")]],
      responses: 3,
      servers: [
        ["read", ok("one")],
        ["read", ok("two")],
        ["read", ok("three")],
      ],
    },
    {
      name: "pipelined requests with bodies are found behind each other",
      clients: [
        [
          post("/1", "body") +
            get("/2", "Transfer-Encoding: chunked", "POST") +
            chunked("a", "b") +
            get("/3"),
        ],
      ],
      responses: 3,
    },
    {
      name: "empty lines before a request are passed over",
      clients: [[`\r\n${get("/")}`], [`${get("/1")}\r\n\r\n${get("/2")}`, { until: "hello" }]],
      responses: [1, 2],
      logs: 3,
    },
    {
      name: "the client may close",
      clients: [[get("/", "Connection: close")], [get("/", "connection: Close, x")]],
    },
    {
      name: "HTTP/1.0 with keep-alive is kept",
      clients: [[old("/", "Connection: keep-alive"), { until: "hello" }, old("/", "Connection: Keep-Alive")]],
      responses: 2,
    },
    { name: "HTTP/1.0 without keep-alive is closed", clients: [[old("/")], [old("/", "Connection: close")]] },
    {
      name: "a server of HTTP/1.0 with keep-alive",
      clients: [[get("/"), { until: "hi" }, get("/")]],
      responses: 2,
      servers: [
        ["read", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"],
        ["read", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nho", END],
      ],
    },
    {
      name: "a server that closes after its answer does not close the client",
      clients: [[get("/"), { until: "hi" }, get("/")]],
      responses: 2,
      servers: [
        ["read", ok("hi", "Connection: close"), END],
        ["read", ok("ho")],
      ],
    },
    {
      name: "a response until close closes the client",
      clients: [[get("/")]],
      servers: [["read", head("200 OK"), "endless", END]],
    },
    {
      name: "Connection, Keep-Alive and Proxy-Connection of servers",
      clients: [[get("/")], [get("/")], [get("/")]],
      servers: [
        ["read", ok("x", "Connection: keep-alive\nKeep-Alive: timeout=5")],
        ["read", ok("x", "Connection: X-Own\nX-Own: 1")],
        ["read", ok("x", "Proxy-Connection: close")],
      ],
    },
    {
      name: "a half-closed client still gets its answer",
      clients: [[get("/"), HALF_CLOSE]],
      servers: [["read", 30, ok()]],
    },
    {
      name: "a half-closed client gets all pipelined answers",
      clients: [[get("/1") + get("/2"), 20, HALF_CLOSE]],
      servers: [
        ["read", 60, ok()],
        ["read", ok()],
      ],
      responses: 2,
    },
    {
      name: "a client that leaves without a request is told and logged",
      clients: [[HALF_CLOSE]],
      responses: 0,
      logs: 1,
    },
    {
      name: "a client that leaves in the middle of a head",
      clients: [
        ["GET / HTTP/1.1\r\nHo", HALF_CLOSE],
        ["GET / HTTP/1.1\r\nHo", 20, CUT],
      ],
      responses: 0,
      logs: 2,
    },
    {
      name: "a client that leaves in the middle of its body",
      front: "front4",
      clients: [[`${get("/", "Content-Length: 10", "POST")}abc`, 20, HALF_CLOSE]],
      servers: [["read", ok()]],
    },
    {
      name: "a client that is cut while the server thinks",
      front: "front4",
      clients: [[get("/"), 150, CUT]],
      servers: [["read", 400, ok()]],
      responses: 0,
      logs: 1,
    },
    {
      name: "a client that is cut during the response",
      front: "front4",
      clients: [[get("/"), { until: "some" }, 20, CUT]],
      servers: [["read", head("200 OK", "Content-Length: 1000"), "some", 400, "more".repeat(200)]],
      responses: 0,
      logs: 1,
    },
    {
      name: "WebSocket upgrades become tunnels",
      clients: [
        [
          get("/chat", UPGRADE),
          { until: "101" },
          "ping",
          { until: "ping" },
          20,
          "pong",
          { until: "pong" },
          CUT,
        ],
      ],
      servers: [[SWITCH, ECHO]],
      logs: 1,
    },
    {
      name: "a tunnel ends when the server ends",
      clients: [[get("/chat", UPGRADE), { until: "bye" }]],
      servers: [[SWITCH, "hi ", 10, "bye", END]],
      responses: 0,
      logs: 1,
    },
    {
      name: "an upgrade that is refused is an ordinary answer",
      clients: [[get("/chat", UPGRADE), { until: "hello" }, get("/2")]],
      responses: 2,
    },
    {
      name: "bytes behind an upgrade go through the tunnel",
      clients: [[`${get("/chat", UPGRADE)}early`, { until: "early" }, CUT]],
      servers: [[SWITCH, ECHO]],
      logs: 1,
    },
    {
      name: "an upgrade to h2c is passed on",
      clients: [[get("/", "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk")]],
    },
    {
      name: "CONNECT opens a tunnel",
      clients: [
        [
          "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n",
          { until: "200" },
          "data",
          { until: "data" },
          CUT,
        ],
      ],
      servers: [[head("200 Connected"), ECHO]],
      responses: 0,
      logs: 1,
    },
    {
      name: "CONNECT that is refused keeps the connection",
      clients: [["CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n"]],
      servers: [["read", ok("no", "", "403 Forbidden")]],
    },
    {
      name: "Expect without a body and with one",
      clients: [
        [get("/", "Expect: 100-continue\nContent-Length: 4", "POST"), 30, "body"],
        [get("/", "Expect: 100-continue")],
      ],
    },
    {
      name: "several interim responses pass",
      clients: [[get("/")]],
      servers: [
        ["read", head("103 Early Hints", "Link: </a>"), head("103 Early Hints", "Link: </b>"), ok("x")],
      ],
    },
    {
      name: "interim responses are not for HTTP/1.0",
      clients: [[old("/")]],
      servers: [["read", head("103 Early Hints", "Link: </a>"), ok("x")]],
    },
    {
      name: "httpclose closes both sides",
      front: "front2",
      clients: [[get("/")], [get("/", "Connection: keep-alive")], [old("/", "Connection: keep-alive")]],
    },
    {
      name: "http-server-close keeps the client only",
      front: "front3",
      clients: [[get("/1"), { until: "hello" }, get("/2")], [old("/", "Connection: keep-alive")]],
      responses: [2, 1],
      logs: 3,
    },
    {
      name: "pretended keep-alive hides the close from the server",
      front: "front6",
      clients: [[get("/1"), { until: "hello" }, get("/2")]],
      responses: 2,
    },
    {
      name: "http-reuse never gives each client its own connection",
      front: "front4",
      clients: [
        [get("/1"), { until: "hello" }, get("/2")],
        [get("/3"), { until: "hello" }, get("/4")],
      ],
      responses: 2,
    },
    {
      name: "http-reuse safe opens a connection for a first request",
      front: "front5",
      clients: [
        [get("/1"), { until: "hello" }, get("/2")],
        [get("/3"), { until: "hello" }, get("/4")],
      ],
      responses: 2,
    },
    { name: "http-reuse always takes what is idle", clients: [[get("/1")], [get("/2")]] },
    {
      name: "a connection that NTLM authenticated stays with its client",
      clients: [[get("/1"), { until: "hello" }, get("/2")], [get("/3")]],
      responses: [2, 1],
      logs: 3,
      servers: [
        ["read", ok("hello", "WWW-Authenticate: NTLM", "401 Unauthorized")],
        ["read", ok()],
      ],
    },
    {
      name: "Negotiate is treated like NTLM",
      clients: [[get("/1"), { until: "hello" }, get("/2")], [get("/3")]],
      responses: [2, 1],
      logs: 3,
      servers: [
        ["read", ok("hello", "WWW-Authenticate: Negotiate abc", "401 Unauthorized")],
        ["read", ok()],
      ],
    },
    {
      name: "an idle connection that the server closed is not used again",
      clients: [[get("/1"), { until: "hello" }, 300, get("/2")]],
      responses: 2,
      servers: [
        ["read", ok(), 5, END],
        ["read", ok()],
      ],
    },
    {
      name: "a reused connection that dies under a request is replaced",
      front: "front4",
      clients: [[get("/1"), { until: "hello" }, 100, get("/2")]],
      responses: 2,
      servers: [["read", ok()], [END], ["read", ok("again")]],
      logs: 2,
    },
    {
      name: "bytes behind a response are not taken for the next one",
      front: "front4",
      clients: [[get("/1"), { until: "hello" }, 100, get("/2")]],
      responses: 2,
      servers: [
        ["read", `${ok()}garbage`],
        ["read", ok("fine")],
      ],
    },
    {
      name: "a HEAD request may be followed by another",
      clients: [[get("/1", "", "HEAD") + get("/2")]],
      responses: 2,
      servers: [
        ["read", head("200 OK", "Content-Length: 12")],
        ["read", ok("x")],
      ],
    },
    {
      name: "204 and 304 may be followed by another response",
      clients: [[get("/1") + get("/2") + get("/3")]],
      responses: 3,
      servers: [
        ["read", head("204 No Content", "X: 1")],
        ["read", head("304 Not Modified", "Content-Length: 9")],
        ["read", ok("x")],
      ],
    },
    {
      name: "a malformed second request gets 400 behind the first answer",
      clients: [[`${get("/1")}BAD\r\n\r\n`]],
      responses: 2,
    },
    {
      name: "a large body goes both ways at once",
      clients: [[post("/", "u".repeat(400_000))]],
      servers: [[head("200 OK", "Content-Length: 400000"), "d".repeat(200_000), "read", "d".repeat(200_000)]],
    },
    {
      name: "chunks in single bytes are put together",
      clients: [[get("/")]],
      servers: [
        [
          "read",
          head("200 OK", "Transfer-Encoding: chunked"),
          "5",
          3,
          "\r",
          3,
          "\n",
          3,
          "he",
          3,
          "llo\r",
          3,
          "\n0\r\n",
          3,
          "\r",
          3,
          "\n",
        ],
      ],
    },
    {
      name: "a response head in pieces is put together",
      clients: [[get("/")]],
      servers: [["read", "HTT", 5, "P/1.1 200 OK\r\nCont", 5, "ent-Length: 2\r\n\r", 5, "\nhi"]],
    },
    {
      name: "Content-Length and chunked together",
      clients: [
        [`${get("/", "Content-Length: 3\nTransfer-Encoding: chunked", "POST")}${chunked("abc")}`],
        [get("/")],
      ],
      servers: [
        ["read", ok()],
        ["read", head("200 OK", "Content-Length: 3\nTransfer-Encoding: chunked"), chunked("abcdef")],
      ],
    },
    {
      name: "repeated equal lengths are one",
      clients: [
        [`${get("/", "Content-Length: 3\nContent-Length: 3", "POST")}abc`],
        [`${get("/", "Content-Length: 3, 3", "POST")}abc`],
      ],
    },
  ],
};
