// `retry-on`: answers for which a request is sent once more, to whom, how often, and when it is not.
import type { CaseGroup } from "../comparison.ts";
import { END } from "../origin.ts";
import { get, ok, post } from "./text.ts";

// A connection whose answer is not passed on is not kept here, and is in HAProxy.
const BUSY = "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 4\r\nX-Server: NAME\r\n\r\nbusy";
const ERROR = "HTTP/1.1 500 Mad\r\nConnection: close\r\nContent-Length: 3\r\nX-Server: NAME\r\n\r\nmad";
const busy = ["read", BUSY] as const;
const good = ["read", ok()] as const;

export const RETRIES: CaseGroup = {
  name: "retries of answers",
  configuration: `
global
  log 127.0.0.1:{log} local4
defaults
  mode http
  log global
  option httplog
  timeout client 1s
  timeout http-request 900ms
  timeout server 400ms
  timeout connect 100ms
  retries 2
frontend web
  bind 127.0.0.1:{front1}
  use_backend %[path,word(1,/)]
backend same
  retry-on 503
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
backend other
  retry-on 503
  option redispatch
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
backend third
  retry-on 503
  option redispatch 2
  balance first
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
backend bound
  retry-on 503
  option redispatch
  cookie S insert
  server a 127.0.0.1:{a} cookie a
  server b 127.0.0.1:{b} cookie b
backend empty
  retry-on empty-response
  server a 127.0.0.1:{a}
backend junk
  retry-on junk-response
  server a 127.0.0.1:{a}
backend slow
  retry-on response-timeout
  option redispatch
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
backend all
  retry-on all-retryable-errors
  option redispatch
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
backend buffered
  option http-buffer-request
  retry-on 503
  server a 127.0.0.1:{a}
backend gentle
  retry-on all-retryable-errors
  http-request disable-l7-retry if METH_POST
  server a 127.0.0.1:{a}
backend connected
  retry-on 503
  server d 127.0.0.1:{dead}
backend never
  retry-on 503
  retries 0
  server a 127.0.0.1:{a}
backend none
  retry-on none
  server a 127.0.0.1:{a}
backend named
  retry-on 503
  option redispatch
  http-send-name-header X-Name
  http-response set-header X-Seen %[srv_name]
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
`,
  cases: [
    { name: "a busy server is asked once more", clients: [[get("/same/")]], servers: [busy, good] },
    {
      name: "the last answer is passed on when retries are used up",
      clients: [[get("/same/")]],
      servers: [busy, busy, busy],
    },
    { name: "with redispatch another is asked", clients: [[get("/other/")]], servers: [busy, good] },
    {
      name: "redispatch 2 stays for a retry, and goes then",
      clients: [[get("/third/")]],
      servers: [busy, busy, good],
    },
    {
      name: "a client leaves the server of its cookie at the last retry",
      clients: [[get("/bound/", "Cookie: S=a")]],
      servers: [busy, busy, good],
    },
    {
      name: "a server that closes without an answer is asked again",
      clients: [[get("/empty/")]],
      servers: [["read", END], good],
    },
    {
      name: "a server that always closes is told of as before",
      clients: [[get("/empty/")]],
      servers: [
        ["read", END],
        ["read", END],
        ["read", END],
      ],
    },
    {
      name: "an answer that is none is asked for again",
      clients: [[get("/junk/")]],
      servers: [["read", "nonsense\r\n\r\n", END], good],
    },
    {
      name: "a half head is taken for none",
      clients: [[get("/empty/")]],
      servers: [["read", "HTTP/1.1 200 OK\r\nX-Half: ", END]],
    },
    {
      name: "a silent server is left for another",
      clients: [[get("/slow/")]],
      servers: [["read", 2000], good],
    },
    {
      name: "all errors that may be retried are",
      clients: [[get("/all/")]],
      servers: [["read", ERROR], good],
    },
    {
      name: "a status that is not on the list is passed on",
      clients: [[get("/same/")]],
      servers: [["read", ERROR]],
    },
    {
      name: "a body that is here is sent again",
      clients: [[post("/buffered/", "some bytes")]],
      servers: [busy, good],
    },
    {
      name: "a body in chunks is sent again, and the next request is found behind it",
      clients: [
        [
          `POST /buffered/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n\r\n${get("/same/")}`,
        ],
      ],
      servers: [busy, good, good],
      responses: 2,
    },
    {
      name: "a buffered body that comes late is sent again",
      clients: [["POST /buffered/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", 50, "some bytes"]],
      servers: [busy, good],
    },
    {
      name: "a body that is still coming is not sent again",
      clients: [["POST /same/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", 80, "some bytes"]],
      servers: [busy],
    },
    {
      name: "a rule may forbid it",
      clients: [[post("/gentle/", "some bytes")], [get("/gentle/")]],
      servers: [busy, busy, good],
    },
    { name: "connections are not tried again unless asked for", clients: [[get("/connected/")]] },
    { name: "retries 0 passes the first answer on", clients: [[get("/never/")]], servers: [busy] },
    { name: "retry-on none passes it on too", clients: [[get("/none/")]], servers: [busy] },
    {
      name: "the name of the server is that of the one that answers",
      clients: [[get("/named/")]],
      servers: [busy, good],
    },
  ],
};
