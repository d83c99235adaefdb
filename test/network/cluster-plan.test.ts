// What a cluster becomes on Linux, worked out from the example file: the rules of its members, the settings
// of their agents, and what is said of members that are not ours to guide.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { liveSetsText } from "../../src/network/cluster/live-sets.ts";
import type { MemberSettings } from "../../src/network/cluster/member-settings.ts";
import { desiredOf } from "./live/state-of.ts";

const FILE = fileURLToPath(new URL("../../examples/network/nlb-cluster.yaml", import.meta.url));
const TEXT = readFileSync(FILE, "utf8");

function settingsIn(text: string): MemberSettings[] {
  return desiredOf(FILE, text).state.processes.map(
    ({ files }) => JSON.parse(files[1]!.text) as MemberSettings,
  );
}

function rulesOf(text: string, machine: string): string {
  const namespace = desiredOf(FILE, text).state.namespaces.find(
    ({ words }) => words === `machine ${machine}`,
  );
  return namespace!.tables.map((table) => table.text).join("");
}

test("each member has an agent that knows its number, its rules and where the others are", () => {
  const [first, , third] = settingsIn(TEXT);
  assert.equal(first!.member, 1);
  assert.equal(third!.member, 3);
  assert.equal(first!.broadcast, "192.168.30.255");
  assert.deepEqual(
    first!.shared.rules.map(({ name, kind, members }) => [name, kind, members.map(({ value }) => value)]),
    [
      ["tcp 80", "multiple", [50, 50, 100]],
      ["other", "single", [1, 2, 3]],
    ],
  );
  assert.equal(first!.shared.digest, third!.shared.digest);
});

test("what members must agree on has another digest when it changes, and rules keep their names", () => {
  const [before] = settingsIn(TEXT);
  const [after] = settingsIn(TEXT.replace("iis-3: 100", "iis-3: 60"));
  assert.notEqual(before!.shared.digest, after!.shared.digest);
  assert.deepEqual(before!.sets, after!.sets);
});

test("rules about the same ports are told apart", () => {
  const twice = TEXT.replace("rules:", "rules:\n      - {ports: 80, protocol: tcp, filtering: single}");
  const [one] = settingsIn(twice);
  assert.deepEqual(
    one!.shared.rules.map(({ name }) => name),
    ["tcp 80", "tcp 80 (2)", "other"],
  );
  assert.equal(new Set(one!.sets).size, 3);
});

test("only a unicast cluster behind a switch that notifies is announced", () => {
  const notified = TEXT.replace("notify-switches: false", "notify-switches: true");
  assert.equal(settingsIn(TEXT)[0]!.isAnnounced, false);
  assert.equal(settingsIn(notified)[0]!.isAnnounced, true);
  assert.equal(settingsIn(notified.replace("mode: unicast", "mode: igmp"))[0]!.isAnnounced, false);
});

test("the rules name every set that the agent fills, and start with nothing in them", () => {
  const [settings] = settingsIn(TEXT);
  const rules = rulesOf(TEXT, "iis-1");
  const filled = liveSetsText(settings!, new Map([["tcp 80", [0, 59]]]), false);
  for (const [, set] of filled.matchAll(/^flush set ip sallyport_cluster (\S+)$/gm)) {
    assert.match(rules, new RegExp(`set ${set} \\{\n[^=]*?\n  \\}`));
    assert.match(rules, new RegExp(`@${set}\\b`));
  }
  assert.match(filled, /\{ 0, 59 \}/);
  assert.doesNotMatch(liveSetsText(settings!, new Map(), true), /timeout/, "who is stopped has no lease");
});

const SIX = `
datacenter: six
networks: {farm: {subnet: "fd00::/64"}}
machines: {a: {network: farm, address: "fd00::1"}, b: {network: farm, address: "fd00::2"}}
clusters: {web: {machines: [a, b], address: "fd00::50"}}
`;

test("an IPv6 cluster's agents speak to all of their link, and fill sets of that family", () => {
  const [first] = settingsIn(SIX);
  assert.equal(first!.broadcast, "ff02::1%eth0");
  assert.equal(first!.ownAddress, "fd00::1");
  assert.match(liveSetsText(first!, new Map(), false), /^flush set ip6 sallyport_cluster /m);
  assert.match(rulesOf(SIX, "a"), /table ip6 sallyport_cluster/);
  const macs = desiredOf(FILE, SIX).state.namespaces.flatMap(({ links }) =>
    links.flatMap(({ name, mac }) => (name === "eth0" ? [mac] : [])),
  );
  assert.deepEqual(macs, ["02:bf:00:00:00:50", "02:bf:00:00:00:50"]);
});

test("a virtual machine that is a member is hidden on its cable, and what is needed in it is said", () => {
  const text = SIX.replace('"fd00::1"}', '"fd00::1", qemu: {}}');
  const { state, notes } = desiredOf(FILE, text);
  assert.equal(state.processes.filter(({ command }) => command.includes("agent")).length, 1);
  assert.match(
    rulesOf(text, "a"),
    /egress device "eth0".*\n.*ether saddr 02:bf:00:00:00:50 ether saddr set 02:01:/,
  );
  assert.doesNotMatch(rulesOf(text, "a"), /sp_share/);
  assert.match(notes.join("\n"), /its own Linux runs: sallyport cluster agent FILE a$/m);
  assert.equal(rulesOf(text.replace("[a, b],", "[a, b], mode: multicast,"), "a"), "");
});

test("the key of a cluster is named as the agents find it", () => {
  assert.equal(settingsIn(TEXT)[0]!.keyFile, null);
  const [first] = settingsIn(TEXT.replace("mode: unicast", "mode: unicast\n    key: keys/web.key"));
  assert.match(first!.keyFile!, /^\/.*keys\/web\.key$/);
});

test("only members that share a MAC get link-local addresses by chance", () => {
  const modes = (text: string) =>
    desiredOf(FILE, text).state.namespaces.flatMap(({ sysctls }) =>
      sysctls.filter(({ key }) => key.endsWith("addr_gen_mode")),
    ).length;
  assert.equal(modes(SIX), 2);
  assert.equal(modes(SIX.replace("[a, b],", "[a, b], mode: multicast,")), 0);
  assert.equal(modes(TEXT), 3);
});
