import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits } from "../../src/language/datacenter/edit.ts";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import { upgradeSteps } from "../../src/network/switch-steps.ts";
import { planUpgrade } from "../../src/network/switch-versions.ts";

const TEXT = `
datacenter: steps
hosts: {h: {interfaces: {eth0: {}, eth1: {}}, bonds: {bond0: {links: [eth0, eth1], mode: 802.3ad}}}}
switches:
  lagged: {version: "5.1", uplinks: {h: bond0}, features: [lldp]}
  plain: {version: "5.5"}
`;

function stepsOf(name: string, to: string, features: readonly string[], text: string = TEXT) {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const datacenter = readDatacenter([{ name: "steps.yaml", text }], environment).datacenter!;
  const plan = planUpgrade(datacenter, name, to);
  assert.ok(typeof plan !== "string", String(plan));
  return upgradeSteps(datacenter, name, plan, features);
}

test("the version comes first, then each feature that is not on yet, and the LAGs last", () => {
  const steps = stepsOf("lagged", "5.5", ["bpdu-filter", "lldp", "bpdu-filter"]);
  assert.ok(typeof steps !== "string");
  assert.deepEqual(
    steps.map(({ words, convertsLags }) => [words, convertsLags]),
    [
      ["version 5.5", false],
      ["bpdu-filter", false],
      ["LAG conversion", true],
    ],
  );
  assert.deepEqual(steps[1]!.edits[0], {
    kind: "append",
    file: "steps.yaml",
    path: ["switches", "lagged", "features"],
    value: "bpdu-filter",
  });
});

test("a switch without LAGs, or whose LAGs are of the new kind already, has none to convert", () => {
  const steps = stepsOf("plain", "6.0", ["igmp-snooping"]);
  assert.ok(typeof steps !== "string");
  assert.deepEqual(
    steps.map(({ words }) => words),
    ["version 6.0", "igmp-snooping"],
  );
});

test("a feature that nobody knows, or that the version does not have, is refused in words", () => {
  assert.match(
    stepsOf("lagged", "5.5", ["bpdu-filer"]) as string,
    /there is no feature bpdu-filer.*bpdu-filter/,
  );
  assert.match(stepsOf("lagged", "5.5", ["igmp-snooping"]) as string, /IGMP snooping needs version 6\.0/);
});

const STATIC = TEXT.replace("mode: 802.3ad", "mode: balance-xor").replace(
  "switches:",
  "fabric: {tor: {ports: {1: {to: h/eth0, lag: 7}, 2: {to: h/eth1, lag: 7}}, lags: {7: {lacp: off}}}}\nswitches:",
);

test("a LAG without LACP becomes one with it last of all, at both ends as the file has them", () => {
  const steps = stepsOf("lagged", "5.5", ["lag", "bpdu-filter"], STATIC);
  assert.ok(typeof steps !== "string", String(steps));
  const last = steps.at(-1)!;
  assert.deepEqual([last.words, last.convertsLags], ["LAG conversion", true]);
  assert.deepEqual(last.otherEnds, ["bond0 of h speaks LACP: set LAG 7 in tor to it, too"]);
  const edited = applyEdits(STATIC, last.edits, "steps.yaml");
  assert.ok(edited.ok);
  assert.match(edited.text, /mode: 802\.3ad/);
  assert.match(edited.text, /lacp: active/);
});

test("what is no LAG without LACP is not made one", () => {
  assert.match(stepsOf("plain", "6.0", ["lag"]) as string, /plain has no uplink that is a LAG without LACP/);
  const other = STATIC.replace("balance-xor", "active-backup");
  assert.match(
    stepsOf("lagged", "5.5", ["lag"], other) as string,
    /mode active-backup, which is no static LAG/,
  );
});
