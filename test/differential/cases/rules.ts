// Rules: which backend, what is changed on the way, and the replies of our own.
import type { CaseGroup } from "../comparison.ts";
import { get, head, ok, old, post } from "./text.ts";

export const RULES: CaseGroup = {
  name: "rules",
  configuration: `
global
  log 127.0.0.1:{log} local2
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 3s
  timeout connect 1s
  timeout tarpit 60ms
  errorfile 503 {directory}/503.http
userlist people
  user ann insecure-password secret
frontend web
  bind 127.0.0.1:{front1}
  monitor-uri /alive
  acl is-api path_beg /api
  acl is-admin hdr(host) -i admin.example
  acl is-post method POST
  acl has-token req.cook(token) -m found
  acl is-near src 127.0.0.9
  http-request set-var(txn.kind) str(api) if is-api
  http-request deny if { path /deny }
  http-request deny deny_status 429 if { path /slow-down }
  http-request deny status 403 content-type text/plain string "go away" if { path /own-deny }
  http-request tarpit if { path /tarpit }
  http-request tarpit deny_status 403 if { path /tarpit-403 }
  http-request return status 200 content-type text/plain string "hello there" hdr X-Made "by %[path]" if { path /return }
  http-request return status 200 content-type text/plain lf-string "path=%[path] host=%[hdr(host)]" if { path /return-lf }
  http-request return status 204 if { path /return-204 }
  http-request return status 404 default-errorfiles if { path /return-404 }
  http-request return status 200 if { path /return-empty }
  http-request return status 200 hdr X-Nothing %[req.hdr(nobody)] hdr X-Some %[path] if { path /return-headers }
  http-request deny deny_status 500 errorfile /dev/null if { path /deny-silently }
  http-request auth realm "the realm" if { path_beg /private } !{ http_auth(people) }
  http-request redirect location /elsewhere if { path /r-location }
  http-request redirect code 301 prefix https://other.example if { path_beg /r-prefix }
  http-request redirect scheme https code 308 if { path_beg /r-scheme }
  http-request redirect code 303 location /clear clear-cookie ID= set-cookie SEEN=1 if { path /r-cookies }
  http-request redirect prefix https://drop.example drop-query append-slash if { path_beg /r-drop }
  http-request reject if { path /reject }
  http-request silent-drop if { path /silent }
  http-request set-header X-Set one
  http-request set-header X-Client %[src]
  http-request add-header X-Add %[req.hdr(X-Add)]
  http-request del-header X-Del
  http-request del-header ^x-regex -m reg
  http-request replace-header X-Replace ^(.*)b(.*)$ \\1B\\2
  http-request replace-value X-List old new
  http-request set-path /new%[path] if { path_beg /set-path }
  http-request set-query a=%[url_param(q)]&b=2 if { path_beg /set-query }
  http-request set-uri /changed?x=1 if { path /set-uri }
  http-request set-method PATCH if { path /set-method }
  http-request replace-path ^/old/(.*)$ /fresh/\\1
  http-request replace-pathq /pq/(.*) /qp/\\1
  http-request replace-uri ^/ru(.*) /ur\\1
  http-request set-pathq /whole?pq=1 if { path /set-pathq }
  http-request capture req.hdr(user-agent) len 10
  http-response set-header X-Resp yes
  http-response add-header X-Resp second
  http-response del-header Server
  http-response replace-header X-Replace a(.) b\\1
  http-response set-status 418 reason "short and stout" if { status 201 }
  http-response deny if { status 402 }
  http-response return status 200 content-type text/plain string "instead" if { status 409 }
  http-response redirect location /after if { status 410 }
  http-after-response set-header X-After always
  http-after-response set-header X-Blank "a: "
  http-after-response set-header X-Blanks %[res.fhdr(X-Blank)]|%[res.hdr(X-Blank)]|
  use_backend admin if is-admin
  use_backend api if is-api !is-post
  use_backend api-post if is-api is-post
  use_backend near if is-near
  use_backend %[path,word(2,/)] if { path_beg /by-name/ } { path_beg /dyn }
  use_backend nobody if { path_beg /nobody }
  use_backend token if has-token or { url_param(token) -m found }
  default_backend web
backend web
  server w 127.0.0.1:{a}
backend admin
  http-request set-header X-Backend admin
  server adm 127.0.0.1:{b}
backend api
  http-request set-header X-Kind %[var(txn.kind)]
  http-response set-header X-Api v%[var(txn.kind)]
  server api1 127.0.0.1:{c}
backend api-post
  server api2 127.0.0.1:{c}
backend near
  server n 127.0.0.1:{b}
backend token
  server t 127.0.0.1:{b}
backend nobody
`,
  cases: [
    {
      name: "backends are chosen by path, host, method, address and cookie",
      clients: [
        [get("/")],
        [get("/api/x")],
        [post("/api/x", "b")],
        ["GET / HTTP/1.1\r\nHost: ADMIN.example\r\n\r\n"],
        [get("/", "Cookie: token=1")],
        [get("/?token=2")],
      ],
    },
    { name: "an address chooses the backend", clients: [[get("/")]], from: ["127.0.0.9"] },
    { name: "a backend without servers is 503", clients: [[get("/nobody/1")]] },
    {
      name: "deny answers 403, or as it says",
      clients: [
        [get("/deny")],
        [get("/slow-down")],
        [get("/own-deny")],
        [get("/deny", "", "HEAD")],
        [old("/deny")],
      ],
    },
    {
      name: "deny with a body that is not all here",
      clients: [[get("/deny", "Content-Length: 10", "POST"), "abc"], [post("/deny", "abc") + get("/")]],
    },
    { name: "tarpit answers late", clients: [[get("/tarpit")], [get("/tarpit-403")]] },
    {
      name: "return answers at once",
      clients: [
        [get("/return")],
        [get("/return-lf?x")],
        [get("/return-204")],
        [get("/return-404")],
        [get("/return-empty")],
        [get("/return", "", "HEAD")],
      ],
    },
    { name: "a reply's header that comes out empty is left out", clients: [[get("/return-headers")]] },
    { name: "an empty errorfile of a rule closes without a word", clients: [[get("/deny-silently")]] },
    {
      name: "a path to monitor is found in absolute targets too",
      clients: [[get("http://shop.example/alive"), get("http://shop.example/alive?no"), get("/ALIVE")]],
      responses: 3,
      logs: 2,
    },
    {
      name: "our own replies keep the connection",
      clients: [[get("/return") + get("/deny") + get("/")]],
      responses: 3,
    },
    {
      name: "authentication is asked for and accepted",
      clients: [
        [get("/private/x")],
        [get("/private/x", "Authorization: Basic YW5uOnNlY3JldA==")],
        [get("/private/x", "Authorization: Basic YW5uOndyb25n")],
      ],
    },
    {
      name: "redirects lead elsewhere",
      clients: [
        [get("/r-location")],
        [get("/r-prefix/a?b=c")],
        [get("/r-scheme/a?b")],
        [get("/r-cookies")],
        [get("/r-drop/dir?q=1")],
        [get("/r-location", "", "POST")],
        [old("/r-location")],
      ],
    },
    { name: "reject closes without a word", clients: [[get("/reject")]], responses: 0, logs: 1 },
    {
      name: "headers are set, added, removed and replaced",
      clients: [
        [
          get(
            "/",
            "X-Set: zero\nX-Set: again\nX-Add: v\nX-Del: 1\nx-del: 2\nX-Regex-One: 1\nX-Replace: abc\nX-Replace: cab\nX-List: old, older,old",
          ),
        ],
      ],
    },
    {
      name: "paths, queries, methods and whole targets are changed",
      clients: [
        [get("/set-path/a?b=1")],
        [get("/set-query?q=7")],
        [get("/set-uri?gone")],
        [get("/set-method")],
        [get("/old/place?x=1")],
        [get("/pq/rest?x")],
        [get("/ru/n?m")],
        [get("/set-pathq?z")],
      ],
    },
    {
      name: "an absolute target keeps its authority when its path changes",
      clients: [
        ["GET http://shop.example/set-path/1?x HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
        ["GET http://shop.example/set-uri HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
      ],
    },
    {
      name: "response headers are set, added, removed and replaced",
      clients: [[get("/")]],
      servers: [["read", ok("x", "Server: IIS\nX-Resp: own\nX-Replace: ab\nserver: again")]],
    },
    {
      name: "a status is changed with its reason",
      clients: [[get("/")]],
      servers: [["read", ok("x", "", "201 Created")]],
    },
    { name: "a response is denied", clients: [[get("/")]], servers: [["read", ok("x", "", "402 Pay")]] },
    {
      name: "a response is replaced and redirected",
      clients: [[get("/")], [get("/")]],
      servers: [
        ["read", ok("x", "", "409 Conflict")],
        ["read", ok("x", "", "410 Gone")],
      ],
    },
    {
      name: "backend rules run behind the frontend's",
      clients: [[get("/api")], ["GET / HTTP/1.1\r\nHost: admin.example\r\n\r\n"]],
    },
    {
      name: "headers are captured into the log",
      clients: [[get("/", "User-Agent: curl/7.88.1-long")], [get("/")]],
    },
    {
      name: "502 of a broken server carries our rules",
      clients: [[get("/")]],
      servers: [["read", "nonsense\r\n\r\n"]],
    },
    {
      name: "a host is compared without its case and with its port",
      clients: [
        ["GET / HTTP/1.1\r\nHost: admin.example:80\r\n\r\n"],
        ["GET / HTTP/1.1\r\nHost: Admin.Example\r\n\r\n"],
      ],
    },
    {
      name: "HEAD is changed like GET",
      clients: [[get("/", "", "HEAD")]],
      servers: [["read", head("200 OK", "Content-Length: 3\nServer: x")]],
    },
  ],
};
