// What a dashboard tells of a network that was made on its machine: also of one that only its user has.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EdgeRulesAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import type { LiveCounters } from "../../../src/server/datacenter/live-counters.ts";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const DATACENTER = `datacenter: small
networks:
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1}
edges:
  org-edge: {interfaces: {org: 192.168.10.1}, firewall: {default: allow}, load-balancer: edge.cfg}
machines:
  web: {network: org, address: 192.168.10.11}
  db: {network: org, address: 192.168.10.12}
`;
const DEFAULTS = `defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
`;
const PROXY = `${DEFAULTS}frontend web
  bind 127.0.0.1:8080
  default_backend app
backend app
  server web 192.168.10.11:80
`;
const EDGE_PROXY = `${DEFAULTS}frontend published
  bind 192.168.10.1:80
  http-request return status 200
`;
const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "sallyport-live-dashboard-"));
before(() => {
  writeFileSync(join(folder, "datacenter.yaml"), DATACENTER);
  writeFileSync(join(folder, "haproxy.cfg"), PROXY);
  writeFileSync(join(folder, "edge.cfg"), EDGE_PROXY);
});
after(() => rmSync(folder, { recursive: true }));

/** `$R`: --rootless or nothing. States: not made; made and used, with its rules; changed by hand. */
const SCRIPT = `
$S run --dashboard 127.0.0.1:8404 --datacenter $F haproxy.cfg >&2 &
ASK=http://127.0.0.1:8404/api/v1/topology/state
until curl -sf $ASK > before; do sleep 0.05; done
cat before
$S apply $R $F >&2
until curl -s $ASK | grep -q '"applied":"yes"'; do sleep 0.2; done
$S shell $R $F web -- ping -c 3 -i 0.01 -q 192.168.10.1 >&2
until curl -s $ASK > after; grep '"packetsPerSecond":[0-9.]*[1-9]' after | grep -q '"service":"load balancer"'; do
  $S shell $R $F web -- ping -c 3 -i 0.01 -q 192.168.10.1 >&2
done
cat after
curl -s http://127.0.0.1:8404/api/v1/topology/edges/org-edge/rules
$S shell $R $F web -- ip link set eth0 mtu 1400
until curl -s $ASK > changed; grep -q '"applied":"changed"' changed; do sleep 0.2; done
cat changed
$S destroy $R $F >&2
`;

for (const [words, flag] of [
  ["that only its user has", "--rootless"],
  ["of the machine", ""],
] as const) {
  test(`a network ${words} is shown as made, with what passes its links, and as changed when somebody changes it`, {
    skip: isRoot
      ? requires("ip", "bridge", "nft", "unshare", "curl", "ping", "bash")
      : "needs root, for a network of its own",
  }, () => {
    const lines = inside(folder, `R=${flag}; ${SCRIPT}`).trim().split("\n");
    const [before, made, , changed] = lines.map((line) => JSON.parse(line) as TopologyState);
    const { state, rules } = JSON.parse(lines[2]!) as EdgeRulesAnswer;
    assert.deepEqual([state, rules.map(({ words }) => words)], ["counted", ["default: allow"]]);
    assert.ok(rules[0]!.packets > 0, "pings for the edge, about which no rule says anything");
    assert.deepEqual([before!.applied, before!.isRootless], ["no", false]);
    const links = Object.entries(before!.links).map(([id, { countedBy }]) => `${id}: ${countedBy}`);
    assert.deepEqual(links, ["interface machine web eth0: load-balancer"]);
    assert.deepEqual([made!.applied, made!.isRootless], ["yes", flag !== ""]);
    assert.equal(made!.nodes["machine/db"]!.text, "is made on this machine");
    assert.equal(made!.links["interface machine web eth0"]!.countedBy, "kernel");
    assert.ok(made!.links["interface edge org-edge org"]!.received.bytes > 0);
    const counted = made!.nodes["edge/org-edge"]!.counters.filter(({ service }) => service !== null);
    assert.deepEqual(
      counted.map(({ service, unit }) => `${service}: ${unit}`),
      ["firewall: connections", "load balancer: sessions", "load balancer: per second"],
    );
    assert.match(changed!.drift.join("\n"), /eth0/);
  });
}

const HOST = `datacenter: host
hosts:
  me: {interfaces: {cardup: {}}}
  other: {interfaces: {cardup: {}}}
switches:
  dvs0: {uplinks: {me: cardup, other: cardup}, port-groups: {org: {}}}
networks:
  org: {subnet: 10.0.0.0/24, port-group: dvs0/org}
machines:
  web: {network: org, address: 10.0.0.10, host: me}
  db: {network: org, address: 10.0.0.11, host: other}
`;

test("what passes a card of the machine is counted too, and is its host's, of several in the file", {
  skip: isRoot
    ? requires("ip", "nft", "unshare", "ping", "curl", "bash")
    : "needs root, for a network of its own",
}, () => {
  writeFileSync(join(folder, "host.yaml"), HOST);
  const script = `
ip link add cardup type veth peer name wire
ip link set wire up
ip addr add 10.0.0.99/24 dev wire
$S apply --host me host.yaml >&2
ping -c 3 -i 0.01 -q 10.0.0.10 >&2
$S status --host me --ports --json --watch host.yaml | head -n 1
$S run --dashboard 127.0.0.1:8404 --datacenter host.yaml haproxy.cfg >&2 &
until curl -sf http://127.0.0.1:8404/api/v1/topology/state; do sleep 0.05; done
$S destroy --host me host.yaml >&2`;
  const [line, state] = inside(folder, script).trim().split("\n");
  const { cards } = JSON.parse(line!) as Pick<LiveCounters, "cards">;
  assert.deepEqual(
    cards.map(({ link }) => link),
    ["cardup"],
  );
  assert.ok(cards[0]!.received.packets >= 3 && cards[0]!.sent.packets >= 3);
  const { nodes, links } = JSON.parse(state!) as TopologyState;
  assert.equal(links["uplink dvs0 me"]!.countedBy, "kernel");
  assert.ok(links["uplink dvs0 me"]!.received.bytes > 0);
  assert.equal(links["uplink dvs0 other"], undefined, "nothing is known of it here");
  assert.deepEqual([nodes["host/me"]!.text, nodes["host/other"]], ["is this machine", undefined]);
});
