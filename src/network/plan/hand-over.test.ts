import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import type { AddressState, LinkState, NetworkState } from "../../model/network-state.ts";
import { newLink } from "./namespace-draft.ts";
import { planChanges } from "./plan-changes.ts";

const TRUNK = { first: 1, last: 4094, isNative: false };

function link(name: string, kind: LinkState["kind"], master: string | null = null): LinkState {
  return newLink({ name, kind, alias: "a", mtu: 1500, master });
}

function bond(name: string, mode: string, master: string | null = null): LinkState {
  const port = master === null ? null : { isLearning: true, vlans: [TRUNK] };
  return { ...link(name, { kind: "bond", options: [["mode", mode]] }, master), port };
}

function cards(...masters: readonly (string | null)[]): LinkState[] {
  return masters.map((master, index) => link(`eth${index}`, { kind: "physical" }, master));
}

const BRIDGE = link("dvs0", { kind: "bridge", isVlanAware: true, protocol: "802.1Q" });
const vlan = (id: number, of: string) =>
  link(`${of}.${id}`, { kind: "vlan", link: of, id, protocol: "802.1Q" }, `b${id}`);

function host(links: readonly LinkState[], addresses: readonly AddressState[] = []): NetworkState {
  const rest = { routes: [], rules: [], sysctls: [], tables: [] };
  return { processes: [], namespaces: [{ name: null, words: "", links, addresses, ...rest }] };
}

function words(before: NetworkState, after: NetworkState): string[] {
  return planChanges(before, after).steps.map((step) => step.words.replaceAll(" in this machine", ""));
}

test("a switch gets another LAG card by card, and at no time do both bonds carry", () => {
  const before = host([BRIDGE, bond("bond0", "802.3ad", "dvs0"), ...cards("bond0", "bond0", "bond0")]);
  const after = host([BRIDGE, bond("lag1", "802.3ad", "dvs0"), ...cards("lag1", "lag1", "lag1")]);
  assert.deepEqual(words(before, after), [
    "add bond lag1",
    "set up lag1",
    "set eth2 as a port of lag1",
    "wait until lag1 carries frames, before the rest of its cards come to it",
    "set lag1 as a port of dvs0",
    "hold lag1 back in dvs0",
    "set lag1 VLANs and learning of its port",
    "let lag1 carry in dvs0 instead of bond0",
    "set bond0 out of dvs0",
    "set eth1 as a port of lag1",
    "set eth0 as a port of lag1",
    "remove bond bond0",
  ]);
});

test("with a bridge for each VLAN those of the new LAG take the place of the old ones", () => {
  const bridges = [10, 11].map((id) =>
    link(`b${id}`, { kind: "bridge", isVlanAware: false, protocol: "802.1Q" }),
  );
  const side = (name: string) => [
    bond(name, "balance-xor"),
    vlan(10, name),
    vlan(11, name),
    ...cards(name, name),
  ];
  assert.deepEqual(words(host([...bridges, ...side("bond0")]), host([...bridges, ...side("lag1")])), [
    "add bond lag1",
    "add VLAN 10 of lag1 as lag1.10",
    "add VLAN 11 of lag1 as lag1.11",
    "set up lag1",
    "set up lag1.10",
    "set up lag1.11",
    "set eth1 as a port of lag1: the other end, without LACP, sends to it until it is out of the LAG there, too",
    "wait until lag1 carries frames, before the rest of its cards come to it",
    "set bond0.11 out of b11",
    "set bond0.10 out of b10",
    "set lag1.10 as a port of b10",
    "set lag1.11 as a port of b11",
    "set eth0 as a port of lag1: the other end, without LACP, sends to it until it is out of the LAG there, too",
    "remove VLAN 11 of bond0 as bond0.11",
    "remove VLAN 10 of bond0 as bond0.10",
    "remove bond bond0",
  ]);
});

test("a bond with an address, or of which a card stays, is not handed over", () => {
  const address = { link: "bond0", ip: parseIp("10.0.0.2")!, prefix: 24, isBare: false, isDeprecated: false };
  const before = [bond("bond0", "802.3ad"), ...cards("bond0", "bond0")];
  const after = [bond("lag1", "802.3ad"), ...cards("lag1", "lag1")];
  const moved = { ...address, link: "lag1" };
  assert.ok(!words(host(before, [address]), host(after, [moved])).some((step) => step.startsWith("wait")));
  const split = [bond("bond0", "802.3ad"), bond("lag1", "802.3ad"), ...cards("bond0", "lag1")];
  assert.ok(!words(host(before), host(split)).some((step) => step.startsWith("wait")));
});

test("an interrupted hand-over is taken back, and the old bond carries again", () => {
  const interrupted = [BRIDGE, bond("bond0", "802.3ad", "dvs0"), bond("lag1", "802.3ad", "dvs0")];
  const before = host([...interrupted, ...cards("bond0", "lag1")]);
  const after = host([BRIDGE, bond("bond0", "802.3ad", "dvs0"), ...cards("bond0", "bond0")]);
  assert.deepEqual(words(before, after), [
    "remove bond lag1",
    "set bond0 out of dvs0",
    "set bond0 as a port of dvs0, VLANs and learning of its port",
    "set eth1 up, as a port of bond0",
  ]);
});
