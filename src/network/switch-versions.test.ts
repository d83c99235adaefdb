import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SPAN } from "../diagnostic/span.ts";
import {
  type Bond,
  type Datacenter,
  type Host,
  SWITCH_FEATURES,
  SWITCH_VERSIONS,
  type Switch,
} from "../model/datacenter.ts";
import { compareVersions, FEATURE_FACTS, featuresUsed, planUpgrade } from "./switch-versions.ts";

function switchOf(version: Switch["version"], more: Partial<Switch> = {}): Switch {
  return {
    name: "dvs0",
    span: NO_SPAN,
    version,
    uplinks: [],
    mtu: null,
    features: [],
    mirrors: [],
    portGroups: [],
    ...more,
  };
}

function datacenterWith(one: Switch): Datacenter {
  return {
    name: { value: "test", span: NO_SPAN },
    hosts: [],
    fabric: [],
    switches: [one],
    networks: [],
    edges: [],
    machines: [],
    vapps: [],
    clusters: [],
    consoles: null,
    publications: [],
    expectations: [],
  };
}

test("every feature of the language has a version from which it is there", () => {
  assert.deepEqual(Object.keys(FEATURE_FACTS).sort(), [...SWITCH_FEATURES].sort());
  for (const { since } of Object.values(FEATURE_FACTS)) assert.ok(SWITCH_VERSIONS.includes(since));
});

test("versions are compared by their order, not as text", () => {
  assert.ok(compareVersions("5.0", "5.5") < 0);
  assert.ok(compareVersions("6.0", "5.5") > 0);
  assert.equal(compareVersions("5.1", "5.1"), 0);
});

test("an upgrade tells what it brings, and changes one value of the file", () => {
  const upgrade = planUpgrade(datacenterWith(switchOf({ value: "5.1", span: NO_SPAN })), "dvs0", "5.5");
  assert.ok(typeof upgrade !== "string");
  assert.ok(upgrade.gains.includes("traffic marking (CoS, DSCP)"));
  assert.ok(!upgrade.gains.includes("IGMP snooping"));
  assert.deepEqual(upgrade.edits, [
    { kind: "set", file: "", path: ["switches", "dvs0", "version"], value: "5.5" },
  ]);
});

test("there is no way back, and none to where it is", () => {
  const datacenter = datacenterWith(switchOf({ value: "5.5", span: NO_SPAN }));
  assert.match(String(planUpgrade(datacenter, "dvs0", "5.1")), /no way back/);
  assert.match(String(planUpgrade(datacenter, "dvs0", "5.5")), /has version 5\.5 already/);
  assert.match(String(planUpgrade(datacenter, "dvs0", "7.0")), /there is no switch version 7\.0/);
  assert.match(String(planUpgrade(datacenter, "dvs1", "6.0")), /there is no switch dvs1/);
});

test("what a switch is told to do counts as used, not only what stands under features", () => {
  const mirror = {
    from: { value: "a", span: NO_SPAN },
    to: null,
    remote: { value: 9 as never, span: NO_SPAN },
    span: NO_SPAN,
  };
  const one = switchOf(null, { mirrors: [mirror], features: [{ value: "lldp", span: NO_SPAN }] });
  const used = featuresUsed(one, datacenterWith(one)).map(({ feature }) => feature);
  assert.deepEqual(used, ["lldp", "remote-mirroring"]);
});

test("of what is used several times the first place is told", () => {
  const at = (line: number) => ({ ...NO_SPAN, line });
  const features = [9, 4].map((line) => ({ value: "lldp" as const, span: at(line) }));
  const one = switchOf(null, { features });
  assert.deepEqual(featuresUsed(one, datacenterWith(one)), [{ feature: "lldp", span: at(9) }]);
});

test("a LAG is converted in a second step, and only where there will be more than one", () => {
  const link = { value: "bond0", span: NO_SPAN };
  const one = switchOf(
    { value: "5.1", span: NO_SPAN },
    { uplinks: [{ host: { value: "h", span: NO_SPAN }, link }] },
  );
  // Only what is asked of them.
  const bond = { name: "bond0", mode: { value: "802.3ad", span: NO_SPAN } } as Bond;
  const host = { name: "h", bonds: [bond] } as unknown as Host;
  const later = (to: string, hosts: readonly Host[]) => {
    const upgrade = planUpgrade({ ...datacenterWith(one), hosts }, "dvs0", to);
    return typeof upgrade === "string" ? upgrade : upgrade.later;
  };
  assert.deepEqual(later("5.5", [host]), ["the LAG becomes one of up to 64"]);
  assert.deepEqual(later("5.5", []), []);
});
