// TCP mode: bytes both ways, half closes, timeouts, PROXY headers, content rules, and logs.
import type { CaseGroup } from "../comparison.ts";
import { CUT, HALF_CLOSE } from "../conversation.ts";
import { ECHO, END } from "../origin.ts";
import { get, ok } from "./text.ts";

export const TCP: CaseGroup = {
  name: "tcp mode",
  configuration: `
global
  log 127.0.0.1:{log} local7
defaults
  mode tcp
  log global
  option tcplog
  timeout client 500ms
  timeout server 400ms
  timeout connect 100ms
  retries 1
listen plain
  bind 127.0.0.1:{front1}
  server a 127.0.0.1:{a}
listen dead
  bind 127.0.0.1:{front2}
  server d 127.0.0.1:{dead}
listen proxied
  bind 127.0.0.1:{front3}
  server b 127.0.0.1:{b} send-proxy
listen inspected
  bind 127.0.0.1:{front4}
  tcp-request inspect-delay 100ms
  tcp-request content reject if { req.payload(0,3) -m str BAD }
  tcp-request content accept if { req.len ge 3 }
  server c 127.0.0.1:{c}
listen refused
  bind 127.0.0.1:{front5}
  tcp-request connection reject if { src 127.0.0.5 }
  tcp-request content reject if { src 127.0.0.6 }
  balance source
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
listen no-server
  bind 127.0.0.1:{front6}
  server a 127.0.0.1:{a} disabled
`,
  cases: [
    {
      name: "bytes go both ways",
      clients: [[get("/"), { until: "hello" }, HALF_CLOSE]],
      servers: [["read", ok(), END]],
      responses: 0,
      logs: 1,
    },
    {
      name: "bytes are echoed until the client ends",
      clients: [[get("/"), { until: "x" }, 30, "more", { until: "more" }, HALF_CLOSE]],
      servers: [["read", "x", ECHO]],
      responses: 0,
      logs: 1,
    },
    {
      name: "the server may end first",
      clients: [[get("/")]],
      servers: [["read", "some bytes", END]],
      responses: 0,
      logs: 1,
    },
    {
      name: "a cut client ends the connection",
      clients: [[get("/"), { until: "x" }, CUT]],
      servers: [["read", "x", ECHO]],
      responses: 0,
      logs: 1,
    },
    {
      name: "a reset server ends the connection",
      clients: [[get("/")]],
      servers: [["read", "x", 20, { reset: true }]],
      responses: 0,
      logs: 1,
    },
    { name: "a dead server closes the client", front: "front2", clients: [["hello"]], responses: 0, logs: 1 },
    {
      name: "a silent server times out",
      clients: [[get("/")]],
      servers: [["read", 2000]],
      responses: 0,
      logs: 1,
    },
    {
      name: "a server gets a PROXY header",
      front: "front3",
      clients: [[get("/"), { until: "hello" }, HALF_CLOSE]],
      responses: 0,
      logs: 1,
      from: ["127.0.0.4"],
    },
    {
      name: "content rules wait for content",
      front: "front4",
      clients: [["GE", 20, "T / HTTP/1.1\r\n\r\n", { until: "hello" }, HALF_CLOSE], ["BAD stuff"]],
      responses: 0,
      logs: 2,
    },
    {
      name: "rejected connections are closed",
      front: "front5",
      clients: [["hello"], ["hello"]],
      from: ["127.0.0.5", "127.0.0.6"],
      responses: 0,
      logs: 1,
    },
    { name: "no server closes the client", front: "front6", clients: [["hello"]], responses: 0, logs: 1 },
    {
      name: "large transfers arrive whole",
      clients: [[get("/"), { until: "THE END" }, HALF_CLOSE]],
      servers: [["read", "y".repeat(500_000), "THE END", END]],
      responses: 0,
      logs: 1,
    },
  ],
};
