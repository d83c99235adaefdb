// What rules decide beside replies: connections that end without a word, URIs that are refused, whose
// addresses `set-src` changes, and timeouts that rules set and read.
import type { CaseGroup } from "../comparison.ts";
import { HALF_CLOSE } from "../conversation.ts";
import { get } from "./text.ts";

const SHOWN = ["fc_src", "src", "fc_dst", "dst"];
const shown = SHOWN.map((fetch) => `%[${fetch}]`).join(":");

export const VERDICTS: CaseGroup = {
  name: "verdicts",
  configuration: `
global
  expose-experimental-directives
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
  tcp-request connection set-src ipv4(192.0.2.1) if { src 127.0.0.21 }
  tcp-request connection set-src-port int(4001) if { src 192.0.2.1 }
  tcp-request session set-dst ipv4(192.0.2.2) if { src 192.0.2.1 }
  tcp-request content set-src ipv4(192.0.2.3) if { path /content }
  tcp-request content set-src-port int(4002) if { path /content }
  http-request set-dst ipv4(192.0.2.4) if { path /request }
  http-request normalize-uri percent-to-uppercase strict
  http-request normalize-uri path-merge-slashes
  http-request normalize-uri path-strip-dotdot full
  http-request wait-for-body time 2s if { path /half }
  http-after-response set-header X-Seen ${shown}
  http-after-response set-header X-Times %[fe_client_timeout],%[be_server_timeout],%[cur_server_timeout]
  default_backend app
backend app
  tcp-request content set-var(txn.path) path
  tcp-response content reject if { var(txn.path) -m str /reject }
  tcp-response content close if { var(txn.path) -m str /close }
  http-request set-timeout server int(4),mul(1000) if { path /times }
  server a 127.0.0.1:{a}
`,
  cases: [
    { name: "a response that content rules reject is followed by silence", clients: [[get("/reject")]] },
    { name: "a server's connection that content rules close is a bad gateway", clients: [[get("/close")]] },
    {
      name: "each rule set changes the addresses of its own",
      clients: [[get("/")], [get("/content")], [get("/request")], [get("/content"), get("/")]],
      responses: [1, 1, 1, 2],
      logs: 5,
    },
    {
      name: "addresses that rules of connections and sessions set",
      clients: [[get("/")], [get("/request")], [get("/content")]],
      from: ["127.0.0.21"],
    },
    {
      name: "URIs are brought into their normal form",
      clients: [[get("//a//../b/%2f?x=//")], [get("/../..")]],
    },
    { name: "a malformed URI is refused where it has to be strict", clients: [[get("/%zz")]] },
    {
      name: "a client that leaves within the body that rules wait for is logged in its backend",
      clients: [[get("/half", "Content-Length: 10", "POST"), "abc", 40, HALF_CLOSE]],
      responses: 0,
      logs: 1,
    },
    { name: "timeouts are told as they are set", clients: [[get("/times")], [get("/")]] },
  ],
};
