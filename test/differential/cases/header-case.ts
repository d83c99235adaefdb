// `h1-case-adjust`: names of headers as peers want them who take case for a part of them.
import type { CaseGroup } from "../comparison.ts";
import { get, ok } from "./text.ts";

export const HEADER_CASE: CaseGroup = {
  name: "names of headers in another case",
  configuration: `
global
  log 127.0.0.1:{log} local6
  h1-case-adjust host hOsT
  h1-case-adjust x-forwarded-for X-FoRwarded-For
  h1-case-adjust content-length Content-Length
  h1-case-adjust location LOCATION
  h1-case-adjust set-cookie Set-COOKIE
  h1-case-adjust x-a X-A
defaults
  mode http
  log global
  option httplog
  timeout client 2s
  timeout server 2s
  timeout connect 1s
frontend bogus
  bind 127.0.0.1:{front1}
  option h1-case-adjust-bogus-client
  http-request redirect location /elsewhere if { path /redirect }
  http-request deny if { path /deny }
  http-request return status 200 hdr x-a v if { path /return }
  use_backend plain if { path_beg /plain }
  default_backend bogus
frontend standard
  bind 127.0.0.1:{front2}
  default_backend bogus
backend bogus
  option forwardfor
  option h1-case-adjust-bogus-server
  cookie S insert
  server a 127.0.0.1:{a} cookie A
backend plain
  option forwardfor
  server a 127.0.0.1:{a}
`,
  cases: [
    ...["/", "/plain", "/redirect", "/deny", "/return"].map((path) => ({
      name: `${path} for a client that wants another case`,
      clients: [[get(path, "x-a: 1\nX-a: 2\nX-AB: 3")]],
      servers: [["read", ok("x", "X-a: x-a: 1\nx-b: 2")]],
    })),
    {
      name: "only the server wants another case",
      front: "front2",
      clients: [[get("/", "x-a: 1")]],
      servers: [["read", ok("x", "X-a: 1")]],
    },
    {
      name: "what was no request is answered in HAProxy's own case",
      clients: [["GET / HTTP/1.1\r\nhost\r\n\r\n"]],
    },
  ],
};
