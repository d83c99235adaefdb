import assert from "node:assert/strict";
import { test } from "node:test";
import { makeSection } from "../../proxy/resolvers/resolvers.fixture.ts";
import { makeActions } from "./actions.fixture.ts";
import { makeRuntime } from "./runtime.fixture.ts";
import { RuntimeApi } from "./runtime-api.ts";

const NOW_MS = 1_000_000;
const CONFIGURATION = "backend b\n  server s 192.0.2.1:80\n";

function makeApi() {
  const actions = makeActions(makeRuntime(CONFIGURATION, NOW_MS), NOW_MS);
  const sections = [
    makeSection({ nameservers: ["one", "two"] }),
    makeSection({ name: "other", nameservers: [] }),
  ];
  actions.resolver.follow(sections, []);
  return { api: new RuntimeApi(actions), resolver: actions.resolver };
}

const EMPTY = [
  "  sent:        0",
  "  snd_error:   0",
  "  valid:       0",
  "  update:      0",
  "  cname:       0",
  "  cname_error: 0",
  "  any_err:     0",
  "  nx:          0",
  "  timeout:     0",
  "  refused:     0",
  "  other:       0",
  "  invalid:     0",
  "  too_big:     0",
  "  truncated:   0",
  "  outdated:    0",
];

test("`show resolvers` has HAProxy's table, of all sections or of one", async () => {
  const { api, resolver } = makeApi();
  resolver.countersOf("dns", "two").nx = 12;
  const two = EMPTY.map((line) => line.replace(/( nx: +)0/, "$112"));
  const dns = ["Resolvers section dns", " nameserver one:", ...EMPTY, " nameserver two:", ...two];
  assert.equal(await api.run("show resolvers dns"), `${dns.join("\n")}\n\n`);
  assert.equal(await api.run("show resolvers"), `${[...dns, "Resolvers section other"].join("\n")}\n\n`);
  assert.equal(await api.run("show resolvers nowhere"), "Can't find that resolvers section\n\n");
});

test("`clear counters all` clears what nameservers have counted, `clear counters` leaves it", async () => {
  const { api, resolver } = makeApi();
  resolver.countersOf("dns", "two").nx = 12;
  await api.run("clear counters");
  assert.equal(resolver.countersOf("dns", "two").nx, 12);
  await api.run("clear counters all");
  assert.equal(resolver.countersOf("dns", "two").nx, 0);
});
