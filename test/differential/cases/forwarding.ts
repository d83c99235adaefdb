// What servers are told of clients, what logs say, and the services that the proxy itself offers.
import type { CaseGroup } from "../comparison.ts";
import { get, head, ok, post } from "./text.ts";

const V2 = Buffer.from(
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x0a\x01\x02\x03\x0a\x04\x05\x06\x1f\x90\x00\x50",
  "latin1",
);

export const FORWARDING: CaseGroup = {
  name: "forwarding, logs and services",
  configuration: `
global
  log 127.0.0.1:{log} local6
defaults
  mode http
  log global
  option httplog
  timeout client 2s
  timeout server 2s
  timeout connect 1s
frontend web
  bind 127.0.0.1:{front1}
  option forwardfor if-none except 127.0.0.8
  option originalto except 127.0.0.0/8
  monitor-uri /monitor
  monitor fail if { nbsrv(empty) gt 0 }
  unique-id-format %[src]-%[req.hdr(X-Id)]
  unique-id-header X-Unique
  http-request wait-for-body time 200ms at-least 4 if { path /wait-some }
  http-request wait-for-body time 150ms if { path /wait }
  http-request set-header X-Body %[req.body] if { path_beg /wait }
  http-request set-log-level silent if { path /quiet }
  use_backend empty if { path /empty }
  use_backend bodies if { path_beg /bodies }
  use_backend names-deleted if { path /names/deleted }
  use_backend names-rejected if { path_beg /names/rejected }
  default_backend plain
frontend formats
  bind 127.0.0.1:{front2}
  option forwardfor header X-Real
  http-request set-var(txn.host) hdr(host)
  log-format "%ci %ft %b %s %ST %TR/%Tw %tsc %rc %{+Q}r %HM %HP %HQ %HV %[src] %{+Q}[var(txn.host)]"
  default_backend proxied
frontend proxied-in
  bind 127.0.0.1:{front3} accept-proxy
  option forwardfor
  default_backend proxied-v1
frontend buffers
  bind 127.0.0.1:{front4}
  option http-buffer-request
  http-request set-header X-Body %[req.body]
  timeout http-request 150ms
  default_backend plain
frontend old-names
  bind 127.0.0.1:{front5}
  option accept-invalid-http-request
  option dontlog-normal
  option log-separate-errors
  default_backend plain
backend names-deleted
  option http-restrict-req-hdr-names delete
  http-request add-header own_name 1
  server a 127.0.0.1:{a}
backend names-rejected
  option http-restrict-req-hdr-names reject
  http-request return status 200 if { path_end /early }
  server a 127.0.0.1:{a}
backend bodies
  http-response wait-for-body time 200ms if { status 200 }
  http-response wait-for-body time 200ms at-least 4 if { status 201 }
  http-response set-header X-Body %[res.body,hex]/%[res.body_len]/%[res.body_size] if { status 200 }
  server a 127.0.0.1:{a}
backend plain
  option accept-invalid-http-response
  server a 127.0.0.1:{a}
backend empty
backend proxied
  http-send-name-header X-Server-Name
  server b 127.0.0.1:{b} send-proxy-v2
backend proxied-v1
  server b 127.0.0.1:{b} send-proxy
`,
  cases: [
    {
      name: "header names that CGI would confuse are deleted or refused",
      clients: [
        [get("/names/deleted", "X-User: me\nX_User: root\nX.User: root")],
        [get("/names/rejected", "X_User: root")],
        [get("/names/rejected", "X-User: me")],
        [get("/names/rejected/early", "X_User: root")],
      ],
    },
    {
      name: "forwardfor only where there is none, and not for the excepted",
      clients: [[get("/")], [get("/", "X-Forwarded-For: 1.2.3.4")], [get("/")]],
      from: ["127.0.0.1", "127.0.0.2", "127.0.0.8"],
    },
    {
      name: "monitor-uri answers itself and is not logged",
      clients: [[get("/monitor")], [get("/monitor", "", "HEAD")], [get("/monitor?x")]],
      logs: 1,
    },
    { name: "unique ids are made of formats", clients: [[get("/", "X-Id: 77")]] },
    {
      name: "wait-for-body shows the body to rules",
      clients: [
        [`${get("/wait", "Content-Length: 6", "POST")}abc`, 40, "def"],
        [`${get("/wait", "Transfer-Encoding: chunked", "POST")}3\r\nabc\r\n`, 30, "0\r\n\r\n"],
        [get("/wait")],
      ],
    },
    {
      name: "wait-for-body goes on with enough",
      clients: [[`${get("/wait-some", "Content-Length: 9", "POST")}abcdef`, 40, "ghi"]],
    },
    { name: "wait-for-body gives up", clients: [[`${get("/wait", "Content-Length: 6", "POST")}abc`]] },
    {
      name: "responses wait for their bodies, show them to rules, and go on with enough",
      clients: [[get("/bodies")], [get("/bodies")], [get("/bodies")], [get("/bodies", "", "HEAD")]],
      servers: [
        ["read", `${head("200 OK", "Content-Length: 6")}abc`, 40, "def"],
        ["read", `${head("200 OK", "Transfer-Encoding: chunked")}3\r\nabc\r\n`, 40, "0\r\n\r\n"],
        ["read", `${head("201 Created", "Content-Length: 9")}abcdef`, 40, "ghi"],
        ["read", head("200 OK", "Content-Length: 6")],
      ],
    },
    {
      name: "a response whose body does not come is 504, one that is cut is cut",
      clients: [[get("/bodies")], [get("/bodies")]],
      servers: [
        ["read", `${head("200 OK", "Content-Length: 6")}abc`, 400],
        ["read", `${head("200 OK", "Content-Length: 6")}abc`, { end: true }],
      ],
    },
    {
      name: "a client that expects 100 is asked for its body by the proxy",
      clients: [[get("/wait", "Expect: 100-continue\nContent-Length: 4", "POST"), { until: "100 " }, "body"]],
    },
    {
      name: "buffered requests show their body to rules",
      front: "front4",
      clients: [[`${get("/", "Content-Length: 6", "POST")}abc`, 40, "def"], [post("/", "whole")], [get("/")]],
    },
    {
      name: "a buffered request that does not end is 408",
      front: "front4",
      clients: [[`${get("/", "Content-Length: 6", "POST")}abc`]],
    },
    { name: "silent requests are not logged", clients: [[get("/quiet")], [get("/")]], logs: 1 },
    {
      name: "log formats and PROXY v2 to the server",
      front: "front2",
      clients: [[get("/path;x?query=1")], [post("/p%20q]", "body")]],
    },
    {
      name: "a PROXY header of version 1 is believed",
      front: "front3",
      clients: [
        [`PROXY TCP4 10.1.2.3 10.4.5.6 8080 80\r\n${get("/")}`],
        [`PROXY UNKNOWN\r\n${get("/")}`],
        [`PROXY TCP6 2001:db8::1 2001:db8::2 8080 80\r\n${get("/")}`],
      ],
    },
    { name: "a PROXY header of version 2 is believed", front: "front3", clients: [[V2, get("/")]] },
    {
      name: "a missing PROXY header ends the connection",
      front: "front3",
      clients: [[get("/")]],
      responses: 0,
      logs: 1,
    },
    {
      name: "normal requests are not logged, faulty ones are",
      front: "front5",
      clients: [[get("/")], [get("/")]],
      servers: [
        ["read", ok()],
        ["read", ok("x", "", "500 Oops")],
      ],
      logs: 1,
    },
    {
      name: "invalid bytes in a target pass where they are accepted",
      front: "front5",
      clients: [["GET /a\x80b HTTP/1.1\r\nHost: a\r\n\r\n"]],
      logs: 0,
    },
    {
      name: "a status line without a reason passes",
      clients: [[get("/")]],
      servers: [["read", head("200").replace("200\r\n", "200 \r\n"), { end: true }]],
    },
    {
      name: "logs escape what is not printable",
      clients: [[get('/"quotes"')], [get("/", "User-Agent: \xff")]],
    },
  ],
};
