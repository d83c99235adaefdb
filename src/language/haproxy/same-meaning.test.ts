import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "./reader.ts";
import { isSameMeaning } from "./same-meaning.ts";

const environment = { variables: {}, readFile: () => null, hostname: "lb", cpuCount: 2 };

function read(lines: string) {
  const text = `defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
${lines}`;
  const { configuration, diagnostics } = readConfiguration([{ name: "a.cfg", text }], environment);
  assert.ok(configuration !== null, JSON.stringify(diagnostics));
  return configuration;
}

const BASE = `frontend web
  bind :80
  acl local src 10.0.0.0/8
  http-request deny if !local
  http-request set-header A b
  default_backend app
backend app
  balance roundrobin
  server a 10.0.0.1:80 check
`;

test("comments, blank lines and places mean nothing", () => {
  const other = `# a comment\n\n${BASE.replace("  bind :80\n", "\n  bind :80 # here\n")}`;
  assert.ok(isSameMeaning(read(BASE), read(other)));
});

test("every value, word and order does", () => {
  const base = read(BASE);
  for (const [from, to] of [
    [":80\n", ":81\n"],
    ["10.0.0.0/8", "10.0.0.0/9"],
    ["if !local", "if local"],
    ["set-header A b", "set-header A c"],
    ["set-header A b", "add-header A b"],
    ["roundrobin", "leastconn"],
    [" check", ""],
    ["  balance", "  option httpclose\n  balance"],
    ["  bind", "  monitor-uri /alive\n  bind"],
  ] as const)
    assert.ok(!isSameMeaning(base, read(BASE.replace(from, to))), `${from} ${to}`);
  const [deny, set] = ["  http-request deny if !local\n", "  http-request set-header A b\n"];
  assert.ok(!isSameMeaning(base, read(BASE.replace(deny + set, set + deny))));
});
