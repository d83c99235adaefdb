import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { applyEdits } from "../../../src/language/datacenter/edit.ts";
import { findingsOf } from "../../../tools/check-pages.ts";
import { type RandomDatacenter, randomDatacenter, textOf } from "./random-datacenter.ts";

const SEEDS = 40;
const MUTATIONS = Number(process.env["MUTATIONS"] ?? 200);

/**
 * What is done to a datacentre without fault, and the codes that must come of it: all of them, and no others.
 */
interface Break {
  readonly name: string;
  readonly codes: readonly string[];
  /** False where this datacentre has nothing that can be broken so. */
  run(datacenter: RandomDatacenter): boolean;
}

const BREAKS: readonly Break[] = [
  breaking("a VLAN is taken off a LAG", ["vlan-not-carried", "expectation-fails"], ({ fabric, switches }) => {
    const vlan = switches.dvs0["port-groups"]["net-0"]!["vlan"];
    const lags = Object.values(fabric.tor.lags);
    for (const lag of lags) lag.trunk = lag.trunk.filter((id) => id !== vlan);
    return lags.length > 0;
  }),
  breaking("link monitoring is forgotten", ["mii-monitor-missing"], ({ hosts }) => {
    delete hosts["host-0"]!.bonds.bond0["mii-monitor"];
    return true;
  }),
  breaking("LACP is off at the switch", ["lacp-mode-mismatch", "expectation-fails"], ({ fabric }) => {
    const [lag] = Object.values(fabric.tor.lags);
    if (lag !== undefined) lag.lacp = "off";
    return lag !== undefined;
  }),
  breaking("the LACP rates differ", ["lacp-rate-mismatch"], ({ fabric }) => {
    const [lag] = Object.values(fabric.tor.lags);
    if (lag !== undefined) lag["lacp-rate"] = lag["lacp-rate"] === "fast" ? "slow" : "fast";
    return lag !== undefined;
  }),
  breaking("a cable is moved out of the LAG", ["lag-members-differ", "expectation-fails"], ({ fabric }) => {
    const port = fabric.tor.ports["2"]!;
    if (port.lag === undefined) return false;
    delete port.lag;
    Object.assign(port, { trunk: fabric.tor.lags["1"]!.trunk });
    return true;
  }),
  breaking("the fabric takes smaller packets", ["mtu-mismatch"], ({ fabric, hosts }) => {
    const [lag] = Object.values(fabric.tor.lags);
    if (lag === undefined || hosts["host-0"]!.interfaces["eth0"]!.mtu !== 9000) return false;
    lag.mtu = 1500;
    return true;
  }),
  breaking(
    "the switch is told to carry more than the uplinks",
    ["switch-mtu-above-uplink"],
    ({ switches }) => {
      switches.dvs0.mtu = 9100;
      return true;
    },
  ),
  breaking("a card that belongs to a bond gets an address", ["address-on-bond-member"], ({ hosts }) => {
    hosts["host-0"]!.interfaces["eth1"]!.addresses = "172.16.0.5/24";
    return true;
  }),
  breaking("one card is slower", ["bond-members-differ"], ({ hosts }) => {
    hosts["host-0"]!.interfaces["eth1"]!.speed = "1G";
    return true;
  }),
  breaking("the switch is an old one", ["switch-feature-needs-version"], ({ switches }) => {
    switches.dvs0.version = "5.1";
    switches.dvs0.features = ["igmp-snooping"];
    return true;
  }),
  breaking("two machines get one MAC", ["duplicate-mac"], ({ machines }) => {
    machines["iis-1"]!.mac = "00:50:56:00:00:01";
    machines["iis-2"]!.mac = "00:50:56:00:00:01";
    return true;
  }),
  breaking("two machines get one address", ["duplicate-address"], ({ machines }) => {
    machines["iis-2"]!.address = machines["iis-1"]!.address;
    return true;
  }),
  breaking("a machine gets an address of another subnet", ["address-outside-subnet"], ({ machines }) => {
    machines["iis-2"]!.address = "192.168.51.12";
    return true;
  }),
  breaking("a machine gets the broadcast address", ["address-is-network-or-broadcast"], ({ machines }) => {
    machines["iis-2"]!.address = "192.168.50.255";
    return true;
  }),
  breaking("the pool is mistyped", ["pool-outside-subnet"], ({ networks }) => {
    networks["net-0"]!.pool = "10.0.0.100-10.0.1.49";
    return networks["net-0"]!.dhcp === undefined;
  }),
  breaking("the pool grows into the DHCP range", ["pool-overlaps-dhcp-range"], ({ networks }) => {
    networks["net-0"]!.pool = "10.0.0.100-10.0.0.219";
    return networks["net-0"]!.dhcp !== undefined;
  }),
  breaking("a machine asks where nobody answers", ["dhcp-no-server"], ({ machines }) => {
    machines["iis-3"] = { ...machines["iis-1"]!, address: "dhcp" };
    return true;
  }),
  breaking("a fixed address lies in the DHCP range", ["dhcp-range-over-static"], ({ machines, networks }) => {
    machines["static"] = { ...machines["m-0-0"]!, address: "10.0.0.220" };
    return networks["net-0"]!.dhcp !== undefined;
  }),
  breaking("the gateway is mistyped", ["gateway-nobody-has"], ({ networks }) => {
    networks["farm"]!.gateway = "192.168.50.254";
    return true;
  }),
  breaking("two networks get one VLAN", ["vlan-used-twice"], ({ switches, networks }) => {
    const groups = switches.dvs0["port-groups"];
    if (networks["net-1"] === undefined || networks["net-1"].dhcp !== undefined) return false;
    groups["net-1"]!["vlan"] = groups["net-0"]!["vlan"];
    return true;
  }),
  breaking("the way out is forgotten", ["edge-without-default-route", "expectation-fails"], ({ edges }) => {
    edges["border"]!.routes = [];
    return true;
  }),
  breaking("a translation leads to nobody", ["nat-to-nowhere"], ({ edges }) => {
    edges["border"]!.nat[0]!["to"] = "10.0.0.99";
    return true;
  }),
  breaking("the opening of a translation is forgotten", ["nat-without-opening"], ({ edges }) => {
    edges["border"]!.firewall.rules.shift();
    return true;
  }),
  breaking("NAT uses an address that the edge does not have", ["nat-address-not-on-edge"], ({ edges }) => {
    edges["border"]!.nat[1]!["to"] = "203.0.113.77";
    return true;
  }),
  breaking("a rule is written behind one that covers it", ["firewall-rule-never-matches"], ({ edges }) => {
    edges["border"]!.firewall.rules.push({ deny: "tcp", from: "net-0", to: "internet", ports: 25 });
    return true;
  }),
  breaking(
    "everything is opened for a moment",
    ["external-network-open", "expectation-fails"],
    ({ edges }) => {
      edges["border"]!.firewall.rules.push({ allow: "any", from: "internet" });
      return true;
    },
  ),
  breaking("hairpin is forgotten", ["hairpin-missing"], ({ edges }) => {
    delete edges["border"]!.nat[0]!["hairpin"];
    return true;
  }),
  breaking("the fence is forgotten", ["vapp-copies-collide", "expectation-fails"], ({ vapps }) => {
    const shop = vapps["shop"]!;
    if (shop.copies.length < 2) return false;
    shop.network.fenced = false;
    // What is published is another machine then, and has the address of one of the network.
    shop.machines["web"]!.address = "10.0.0.42";
    return true;
  }),
  breaking("the port group announces MACs", ["nlb-notify-switches"], ({ switches }) => {
    delete switches.dvs0["port-groups"]["farm"]!["notify-switches"];
    return true;
  }),
  breaking("the port group rejects forged transmits", ["nlb-forged-transmits"], ({ switches }) => {
    switches.dvs0["port-groups"]["farm"]!["security"] = { "mac-changes": "accept" };
    return true;
  }),
  breaking("the console proxy moves to the portal's address", ["console-proxy-on-portal-address"], (all) => {
    all.consoles.proxy.address = all.consoles.portal.address;
    return true;
  }),
  breaking("a raw console is published", ["hypervisor-reachable"], ({ publish, machines }) => {
    machines["m-0-0"]!.listen = [80, 5900];
    publish.push({ machine: "m-0-0", port: 5900, at: "203.0.113.11:5900" });
    return true;
  }),
  breaking("a port is published where nobody listens", ["published-port-not-served"], ({ publish }) => {
    publish.push({ machine: "m-0-0", port: 9999, at: "203.0.113.11:9999" });
    return true;
  }),
];

function breaking(name: string, codes: readonly string[], run: Break["run"]): Break {
  return { name, codes, run };
}

test("nothing is found in datacentres without fault", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const text = textOf(randomDatacenter(chance(seed)));
    assert.deepEqual(
      findingsOf(text).map(({ code, message }) => `${code}: ${message}`),
      [],
      `seed ${seed}`,
    );
  }
});

for (const { name, codes, run } of BREAKS) {
  test(`${codes[0]}, and nothing that is not so, is found when ${name}`, () => {
    let count = 0;
    for (let seed = 1; seed <= SEEDS && count < 8; seed++) {
      const datacenter = randomDatacenter(chance(seed));
      if (!run(datacenter)) continue;
      count++;
      const found = new Set(findingsOf(textOf(datacenter)).map(({ code }) => code));
      assert.ok(found.has(codes[0]!), `seed ${seed}: ${[...found].join(", ")}`);
      for (const code of found) assert.ok(codes.includes(code), `seed ${seed}: ${code}`);
      const mended = fixAll(textOf(datacenter));
      const isFixable = findingsOf(textOf(datacenter)).some(
        ({ code, fix }) => code === codes[0] && fix !== null,
      );
      if (isFixable)
        assert.deepEqual(
          findingsOf(mended).map(({ code }) => code),
          [],
          `seed ${seed}`,
        );
    }
    assert.ok(count > 0, "no seed has something to break");
  });
}

test("whatever is taken away or put elsewhere, checking ends with findings and never throws", () => {
  for (let seed = 1; seed <= MUTATIONS; seed++) {
    const random = chance(seed);
    const datacenter = randomDatacenter(random);
    for (let step = random(3); step >= 0; step--) {
      const places = placesIn(datacenter);
      const { owner, key } = places[random(places.length)]!;
      const other = places[random(places.length)]!;
      if (random(3) === 0) delete owner[key];
      else owner[key] = structuredClone(other.owner[other.key]);
    }
    const text = textOf(datacenter);
    assert.doesNotThrow(() => findingsOf(text), `seed ${seed}:\n${text}`);
  }
});

/** As `check --fix` does: until nothing is left that can be mended so. */
function fixAll(text: string): string {
  for (let round = 0, mended = text; ; round++) {
    const edits = findingsOf(mended).flatMap(({ fix }) => fix ?? []);
    if (edits.length === 0) return mended;
    assert.ok(round < 5, "fixes go on for ever");
    const result = applyEdits(mended, edits, "datacenter.yaml");
    assert.ok(result.ok, mended);
    mended = result.text;
  }
}

/** Every key and index of a tree. */
function placesIn(tree: object): { readonly owner: Record<string, unknown>; readonly key: string }[] {
  const owner = tree as Record<string, unknown>;
  return Object.keys(owner).flatMap((key) => {
    const value = owner[key];
    return [{ owner, key }, ...(typeof value === "object" && value !== null ? placesIn(value) : [])];
  });
}

/** Numbers that look like chance, always the same for a seed (xorshift32). */
function chance(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}
