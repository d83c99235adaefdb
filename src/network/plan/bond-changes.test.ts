import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp, parseSubnet } from "../../base/ip.ts";
import { parseMac } from "../../base/mac.ts";
import type { LinkState, NetworkState } from "../../model/network-state.ts";
import { newLink } from "./namespace-draft.ts";
import { planChanges } from "./plan-changes.ts";

const MAC = parseMac("02:00:00:00:00:01")!;
const XOR = { mode: "balance-xor", miimon: "20", xmit_hash_policy: "layer2" };
const LACP = { ...XOR, mode: "802.3ad", lacp_rate: "slow", ad_select: "stable" };

function bond(options: Record<string, string>, more: Partial<LinkState> = {}): LinkState {
  return newLink({
    name: "bond0",
    kind: { kind: "bond", options: Object.entries(options) },
    alias: "a",
    mtu: 1500,
    ...more,
  });
}

function card(name: string, master: string | null = "bond0"): LinkState {
  return newLink({ name, kind: { kind: "physical" }, alias: null, mtu: 1500, master });
}

const VLAN = newLink({
  name: "org",
  kind: { kind: "vlan", link: "bond0", id: 10, protocol: "802.1Q" },
  alias: "b",
  mtu: 1500,
});

/** With a route and an address of each family on a VLAN of the bond. */
function host(links: readonly LinkState[]): NetworkState {
  const bare = { isBare: false, isDeprecated: false, prefix: 24 };
  const route = { via: parseIp("10.0.0.1")!, table: 254, source: null, isOnlink: false, type: "unicast" };
  return {
    processes: [],
    namespaces: [
      {
        name: null,
        words: "",
        links,
        addresses: [
          { link: "org", ip: parseIp("10.0.0.2")!, ...bare },
          { link: "org", ip: parseIp("fd00::2")!, ...bare },
        ],
        routes: [{ ...route, to: parseSubnet("0.0.0.0/0")!.subnet, link: "org", type: "unicast" }],
        rules: [],
        sysctls: [],
        tables: [],
      },
    ],
  };
}

function words(before: readonly LinkState[], after: readonly LinkState[]): string[] {
  return planChanges(host(before), host(after)).steps.map((step) =>
    step.words.replaceAll(" in this machine", ""),
  );
}

const MEMBERS = [card("eth0"), card("eth1")];

test("what can change while frames pass is changed so, in words that say what it was", () => {
  const after = { ...XOR, miimon: "100", xmit_hash_policy: "layer3+4" };
  assert.deepEqual(words([bond(XOR), ...MEMBERS, VLAN], [bond(after, { mtu: 9000 }), ...MEMBERS, VLAN]), [
    "set bond0 MTU 9000 instead of 1500, miimon 100 instead of 20, xmit_hash_policy layer3+4 instead of layer2",
  ]);
});

test("what can only change while a bond is down stops it for a moment, and what it loses by that is put back", () => {
  const after = { ...LACP, lacp_rate: "fast" };
  assert.deepEqual(words([bond(LACP), ...MEMBERS, VLAN], [bond(after), ...MEMBERS, VLAN]), [
    "set bond0 down: its lacp_rate can only change while it is down",
    "set bond0 up, lacp_rate fast instead of slow",
    "add address fd00::2/24 on org",
    "set route default via 10.0.0.1",
  ]);
});

test("for its mode a bond is emptied and filled again, and keeps its MAC", () => {
  const before = bond(XOR, { mac: MAC });
  assert.deepEqual(words([before, ...MEMBERS, VLAN], [bond(LACP), ...MEMBERS, VLAN]), [
    "set bond0 down: its mode can only change while it has no members",
    "set eth0 down, out of bond0",
    "set eth1 down, out of bond0",
    "set bond0 MAC 02:00:00:00:00:01, up, mode 802.3ad instead of balance-xor, lacp_rate slow, ad_select stable",
    "set eth0 up, as a port of bond0",
    "set eth1 up, as a port of bond0",
    "add address fd00::2/24 on org",
    "set route default via 10.0.0.1",
  ]);
});

test("a bond gets a new member before it loses an old one, and a card that the file forgets is let go of", () => {
  const before = [bond(LACP), card("eth0"), card("eth1", null), VLAN];
  const after = [bond(LACP), card("eth0", null), card("eth1"), VLAN];
  assert.deepEqual(words(before, after), ["set eth1 as a port of bond0", "set eth0 out of bond0"]);
  assert.deepEqual(words([bond(LACP), ...MEMBERS, VLAN], [bond(LACP), card("eth0"), VLAN]), [
    "set eth1 down, out of bond0",
  ]);
});

test("nothing is done for options that nobody has said and the kernel has", () => {
  const kernel = { ...LACP, num_peer_notif: "1", min_links: "0" };
  assert.deepEqual(words([bond(kernel), ...MEMBERS], [bond(LACP), ...MEMBERS]), []);
});

test("cards come up again when their bond is removed, which takes them down", () => {
  const steps = words([bond(XOR), card("eth0"), VLAN], [card("eth0", null)]);
  assert.deepEqual(
    steps.filter((step) => /eth0|bond0$/.test(step)),
    ["remove bond bond0", "set eth0 up"],
  );
});

test("whoever takes a card out of a LAG without LACP is told who still sends to it", () => {
  assert.deepEqual(
    words([bond(XOR), ...MEMBERS, VLAN], [bond(XOR), card("eth0"), card("eth1", null), VLAN]),
    ["set eth1 out of bond0: the other end, without LACP, sends to it until it is out of the LAG there, too"],
  );
});
