import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxyConfiguration, Server } from "../../model/proxy.ts";
import { hasDynamicBalance, readDynamicServer } from "./dynamic-server.ts";
import { readConfiguration } from "./reader.ts";

const FILE = `global
  ca-base /ca
defaults
  mode http
backend test
  default-server check inter 7s
  server s1 127.0.0.1:1 id 7
  server s2 127.0.0.1:1 no-check
  server s3 127.0.0.1:1 no-check track s1
backend static
  balance static-rr
backend source
  balance source
backend consistent
  balance source
  hash-type consistent
backend tcp
  mode tcp
backend named
  use-server a if { srv_is_up(test/s1) }
  acl unused srv_conn(test/s2) gt 5
  server a 127.0.0.1:1
`;

const ENVIRONMENT = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 2 };

function configuration(): ProxyConfiguration {
  const read = readConfiguration([{ name: "test.cfg", text: FILE }], ENVIRONMENT).configuration;
  assert.ok(read !== null);
  return read;
}

function add(line: string): Server | string {
  const file = configuration();
  const [place, ...words] = line.split(" ");
  const [backend, name] = place!.split("/");
  const proxy = file.proxies.find((one) => one.name === backend)!;
  return readDynamicServer(file, proxy, name!, words, ENVIRONMENT);
}

function added(line: string): Server {
  const server = add(line);
  assert.ok(typeof server !== "string", String(server));
  return server;
}

/** Each was said by HAProxy 2.6.12 to the same line. */
const REFUSALS: readonly (readonly [line: string, answer: string | RegExp])[] = [
  ["test/n", "'server' expects <name> and <addr>[:<port>] as arguments."],
  ["test/n 127.0.0.1:80 bogus", "unknown keyword 'bogus'."],
  ["test/n 127.0.0.1:80 wieght 5", "unknown keyword 'wieght'; did you mean 'weight' maybe ?"],
  ["test/s1 127.0.0.1:80 disabled", "Already exists a server with the same name in backend."],
  ["test/n 127.0.0.1:80 cookie a", "'cookie' option is not accepted for dynamic server"],
  ["test/n 127.0.0.1:80 no-check", "'no-check' option is not accepted for dynamic server"],
  ["test/n 127.0.0.1:80 init-addr none", "'init-addr' option is not accepted for dynamic server"],
  ["test/n 127.0.0.1:80 id 7", "'id' : custom id 7 already used at test.cfg:7 ('server s1')."],
  ["test/n 127.0.0.1:80 track test/nix", "unable to find required server 'nix' for tracking."],
  ["test/n 127.0.0.1:80 track nix", "unable to find required server 'nix' for tracking."],
  ["test/n 127.0.0.1:80 track nix/nix", "unable to find required proxy 'nix' for tracking."],
  [
    "test/n 127.0.0.1:80 track test/s2",
    "unable to use test/s2 for tracking as it does not have any check nor agent enabled.",
  ],
  ["test/n 127.0.0.1:80 check track test/s1", "unable to enable checks and tracking at the same time!"],
  ["test/n 127.0.0.1:80 ssl", /^verify is enabled by default but no CA file specified\. .* by default\.$/],
  ["test/n 127.0.0.1:80 agent-check", "server n does not have agent port. Agent check has been disabled."],
  [
    "test/n 127.0.0.1 check",
    "config: backend 'test': server 'n' has neither service port nor check port nor tcp_check rule 'connect' with port information.",
  ],
  ["test/n 127.0.0.1:80 proto nix", "'proto' :  unknown MUX protocol 'nix'."],
  ["tcp/n 127.0.0.1:80 proto h2", "MUX protocol is not usable for server."],
  ["tcp/n 127.0.0.1:80 observe layer7", "'layer7' can only be used in http proxies.."],
  ["test/n% 127.0.0.1:80", "character '%' is not permitted in server name 'n%'."],
];

for (const [line, answer] of REFUSALS) {
  test(`\`add server ${line}\` is refused in HAProxy's words`, () => {
    const said = add(line);
    if (typeof answer === "string") assert.equal(said, answer);
    else assert.match(String(said), answer);
  });
}

test("members may change where HAProxy lets them", () => {
  const dynamic = configuration().proxies.filter((proxy) => hasDynamicBalance(proxy));
  assert.deepEqual(
    dynamic.map(({ name }) => name),
    ["test", "consistent", "tcp", "named"],
  );
});

test("a value that is wrong is refused, and a port that is none", () => {
  for (const line of [
    "test/n 127.0.0.1:99999",
    "test/n 127.0.0.1:80 weight 500",
    "test/n 127.0.0.1:80 weight",
  ])
    assert.equal(typeof add(line), "string", line);
});

test("a dynamic server has nothing of default-server, and the first number that is free", () => {
  const server = added("test/n 127.0.0.1:80");
  assert.equal(server.check, null);
  assert.equal(server.isDynamic, true);
  assert.equal(server.id, 1);
  assert.equal(added("test/n 127.0.0.1:80 check").check?.interMs, 2000);
});

test("words mean what they mean in a file, base directories included", () => {
  const server = added(
    "consistent/n [::1]:80 weight 5 maxconn 3 backup ssl verify required ca-file x.pem sni str(a) slowstart 5s id 12 check port 8 rise 4",
  );
  assert.deepEqual(server.address, { kind: "tcp", host: "::1", port: 80, portOffset: 0 });
  assert.equal(server.weight, 5);
  assert.equal(server.isBackup, true);
  assert.equal(server.tls?.caFile, "/ca/x.pem");
  assert.equal(server.id, 12);
  assert.deepEqual([server.check?.port, server.check?.rise], [8, 4]);
});

test("servers that rules, samples and ACLs name are known by name", () => {
  assert.deepEqual(configuration().namedServers.toSorted(), ["named/a", "test/s1", "test/s2"]);
});
