import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findAll } from "../../../src/server/datacenter/find-all.ts";
import { loadDatacenter } from "../../../src/server/datacenter/load-datacenter.ts";
import { findingsOf } from "../../../tools/check-pages.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const EXAMPLES = globSync("examples/{network/*,company/datacenter}.yaml", { cwd: ROOT });

for (const path of EXAMPLES) {
  test(`nothing is found in ${path}`, () => {
    assert.ok(readFileSync(join(ROOT, path), "utf8").length > 0);
    assert.deepEqual(codes(findAll(loadDatacenter(join(ROOT, path), {}))), []);
  });
}

test("a router may be named by its link-local address", () => {
  const found = findingsOf(`datacenter: company
networks:
  org: {subnet: [192.168.10.0/24, "2001:db8:10::/64"], gateway: [192.168.10.1, "fe80::1"]}
edges:
  org-edge:
    interfaces: {org: 192.168.10.1}
    routes: [{to: "2001:db8::/32", via: "fe80::2"}]
`);
  assert.deepEqual(codes(found), []);
});

test("copies behind fences may have the addresses and MACs of their original, and of each other", () => {
  const found = findingsOf(`datacenter: company
networks:
  org: {subnet: 192.168.10.0/24, pool: 192.168.10.100-192.168.10.199}
machines:
  web: {network: org, address: 192.168.10.41, mac: "00:50:56:00:00:41"}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {address: 192.168.10.41, mac: "00:50:56:00:00:41"}}
    copies: [test-a, test-b]
`);
  assert.deepEqual(codes(found), []);
});

test("two networks that nobody has joined may have one VLAN number and one subnet", () => {
  const found = findingsOf(`datacenter: company
switches:
  left: {port-groups: {lab: {vlan: 20}}}
  right: {port-groups: {lab: {vlan: 20}}}
networks:
  lab-1: {subnet: 10.0.0.0/24, port-group: left/lab}
  lab-2: {subnet: 10.0.0.0/24, port-group: right/lab}
machines:
  probe-1: {network: lab-1, address: 10.0.0.5, mac: "00:50:56:00:00:05"}
  probe-2: {network: lab-2, address: 10.0.0.5, mac: "00:50:56:00:00:05"}
`);
  assert.deepEqual(codes(found), []);
});

function codes(findings: readonly { readonly code: string; readonly message: string }[]): string[] {
  return findings.map(({ code, message }) => `${code}: ${message}`);
}
