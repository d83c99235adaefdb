import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeState } from "../../../src/model/dashboard-datacenter.ts";
import { chipCount, chipsIn, chipWords, servicesShown, widthForChips } from "./chips.ts";
import type { DrawnNode } from "./grouping.ts";

const box = (kind: string, ...services: string[]) => ({ node: { kind, services } }) as unknown as DrawnNode;
const EDGE = box("edge", "load balancer", "NAT", "DHCP", "firewall");

test("chips lie beside each other without touching, and in rows where it is narrow", () => {
  const { chips, height } = chipsIn(EDGE, widthForChips(EDGE));
  assert.equal(new Set(chips.map(({ y }) => y)).size, 2);
  for (const [index, chip] of chips.entries()) {
    assert.ok(chip.x + chip.width <= widthForChips(EDGE) && chip.y < height);
    const next = chips[index + 1];
    assert.ok(next === undefined || next.y > chip.y || next.x > chip.x + chip.width);
  }
  assert.equal(new Set(chipsIn(EDGE, 1).chips.map(({ y }) => y)).size, 4);
  assert.deepEqual(chipsIn(box("machine", "tcp 80"), 100), { chips: [], height: 0 });
  assert.deepEqual(servicesShown({ node: null } as unknown as DrawnNode), []);
});

test("a chip counts what its service does, a rate before a number", () => {
  const counter = (service: string, value: number, unit: string) => ({ service, value, unit, label: "here" });
  const state = {
    counters: [
      counter("load balancer", 3, "sessions"),
      counter("load balancer", 41, "per second"),
      counter("DHCP", 2, "leases"),
      counter("DHCP", 5, "leases"),
    ],
  } as unknown as NodeState;
  assert.equal(chipCount("load balancer", state), "41/s");
  assert.equal(chipCount("DHCP", state), "7");
  assert.equal(chipCount("NAT", state), "");
  assert.equal(chipCount("NAT", null), "");
  assert.equal(chipWords("load balancer", state), "load balancer: 3 sessions here, 41 per second here");
});
