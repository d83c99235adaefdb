// Who serves: every algorithm with its weights and keys, one backend for each, chosen by the first word of
// the path.
import type { CaseGroup } from "../comparison.ts";
import { get, post } from "./text.ts";

const SERVERS = `
  server a 127.0.0.1:{a} weight 3
  server b 127.0.0.1:{b} weight 2
  server c 127.0.0.1:{c} weight 1`;

const BACKENDS: readonly (readonly [name: string, ...lines: readonly string[]])[] = [
  ["rr", "balance roundrobin"],
  ["static", "balance static-rr"],
  ["least", "balance leastconn"],
  ["first", "balance first"],
  ["source", "balance source"],
  ["source-consistent", "balance source", "hash-type consistent"],
  ["uri", "balance uri"],
  ["uri-whole", "balance uri whole"],
  ["uri-cut", "balance uri len 10 depth 2"],
  ["uri-avalanche", "balance uri", "hash-type map-based djb2 avalanche"],
  ["uri-consistent", "balance uri", "hash-type consistent"],
  ["uri-wt6", "balance uri", "hash-type consistent wt6"],
  ["uri-crc32", "balance uri", "hash-type map-based crc32"],
  ["param", "balance url_param user"],
  ["param-post", "balance url_param user check_post"],
  ["hdr", "balance hdr(X-Key)"],
  ["hdr-domain", "balance hdr(Host) use_domain_only"],
  ["bounded", "balance uri", "hash-type consistent", "hash-balance-factor 150"],
];

const words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];

export const BALANCE: CaseGroup = {
  name: "balance",
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
  use_backend %[path,word(1,/)]
${BACKENDS.map(([name, ...lines]) => `backend ${name}\n  ${lines.join("\n  ")}${SERVERS}`).join("\n")}
`,
  cases: [
    ...["rr", "static", "least", "first"].map((name) => ({
      name: `${name} takes servers in turn by their weights`,
      clients: Array.from({ length: 8 }, (_, index) => [get(`/${name}/${index}`)]),
    })),
    ...["source", "source-consistent"].map((name) => ({
      name: `${name} sends an address to one server`,
      clients: words.map(() => [get(`/${name}/`)]),
      from: words.map((_, index) => `127.0.0.${11 + 13 * index}`),
    })),
    ...[
      "uri",
      "uri-whole",
      "uri-cut",
      "uri-avalanche",
      "uri-consistent",
      "uri-wt6",
      "uri-crc32",
      "bounded",
    ].map((name) => ({
      name: `${name} sends a target to one server`,
      clients: words.map((word) => [get(`/${name}/${word}/deeper?q=${word.length}`)]),
    })),
    {
      name: "url_param sends a user to one server, and goes round without one",
      clients: [
        ...words.map((word) => [get(`/param/x?a=1&user=${word}`)]),
        [get("/param/")],
        [get("/param/")],
      ],
    },
    {
      name: "check_post finds the user in the body",
      clients: words.map((word) => [post("/param-post/", `user=${word}`)]),
    },
    {
      name: "hdr sends a header's value to one server",
      clients: words.map((word) => [get("/hdr/", `X-Key: ${word}`)]),
    },
    {
      name: "use_domain_only hashes the domain alone",
      clients: words.map((word) => [`GET /hdr-domain/ HTTP/1.1\r\nHost: www.${word}.example.com:80\r\n\r\n`]),
    },
  ],
};
