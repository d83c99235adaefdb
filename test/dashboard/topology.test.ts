// The topology that the dashboard draws and the ways that it draws over it have to speak of the same things.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import { type TopologyLink, topologyIdOf } from "../../src/model/dashboard-datacenter.ts";
import { topologyView } from "../../src/network/draw/topology-view.ts";
import { compileNetwork, explain } from "../../src/network/explain/explain.ts";
import { loadDatacenter } from "../../src/server/datacenter/load-datacenter.ts";
import { readPacketWords } from "../../src/server/explain/packet-words.ts";

const COMPANY = "examples/company/datacenter.yaml";

function networkOf(path: string) {
  const { resolved, loadBalancerBinds } = loadDatacenter(path, {});
  assert.ok(resolved, path);
  return compileNetwork(resolved, loadBalancerBinds);
}

test("in every example ids are unique, and links and fences lead to nodes that are there", () => {
  for (const path of globSync("examples/**/*.yaml")) {
    const { nodes, links } = topologyView(networkOf(path).topology);
    const ids = new Set(nodes.map(({ id }) => id));
    assert.equal(ids.size, nodes.length, path);
    assert.equal(new Set(links.map(({ id }) => id)).size, links.length, path);
    for (const { from, to } of links) assert.ok(ids.has(from) && ids.has(to), `${path}: ${from} to ${to}`);
    for (const { inside } of nodes) assert.ok(inside === null || ids.has(inside), `${path}: ${inside}`);
  }
});

test("each hop of a trace is a node, and from one to the next there is a way over links", () => {
  const network = networkOf(COMPANY);
  const { nodes, links } = topologyView(network.topology);
  const ids = new Set(nodes.map(({ id }) => id));
  for (const words of [
    ["internet", "to", "203.0.113.10:8001"],
    ["web-001", "to", "192.168.30.50:80"],
    ["desk-001", "to", "internet"],
    ["shop.test-a/web", "to", "shop.test-a/db", "tcp", "5432"],
  ]) {
    const asked = readPacketWords(words);
    assert.equal(asked.kind, "packet");
    const trace = asked.kind === "packet" ? explain(network, asked.question, { back: true }) : null;
    assert.ok(trace !== null && !("kind" in trace), words.join(" "));
    for (const path of [...trace.before, trace.there, ...(trace.back === null ? [] : [trace.back])]) {
      for (const { node, parent } of path.hops) {
        const id = topologyIdOf(node.kind, node.name);
        assert.ok(ids.has(id), `${words.join(" ")}: ${id}`);
        const sender = parent === null ? null : path.hops[parent]!.node;
        if (sender !== null) assert.ok(isReached(links, topologyIdOf(sender.kind, sender.name), id), id);
      }
    }
  }
});

/** Over three links at most, machines and edges not being passed through. */
function isReached(links: readonly TopologyLink[], from: string, to: string): boolean {
  let reached = new Set([from]);
  for (let step = 0; step < 3 && !reached.has(to); step++) {
    const next = new Set(reached);
    for (const link of links) {
      if (reached.has(link.from)) next.add(link.to);
      if (reached.has(link.to)) next.add(link.from);
    }
    reached = next;
  }
  return reached.has(to);
}

test("details lead to lines of the file, and what can be asked has a name to ask by", () => {
  const { nodes, vlans } = topologyView(networkOf(COMPANY).topology);
  const fence = nodes.find(({ id }) => id === "fence/shop.test-a")!;
  assert.ok(fence.services.includes("NAT"));
  assert.ok(fence.details.some(({ span }) => span !== null && span.file === COMPANY && span.line > 0));
  assert.equal(nodes.find(({ id }) => id === "machine/shop.test-a/web")!.inside, fence.id);
  assert.deepEqual(
    vlans.map(({ vlan }) => vlan),
    [5, 10, 20, 30],
  );
  const network = networkOf(COMPANY);
  for (const { reference } of nodes.filter((one) => one.reference !== null)) {
    const asked = readPacketWords([reference!, "to", "192.168.10.1"]);
    assert.equal(asked.kind, "packet");
    const trace = asked.kind === "packet" ? explain(network, asked.question) : null;
    assert.ok(trace !== null && !("kind" in trace), reference!);
  }
});
