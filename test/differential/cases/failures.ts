// What happens when servers are dead, slow, full or mad: retries, redispatch, queues, backups, timeouts.
import type { CaseGroup } from "../comparison.ts";
import { CUT, HALF_CLOSE } from "../conversation.ts";
import { END } from "../origin.ts";
import { get, head, ok, post } from "./text.ts";

/** Counted from the request before: a client that is told to go on has its request in the queue by then. */
const QUEUED_MS = 500;
/** A client that leaves after half of it has been noticed at its end. */
const LEFT_MS = 300;

export const FAILURES: CaseGroup = {
  name: "failures",
  configuration: `
global
  log 127.0.0.1:{log} local4
defaults
  mode http
  log global
  option httplog
  timeout client 1s
  timeout http-request 500ms
  timeout http-keep-alive 500ms
  timeout server 800ms
  timeout connect 100ms
  timeout queue 3s
  retries 2
frontend web
  bind 127.0.0.1:{front1}
  use_backend %[path,word(1,/)]
frontend probes
  bind 127.0.0.1:{front2}
  option http-ignore-probes
  option dontlognull
  default_backend alive
frontend nulls
  bind 127.0.0.1:{front3}
  option dontlognull
  default_backend alive
frontend silent
  bind 127.0.0.1:{front4}
  errorfile 408 /dev/null
  errorfile 503 /dev/null
  default_backend dead
backend alive
  server a 127.0.0.1:{a}
backend dead
  server d 127.0.0.1:{dead}
backend dead-twice
  server d1 127.0.0.1:{dead}
  server d2 127.0.0.1:{dead}
backend dead-then-alive
  server d 127.0.0.1:{dead}
  server a 127.0.0.1:{a}
backend dead-redispatch
  option redispatch
  cookie S insert
  server d 127.0.0.1:{dead} cookie d
  server a 127.0.0.1:{a} cookie a
backend dead-redispatch-each
  option redispatch 1
  cookie S insert
  server d 127.0.0.1:{dead} cookie d
  server a 127.0.0.1:{a} cookie a
backend dead-persistent
  cookie S insert
  server d 127.0.0.1:{dead} cookie d
  server a 127.0.0.1:{a} cookie a
backend dead-hash
  balance uri
  server d 127.0.0.1:{dead}
backend no-retry
  retries 0
  server d 127.0.0.1:{dead}
backend hole
  retries 1
  server h 127.0.0.1:{hole}
backend one-at-a-time
  timeout server 3s
  server a 127.0.0.1:{a} maxconn 1
backend impatient
  timeout queue 150ms
  timeout server 3s
  server a 127.0.0.1:{a} maxconn 1
backend one-each
  timeout server 3s
  balance roundrobin
  server a 127.0.0.1:{a} maxconn 1
  server b 127.0.0.1:{b} maxconn 1
backend sticky-queue
  cookie S insert
  server a 127.0.0.1:{a} maxconn 1 cookie a
  server b 127.0.0.1:{b} maxconn 1 cookie b
backend short-queue
  cookie S insert
  server a 127.0.0.1:{a} maxconn 1 maxqueue 1 cookie a
  server b 127.0.0.1:{b} cookie b
backend all-disabled
  server a 127.0.0.1:{a} disabled
backend with-backup
  server a 127.0.0.1:{a} disabled
  server b 127.0.0.1:{b} backup
  server c 127.0.0.1:{c} backup
backend all-backups
  option allbackups
  server a 127.0.0.1:{a} disabled
  server b 127.0.0.1:{b} backup
  server c 127.0.0.1:{c} backup
backend disabled-persistent
  cookie S insert
  server a 127.0.0.1:{a} cookie a disabled
  server b 127.0.0.1:{b} cookie b
backend weight-zero
  cookie S insert
  server a 127.0.0.1:{a} cookie a weight 0
  server b 127.0.0.1:{b} cookie b
backend abort
  option abortonclose
  server h 127.0.0.1:{hole}
backend abort-late
  option abortonclose
  server a 127.0.0.1:{a}
backend buffered
  option http-buffer-request
  server a 127.0.0.1:{a}
`,
  cases: [
    { name: "a dead server is tried as often as retries say", clients: [[get("/dead/")]] },
    {
      name: "with several dead servers another is tried",
      clients: [[get("/dead-twice/")], [get("/dead-twice/")]],
    },
    {
      name: "round robin leaves a dead server for one alive",
      clients: [[get("/dead-then-alive/")], [get("/dead-then-alive/")]],
    },
    {
      name: "a persistent client leaves its dead server by redispatch",
      clients: [[get("/dead-redispatch/", "Cookie: S=d")]],
    },
    {
      name: "redispatch 1 leaves at the first retry",
      clients: [[get("/dead-redispatch-each/", "Cookie: S=d")]],
    },
    {
      name: "without redispatch a persistent client fails with its server",
      clients: [[get("/dead-persistent/", "Cookie: S=d")]],
    },
    { name: "a hashed request stays with its dead server", clients: [[get("/dead-hash/")]] },
    { name: "retries 0 tries once", clients: [[get("/no-retry/")]] },
    {
      name: "a body waits while its server is tried again",
      clients: [[post("/dead-redispatch-each/", "body", "Cookie: S=d")]],
    },
    { name: "a server that does not answer a connect is 503", clients: [[get("/hole/")]] },
    { name: "a server that says nothing is 504", clients: [[get("/alive/")]], servers: [["read", 4000]] },
    {
      name: "a server that stops in its head is 504",
      clients: [[get("/alive/")]],
      servers: [["read", "HTTP/1.1 200 OK\r\nX-", 4000]],
    },
    {
      name: "a server that stops in its body is cut",
      clients: [[get("/alive/")]],
      servers: [["read", head("200 OK", "Content-Length: 100"), "part", 4000]],
    },
    { name: "a client that stops in its head is 408", clients: [["GET / HTTP/1.1\r\nHost:"]] },
    { name: "a client that says nothing is 408", clients: [[]] },
    {
      name: "a client that stops in its body is 408",
      clients: [[`${get("/alive/", "Content-Length: 100", "POST")}part`]],
    },
    {
      name: "an idle kept connection is closed without a word",
      clients: [[get("/alive/"), { until: "hello" }, 900]],
      logs: 1,
    },
    { name: "ignored probes are not answered", front: "front2", clients: [[]], logs: 0, responses: 0 },
    {
      name: "null connections are not logged",
      front: "front3",
      clients: [["GE", 20, CUT]],
      logs: 1,
      responses: 0,
    },
    { name: "an empty errorfile silences the error", front: "front4", clients: [["GET"], [get("/")]] },
    {
      name: "requests wait for a slot of their server",
      clients: [[get("/one-at-a-time/1")], [get("/one-at-a-time/2")]],
      together: true,
      servers: [
        ["read", 250, ok("one")],
        ["read", ok("two")],
      ],
    },
    {
      name: "a request that waits too long is 503",
      clients: [[get("/impatient/1")], [get("/impatient/2")]],
      together: true,
      servers: [
        ["read", 900, ok("one")],
        ["read", ok("two")],
      ],
    },
    {
      name: "a request goes to whichever server comes free",
      clients: [
        [get("/one-each/1")],
        [{ arrivals: 1 }, get("/one-each/2")],
        [{ arrivals: 2 }, get("/one-each/3")],
      ],
      together: true,
      servers: [
        ["read", { arrivals: 3 }, ok("one")],
        ["read", QUEUED_MS, ok("two")],
        ["read", ok("three")],
      ],
    },
    {
      name: "a persistent request waits for its own server",
      clients: [[get("/sticky-queue/1", "Cookie: S=a")], [get("/sticky-queue/2", "Cookie: S=a")]],
      together: true,
      servers: [
        ["read", 350, ok("one")],
        ["read", ok("two")],
      ],
    },
    {
      name: "a client that leaves the queue frees its place",
      clients: [
        [get("/one-at-a-time/1")],
        [{ arrivals: 1 }, get("/one-at-a-time/2"), LEFT_MS / 2, CUT],
        [{ arrivals: 1 }, LEFT_MS, get("/one-at-a-time/3")],
      ],
      together: true,
      servers: [
        ["read", LEFT_MS + QUEUED_MS, ok("one")],
        ["read", ok("three")],
      ],
    },
    {
      name: "abortonclose gives up a connect",
      clients: [[get("/abort/"), 60, HALF_CLOSE]],
      responses: 0,
      logs: 1,
    },
    {
      name: "abortonclose gives up a server that thinks",
      clients: [[get("/abort-late/"), 60, HALF_CLOSE]],
      servers: [["read", 600, ok("late")]],
    },
    {
      name: "a client that leaves before a buffered body is whole",
      clients: [[`${get("/buffered/", "Content-Length: 100", "POST")}part`, 60, HALF_CLOSE]],
      responses: 0,
      logs: 1,
    },
    { name: "a backend of disabled servers is 503", clients: [[get("/all-disabled/")]] },
    {
      name: "backups serve when nobody else does",
      clients: [[get("/with-backup/")], [get("/with-backup/")]],
    },
    {
      name: "allbackups share the work",
      clients: [[get("/all-backups/")], [get("/all-backups/")], [get("/all-backups/")]],
    },
    {
      name: "a disabled server's clients get another and its cookie",
      clients: [[get("/disabled-persistent/", "Cookie: S=a")]],
    },
    {
      name: "a server of weight zero serves its own clients only",
      clients: [[get("/weight-zero/", "Cookie: S=a")], [get("/weight-zero/")], [get("/weight-zero/")]],
    },
    {
      name: "a server that closes in its head is 502",
      clients: [[get("/alive/")]],
      servers: [["read", "HTTP/1.1 200 OK\r\nX-Y", END]],
    },
    { name: "a chosen backend that does not exist is 503", clients: [[get("/nowhere/")]] },
  ],
};
