// Connections that begin in mode tcp and go on as HTTP: by a rule, or because their backend speaks it.
import type { CaseGroup } from "../comparison.ts";
import { get, ok, post } from "./text.ts";

export const SWITCHING: CaseGroup = {
  name: "from tcp to http",
  configuration: `
defaults
  mode tcp
  timeout client 500ms
  timeout server 400ms
  timeout connect 100ms
frontend by-rule
  bind 127.0.0.1:{front1}
  tcp-request inspect-delay 200ms
  tcp-request content set-var(req.mode) internal.strm.is_htx,iif(http,tcp)
  tcp-request content set-var(txn.first) http_first_req
  tcp-request content switch-mode http if HTTP
  tcp-request content reject
  http-request set-header x-mode %[var(req.mode)]
  http-request set-header x-first %[http_first_req]
  http-request deny if { path /denied }
  default_backend web
frontend by-backend
  bind 127.0.0.1:{front2}
  default_backend web
frontend chosen
  bind 127.0.0.1:{front3}
  tcp-request inspect-delay 200ms
  tcp-request content switch-mode http proto h1 if { req.len ge 3 }
  use_backend other if { path /other }
  default_backend web
backend web
  mode http
  http-request set-header x-backend %[be_name]
  server a 127.0.0.1:{a}
backend other
  mode http
  http-request set-header x-backend %[be_name]
  server b 127.0.0.1:{b}
`,
  cases: ["by a rule", "by the backend", "by a rule with a protocol"].flatMap((how, i) => [
    {
      name: `two requests switch once, ${how}`,
      front: `front${i + 1}`,
      clients: [[get("/1"), { until: "one" }, get("/2")]],
      servers: [
        ["read", ok("one")],
        ["read", ok("two")],
      ],
      responses: 2,
      logs: 0,
    },
    {
      name: `a head in pieces switches, ${how}`,
      front: `front${i + 1}`,
      clients: [["GET /other HT", 30, "TP/1.1\r\nHost: x\r\n\r\n"]],
      servers: [["read", ok("pieces")]],
      logs: 0,
    },
    {
      name: `a request with a body switches, ${how}`,
      front: `front${i + 1}`,
      clients: [[post("/body", "0123456789"), { until: "hello" }, get("/denied")]],
      responses: 2,
      logs: 0,
    },
    {
      name: `what is no HTTP does not get through, ${how}`,
      front: `front${i + 1}`,
      clients: [["hello\r\n\r\n"]],
      responses: i === 0 ? 0 : 1,
      logs: 0,
    },
  ]),
};
