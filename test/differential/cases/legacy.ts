// The vocabulary of HAProxy 1.5, which 2.6 refuses: ours in the old words, HAProxy in the new ones.
import type { CaseGroup } from "../comparison.ts";
import { get, ok } from "./text.ts";

const COMMON = `
global
  log 127.0.0.1:{log} local0
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 3s
  timeout connect 1s
frontend web
  bind 127.0.0.1:{front1}
`;
const BACKEND = `
  default_backend plain
backend plain
  server a 127.0.0.1:{a}
`;

export const LEGACY: CaseGroup = {
  name: "the vocabulary of HAProxy 1.5",
  configuration: `${COMMON}
  reqadd X-Forwarded-Proto:\\ https
  reqidel ^x-secret:
  reqirep ^(X-Word:)\\ (.*)  \\1\\ <\\2>
  reqideny ^[^:\\ ]*\\ /forbidden
  rspadd X-Frame:\\ deny
  rspidel ^Server:
  redirect prefix https://other.example if { path_beg /moved }
  block if { path_beg /blocked }
${BACKEND}`,
  haproxyConfiguration: `${COMMON}
  http-request deny if { path_beg /blocked }
  http-request deny if { path -m reg -i ^/forbidden }
  http-request redirect prefix https://other.example if { path_beg /moved }
  http-request del-header x-secret
  http-request replace-header X-Word (.*) <\\1>
  http-request add-header X-Forwarded-Proto https
  http-response del-header Server
  http-response add-header X-Frame deny
${BACKEND}`,
  cases: [
    {
      name: "reqadd, reqidel and reqirep change the request",
      clients: [[get("/", "X-Secret: 1\nX-Word: hi")]],
    },
    {
      name: "rspadd and rspidel change the response",
      clients: [[get("/")]],
      servers: [["read", ok("x", "Server: IIS/6.0")]],
    },
    { name: "reqideny and block deny", clients: [[get("/forbidden/x")], [get("/blocked")]] },
    { name: "redirect is a rule", clients: [[get("/moved/x?y")]] },
  ],
};
