// Backends that send what nothing binds to a server to one address or to where the client wanted to go, and
// server connections that are not alike: which request may meet which of them again.
import type { CaseGroup } from "../comparison.ts";
import { get } from "./text.ts";

export const DISPATCH: CaseGroup = {
  name: "dispatch",
  configuration: `
global
  log 127.0.0.1:{log} local3
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 3s
  timeout connect 1s
frontend web
  bind 127.0.0.1:{front1}
  use_backend anywhere if { path_beg /anywhere }
  use_backend portless if { path_beg /port }
  default_backend one
backend one
  cookie S insert
  dispatch 127.0.0.1:{b}
  http-response set-header X-Name <%[srv_name]>
  server a 127.0.0.1:{a} cookie a
backend anywhere
  option transparent
  http-request set-dst-port int({a}) if { path_end /a }
  http-request set-dst-port int({b}) if { path_end /b }
backend portless
  http-reuse always
  http-request set-dst-port int({a}) if { path_end /a }
  http-request set-dst-port int({b}) if { path_end /b }
  server any 127.0.0.1:0
`,
  cases: [
    { name: "dispatch takes what no cookie binds to a server", clients: [[get("/")]] },
    { name: "a cookie's server comes before dispatch", clients: [[get("/", "Cookie: S=a")]] },
    { name: "an unknown cookie leads to dispatch", clients: [[get("/", "Cookie: S=z")]] },
    {
      name: "option transparent connects to where rules say that the client wanted to go",
      clients: [[get("/anywhere/a")], [get("/anywhere/b")]],
    },
    {
      name: "an idle connection is not reused for another port of the same server",
      clients: [[get("/port/a"), get("/port/b"), get("/port/a")]],
      servers: Array.from({ length: 3 }, () => [
        "read",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Server: NAME\r\n\r\nhello",
      ]),
      responses: 3,
      logs: 3,
    },
  ],
};
