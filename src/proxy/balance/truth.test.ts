// The same keys through a real HAProxy 2.6 and through our algorithms have to meet the same servers.
import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { BalanceDefinition, HashType } from "../../model/proxy.ts";
import {
  HASH_DEFAULT,
  makeBackend,
  makeStream,
  type RequestFacts,
  type ServerFacts,
} from "./backend.fixture.ts";
import { createBalancer } from "./create-balancer.ts";
import {
  HAS_HAPROXY,
  type Haproxy,
  makeDirectory,
  removeDirectory,
  request,
  startHaproxy,
} from "./haproxy.fixture.ts";

type Servers = Readonly<Record<string, ServerFacts>>;
interface Case {
  readonly title: string;
  /** Lines of the backend as HAProxy reads them. */
  readonly lines: readonly string[];
  readonly balance: BalanceDefinition;
  readonly hashType?: HashType;
  readonly hashBalanceFactor?: number;
  readonly servers: Servers;
  readonly requests: readonly RequestFacts[];
}

const EQUAL: Servers = { a: {}, b: {}, c: {} };
const WEIGHTED: Servers = { a: { weight: 5 }, b: { weight: 3 }, c: { weight: 8 }, d: { weight: 1 } };
const BACKUPS: Servers = { a: { weight: 0 }, b: { isBackup: true, weight: 3 }, c: { isBackup: true } };
const nothing = (count: number): RequestFacts[] => Array.from({ length: count }, () => ({}));
const targets: RequestFacts[] = Array.from({ length: 24 }, (_, i) => ({
  target: `/images/${i * 37}/dir${i}/file.png?x=${i}`,
}));
const odd = [
  "/",
  "/?a",
  "/a?b/c",
  "//x//y",
  "/a/b/c/d/e?whole=1",
  "/p%20q",
  "/a;b=c",
  "http://example.com/abs/path?q",
  "http://example.com",
];
const targetsAndOdd = [...targets, ...odd.map((target) => ({ target }))];
const sources: RequestFacts[] = [];
for (let i = 0; i < 24; i++)
  sources.push(
    { source: `10.${i}.${(i * 7) % 256}.${(i * 91) % 256}` },
    { source: `2001:db8:${i.toString(16)}::${(i * 77).toString(16)}` },
  );
const hosts = [
  "www.example.com",
  "example.com",
  "a.b.c.example.org",
  "localhost",
  "x.y",
  "EXAMPLE.com",
  "10.1.2.3",
  "a,b",
  ".com",
  "com.",
  "a..b",
  "..b",
  "a.b..",
  "a...b",
];
const hdr = hosts.map((host): RequestFacts => ({ headers: [["x-key", host]] }));
const consistent = (fn: HashType["function"] = "sdbm", avalanche = false): HashType => ({
  method: "consistent",
  function: fn,
  avalanche,
});
const mapBased = (fn: HashType["function"], avalanche = false): HashType => ({
  method: "map-based",
  function: fn,
  avalanche,
});
/** Without a function HAProxy adds avalanche by itself. */
const CONSISTENT_ALONE = consistent("sdbm", true);
const uri = { algorithm: "uri", length: null, depth: null, whole: false, pathOnly: false } as const;

const CASES: readonly Case[] = [
  {
    title: "roundrobin, equal weights",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: EQUAL,
    requests: nothing(8),
  },
  {
    title: "roundrobin, weights",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: WEIGHTED,
    requests: nothing(60),
  },
  {
    title: "roundrobin, two weights",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: { a: { weight: 1 }, b: { weight: 2 } },
    requests: nothing(12),
  },
  {
    title: "roundrobin, coprime weights",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: { a: { weight: 7 }, b: { weight: 11 }, c: { weight: 13 } },
    requests: nothing(70),
  },
  {
    title: "roundrobin, great weights",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: { a: { weight: 100 }, b: { weight: 50 }, c: { weight: 25 } },
    requests: nothing(40),
  },
  {
    title: "roundrobin, backups",
    lines: ["balance roundrobin"],
    balance: { algorithm: "roundrobin" },
    servers: BACKUPS,
    requests: nothing(4),
  },
  {
    title: "static-rr",
    lines: ["balance static-rr"],
    balance: { algorithm: "static-rr" },
    servers: EQUAL,
    requests: nothing(8),
  },
  {
    title: "static-rr, weights",
    lines: ["balance static-rr"],
    balance: { algorithm: "static-rr" },
    servers: WEIGHTED,
    requests: nothing(40),
  },
  {
    title: "leastconn, one after another",
    lines: ["balance leastconn"],
    balance: { algorithm: "leastconn" },
    servers: EQUAL,
    requests: nothing(8),
  },
  {
    title: "first",
    lines: ["balance first"],
    balance: { algorithm: "first" },
    servers: { a: { id: 30 }, b: { id: 10 }, c: { id: 20 } },
    requests: nothing(3),
  },
  {
    title: "source",
    lines: ["balance source"],
    balance: { algorithm: "source" },
    servers: WEIGHTED,
    requests: sources,
  },
  {
    title: "source, avalanche",
    lines: ["balance source", "hash-type map-based sdbm avalanche"],
    balance: { algorithm: "source" },
    hashType: mapBased("sdbm", true),
    servers: WEIGHTED,
    requests: sources,
  },
  {
    title: "source, consistent",
    lines: ["balance source", "hash-type consistent"],
    balance: { algorithm: "source" },
    hashType: CONSISTENT_ALONE,
    servers: WEIGHTED,
    requests: sources,
  },
  {
    title: "source, consistent sdbm",
    lines: ["balance source", "hash-type consistent sdbm"],
    balance: { algorithm: "source" },
    hashType: consistent(),
    servers: WEIGHTED,
    requests: sources,
  },
  {
    title: "source, consistent avalanche",
    lines: ["balance source", "hash-type consistent sdbm avalanche"],
    balance: { algorithm: "source" },
    hashType: consistent("sdbm", true),
    servers: { a: { id: 7 }, b: { id: 900 }, c: {} },
    requests: sources,
  },
  { title: "uri", lines: ["balance uri"], balance: uri, servers: WEIGHTED, requests: targetsAndOdd },
  {
    title: "uri len depth",
    lines: ["balance uri len 14 depth 3"],
    balance: { ...uri, length: 14, depth: 3 },
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri depth 1",
    lines: ["balance uri depth 1"],
    balance: { ...uri, depth: 1 },
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri whole",
    lines: ["balance uri whole", "hash-type map-based djb2"],
    balance: { ...uri, whole: true },
    hashType: mapBased("djb2"),
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri path-only",
    lines: ["balance uri path-only", "hash-type map-based wt6"],
    balance: { ...uri, pathOnly: true },
    hashType: mapBased("wt6"),
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri crc32 avalanche",
    lines: ["balance uri whole", "hash-type map-based crc32 avalanche"],
    balance: { ...uri, whole: true },
    hashType: mapBased("crc32", true),
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri consistent djb2 avalanche",
    lines: ["balance uri whole", "hash-type consistent djb2 avalanche"],
    balance: { ...uri, whole: true },
    hashType: consistent("djb2", true),
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "uri consistent crc32",
    lines: ["balance uri whole", "hash-type consistent crc32"],
    balance: { ...uri, whole: true },
    hashType: consistent("crc32"),
    servers: EQUAL,
    requests: targetsAndOdd,
  },
  {
    title: "uri consistent wt6, bounded load",
    lines: ["balance uri whole", "hash-type consistent wt6", "hash-balance-factor 150"],
    balance: { ...uri, whole: true },
    hashType: consistent("wt6"),
    hashBalanceFactor: 150,
    servers: WEIGHTED,
    requests: targetsAndOdd,
  },
  {
    title: "url_param",
    lines: ["balance url_param x"],
    balance: { algorithm: "url_param", name: "x", checkPost: null },
    servers: WEIGHTED,
    requests: [
      ...targets,
      { target: "/?y=1&x=abc&x=def" },
      { target: "/?xx=1" },
      { target: "/?x=" },
      { target: "/?a&b&x=1" },
      { target: "/none" },
      { target: "/none" },
    ],
  },
  {
    title: "hdr",
    lines: ["balance hdr(X-Key)"],
    balance: { algorithm: "hdr", name: "X-Key", useDomainOnly: false },
    servers: WEIGHTED,
    requests: [...hdr, {}, {}, { headers: [["x-key", ""]] }, ...hdr],
  },
  {
    title: "hdr use_domain_only",
    lines: ["balance hdr(x-key) use_domain_only"],
    balance: { algorithm: "hdr", name: "x-key", useDomainOnly: true },
    servers: WEIGHTED,
    requests: hdr,
  },
  {
    title: "hdr consistent, without key",
    lines: ["balance hdr(x-key)", "hash-type consistent"],
    balance: { algorithm: "hdr", name: "x-key", useDomainOnly: false },
    hashType: CONSISTENT_ALONE,
    servers: WEIGHTED,
    requests: [...nothing(12), ...hdr, ...nothing(4)],
  },
];

describe("balancing beside HAProxy 2.6", { skip: !HAS_HAPROXY }, () => {
  let directory: string;
  let haproxy: Haproxy;
  let origin: http.Server;
  let agent: http.Agent;

  before(async () => {
    directory = makeDirectory();
    origin = http.createServer((incoming, outgoing) => outgoing.end(incoming.headers["x-chosen"] ?? ""));
    await new Promise<void>((resolve) => origin.listen(path.join(directory, "origin"), resolve));
    agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    haproxy = await startHaproxy(
      directory,
      configuration(),
      CASES.map((_, i) => `case${i}`),
    );
  });

  after(async () => {
    agent.destroy();
    await haproxy.dispose();
    await new Promise((resolve) => origin.close(resolve).closeAllConnections());
    removeDirectory(directory);
  });

  for (const [index, testCase] of CASES.entries()) {
    test(`${testCase.title} meets the same servers`, async () => {
      const expected: string[] = [];
      for (const facts of testCase.requests) expected.push(await askHaproxy(index, facts));
      assert.deepEqual(askUs(testCase), expected);
    });
  }

  async function askHaproxy(index: number, facts: RequestFacts): Promise<string> {
    const headers = [...(facts.headers ?? []), ["x-source", facts.source ?? "192.0.2.1"] as const];
    const response = await request(path.join(directory, `case${index}`), {
      path: facts.target ?? "/",
      headers,
      agent,
    });
    return response.body;
  }
});

function askUs(testCase: Case): string[] {
  const backend = makeBackend(testCase.servers, {
    settings: { hashBalanceFactor: testCase.hashBalanceFactor ?? 0 },
  });
  const environment = { random: () => 0, wallClockSeconds: () => 0, evaluateKey: null };
  backend.balancer = createBalancer(
    testCase.balance,
    testCase.hashType ?? HASH_DEFAULT,
    backend,
    environment,
  );
  return testCase.requests.map(
    (facts) => backend.balancer.choose(makeStream(backend, facts), null)?.name ?? "",
  );
}

function configuration(): string {
  const lines = [
    "global",
    "  nbthread 1",
    "defaults",
    "  mode http",
    "  timeout client 10s",
    "  timeout server 10s",
    "  timeout connect 10s",
  ];
  for (const [index, testCase] of CASES.entries()) {
    lines.push(
      `listen case${index}`,
      `  bind unix@DIRECTORY/case${index}`,
      "  http-request set-src req.hdr(x-source)",
    );
    lines.push("  http-send-name-header x-chosen", ...testCase.lines.map((line) => `  ${line}`));
    for (const [name, server] of Object.entries(testCase.servers)) {
      const options = [
        `weight ${server.weight ?? 1}`,
        server.isBackup ? "backup" : "",
        server.id === undefined ? "" : `id ${server.id}`,
      ];
      lines.push(`  server ${name} unix@DIRECTORY/origin ${options.join(" ")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
