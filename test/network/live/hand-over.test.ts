// A switch gets another LAG, card by card, and a step fails: whichever it is, the old one is as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "../../../src/driver/apply.ts";
import { MemoryDriver } from "../../../src/driver/memory/memory-driver.ts";
import { MemoryStore } from "../../../src/driver/memory/memory-store.ts";
import type { NetworkState } from "../../../src/model/network-state.ts";
import { planChanges } from "../../../src/network/plan/plan-changes.ts";
import { desiredOnHost, onlyCards, resolvedText } from "./host-lines.ts";

const SILENT = { phase: () => {}, steps: () => {} };

function stateWith(bond: string, mode: string, isVlanAware: boolean): NetworkState {
  const file = `
datacenter: lag
hosts:
  h:
    interfaces: {eth0: {speed: 10G}, eth1: {speed: 10G}}
    bonds: {${bond}: {links: [eth0, eth1], mode: ${mode}, hash: layer3+4, mii-monitor: 20ms}}
switches:
  dvs0: {version: "5.5", uplinks: {h: ${bond}}, port-groups: {voice: {vlan: 40}, data: {vlan: 50}}}
networks:
  voice: {subnet: 10.40.0.0/24, port-group: dvs0/voice}
  data: {subnet: 10.50.0.0/24, port-group: dvs0/data}
machines:
  phone: {network: voice, address: 10.40.0.11, host: h}
  nas: {network: data, address: 10.50.0.30, host: h}
`;
  return desiredOnHost(resolvedText(file), "h", isVlanAware).state;
}

for (const isVlanAware of [true, false]) {
  const words = isVlanAware ? "one bridge for all VLANs" : "one bridge for each VLAN";
  test(`a fault at any step of giving a switch another LAG leaves it as it was (${words})`, async () => {
    const first = stateWith("bond0", "balance-xor", isVlanAware);
    const second = stateWith("lag1", "802.3ad", isVlanAware);
    const steps = planChanges(first, second).steps;
    assert.ok(steps.some(({ change }) => change.kind === "await-bond"));
    for (let step = 0; step < steps.length; step++) {
      const [driver, store] = [new MemoryDriver(onlyCards(["eth0", "eth1"])), new MemoryStore()];
      const run = (desired: NetworkState) => apply({ desired, file: "dc.yaml" }, driver, store, SILENT);
      assert.equal((await run(first)).kind, "done");
      driver.failAfter = step;
      const outcome = await run(second);
      assert.ok(
        outcome.kind === "failed" && outcome.undone.isComplete,
        `${step}: ${JSON.stringify(outcome)}`,
      );
      assert.deepEqual(planChanges(driver.everything(), first).steps, [], `${step}`);
      assert.equal((await run(second)).kind, "done");
    }
  });
}
