import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeState } from "../../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { withPorts } from "./topology-state.ts";

const RESOLVED = {
  machines: [{ name: "web-001" }, { name: "shop.test-a/web" }],
  edges: [
    { name: "org-edge", kind: "edge" },
    { name: "shop.test-a", kind: "fence" },
  ],
} as unknown as ResolvedDatacenter;

const count = (bytes: number, dropped = 0) => ({ packets: 1, bytes, dropped });

test("what the kernel has counted at a port is its owner's, beside what the load balancer knows of it", () => {
  const known: NodeState = {
    state: "degraded",
    text: "app/web-001 is DRAIN",
    servers: ["app/web-001"],
    counters: [],
  };
  const nodes = withPorts({ "machine/web-001": known }, RESOLVED, [
    { link: "p1", owner: "web-001/eth0", sent: count(100), received: count(200, 3) },
    { link: "p2", owner: "shop.test-a/web/eth0", sent: count(1), received: count(2) },
    { link: "p3", owner: "org-edge/org", sent: count(5), received: count(6) },
    { link: "p4", owner: "org-edge/internet", sent: count(7), received: count(8) },
    { link: "p5", owner: "somebody/else", sent: count(9), received: count(9) },
  ]);
  assert.deepEqual(Object.keys(nodes).sort(), [
    "edge/org-edge",
    "machine/shop.test-a/web",
    "machine/web-001",
  ]);
  assert.equal(nodes["machine/web-001"]!.state, "degraded");
  assert.deepEqual(
    nodes["machine/web-001"]!.counters.map(({ label, value }) => `${label} ${value}`),
    ["eth0 sent 100", "eth0 received 200", "eth0 dropped 3"],
  );
  assert.equal(nodes["edge/org-edge"]!.counters.length, 6);
  assert.equal(nodes["machine/shop.test-a/web"]!.text, "is made on this machine");
});
