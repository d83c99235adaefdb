// Datacentre files without fault, made up from a seed: hosts with bonds and the fabric at their other end, a
// switch over them, networks with routers, DHCP, fences, a cluster and publications. As plain data, so that a
// test can break one thing; JSON is YAML.
export interface RandomDatacenter {
  readonly hosts: Record<string, RandomHost>;
  readonly fabric: { readonly tor: { ports: Record<string, RandomPort>; lags: Record<string, RandomLag> } };
  readonly switches: { readonly dvs0: RandomSwitch };
  readonly networks: Record<string, RandomNetwork>;
  readonly edges: Record<string, RandomEdge>;
  readonly machines: Record<string, RandomMachine>;
  readonly vapps: Record<string, RandomVapp>;
  readonly clusters: { readonly web: { machines: string[]; address: string; mode: string } };
  readonly consoles: { readonly portal: { address: string }; readonly proxy: { address: string } };
  readonly publish: { machine: string; port: number; at: string }[];
  readonly expect: string[];
}

interface RandomHost {
  readonly interfaces: Record<string, { speed: string; mtu?: number; addresses?: string }>;
  readonly bonds: { readonly bond0: Record<string, unknown> };
}
interface RandomPort {
  to: string;
  lag?: number;
}
interface RandomLag {
  lacp: string;
  "lacp-rate": string;
  trunk: number[];
  mtu: number;
}
interface RandomSwitch {
  version: string;
  readonly uplinks: Record<string, string>;
  features: string[];
  mtu: number;
  readonly "port-groups": Record<string, Record<string, unknown>>;
}
interface RandomNetwork {
  external?: boolean;
  subnet: string;
  "port-group"?: string;
  gateway?: string;
  pool?: string;
  dhcp?: { range: string; dns?: string };
}
interface RandomEdge {
  readonly host: string;
  readonly interfaces: Record<string, string | string[]>;
  routes: { to: string; via: string }[];
  readonly firewall: { rules: Record<string, unknown>[] };
  nat: Record<string, unknown>[];
}
interface RandomMachine {
  host?: string;
  network: string;
  address: string;
  mac?: string;
  listen?: number[];
}
interface RandomVapp {
  readonly network: { parent: string; fenced: boolean };
  readonly machines: Record<string, { host: string; address: string; listen: number[] }>;
  readonly copies: string[];
}

const NETWORKS_MAX = 4;
const MACHINES_MAX = 5;

/** `random` gives whole numbers from 0 below its argument. */
export function randomDatacenter(random: (below: number) => number): RandomDatacenter {
  const hostNames = names("host", 1 + random(3));
  const inner = names("net", 1 + random(NETWORKS_MAX));
  const vlans = inner.map((_, index) => 100 + index * 10 + random(10));
  const trunk = [5, 50, ...vlans];
  const mtu = random(2) === 0 ? 1500 : 9000;
  const mode = random(3) === 0 ? "active-backup" : "802.3ad";
  const rate = random(2) === 0 ? "slow" : "fast";
  const anyHost = (): string => hostNames[random(hostNames.length)]!;
  const home = anyHost();
  const isAggregate = mode === "802.3ad";
  return {
    hosts: Object.fromEntries(
      hostNames.map((name) => [
        name,
        {
          interfaces: { eth0: { speed: "10G", mtu }, eth1: { speed: "10G", mtu } },
          bonds: {
            bond0: {
              links: ["eth0", "eth1"],
              mode,
              mtu,
              "mii-monitor": "100ms",
              ...(isAggregate ? { hash: "layer3+4", "lacp-rate": rate } : {}),
            },
          },
        },
      ]),
    ),
    fabric: {
      tor: {
        ports: Object.fromEntries(
          hostNames.flatMap((name, index) =>
            [0, 1].map((card) => [
              `${2 * index + card + 1}`,
              {
                to: `${name}/eth${card}`,
                ...(isAggregate ? { lag: index + 1 } : { trunk, mtu: 9000 }),
              },
            ]),
          ),
        ),
        lags: isAggregate
          ? Object.fromEntries(
              hostNames.map((_, index) => [
                `${index + 1}`,
                { lacp: "active", "lacp-rate": rate, trunk, mtu: 9000 },
              ]),
            )
          : {},
      },
    },
    switches: {
      dvs0: {
        version: "6.0",
        uplinks: Object.fromEntries(hostNames.map((name) => [name, "bond0"])),
        features: ["lldp"],
        mtu,
        "port-groups": {
          outside: { vlan: 5 },
          farm: {
            vlan: 50,
            "notify-switches": false,
            security: { "mac-changes": "accept", "forged-transmits": "accept" },
          },
          ...Object.fromEntries(inner.map((name, index) => [name, { vlan: vlans[index]! }])),
        },
      },
    },
    networks: {
      internet: {
        external: true,
        subnet: "203.0.113.0/24",
        "port-group": "dvs0/outside",
        gateway: "203.0.113.1",
      },
      farm: { subnet: "192.168.50.0/24", "port-group": "dvs0/farm", gateway: "192.168.50.1" },
      ...Object.fromEntries(
        inner.map((name, index) => [
          name,
          {
            subnet: `10.0.${index}.0/24`,
            "port-group": `dvs0/${name}`,
            gateway: `10.0.${index}.1`,
            pool: `10.0.${index}.100-10.0.${index}.149`,
            ...(random(2) === 0 ? { dhcp: { range: `10.0.${index}.200-10.0.${index}.249` } } : {}),
          },
        ]),
      ),
    },
    edges: {
      border: {
        host: home,
        interfaces: {
          internet: ["203.0.113.10", "203.0.113.11"],
          farm: "192.168.50.1",
          ...Object.fromEntries(inner.map((name, index) => [name, `10.0.${index}.1`])),
        },
        routes: [{ to: "default", via: "203.0.113.1" }],
        firewall: {
          rules: [
            { allow: "tcp", from: "internet", to: "203.0.113.10", ports: [80, 8443] },
            ...inner.map((from) => ({ allow: "any", from, to: "internet" })),
          ],
        },
        nat: [
          { dnat: "203.0.113.10", protocol: "tcp", port: 80, to: "m-0-0", hairpin: true },
          ...inner.map((snat) => ({ snat, to: "203.0.113.10" })),
        ],
      },
    },
    machines: {
      "iis-1": { host: anyHost(), network: "farm", address: "192.168.50.11", listen: [80] },
      "iis-2": { host: anyHost(), network: "farm", address: "192.168.50.12", listen: [80] },
      ...Object.fromEntries(
        inner.flatMap((network, index) =>
          range(2 + random(MACHINES_MAX)).map((machine) => [
            `m-${index}-${machine}`,
            { host: anyHost(), network, address: `10.0.${index}.${10 + machine}`, listen: [80, 8080] },
          ]),
        ),
      ),
    },
    vapps: {
      shop: {
        network: { parent: inner[0]!, fenced: true },
        machines: {
          web: { host: home, address: "10.0.0.10", listen: [80] },
          db: { host: home, address: "10.0.0.41", listen: [5432] },
        },
        copies: names("copy", 1 + random(4)),
      },
    },
    clusters: { web: { machines: ["iis-1", "iis-2"], address: "192.168.50.50", mode: "unicast" } },
    consoles: { portal: { address: "203.0.113.10:443" }, proxy: { address: "203.0.113.11:443" } },
    publish: [{ machine: `shop.copy-0/web`, port: 80, at: "203.0.113.11:8001" }],
    expect: [
      "internet reaches tcp 203.0.113.11:8001 at shop.copy-0/web",
      "m-0-0 reaches tcp m-0-1:80",
      "internet cannot reach tcp 203.0.113.10:22",
    ],
  };
}

export function textOf(datacenter: RandomDatacenter): string {
  const sections = Object.entries({ datacenter: "random", ...datacenter });
  return `${sections.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join("\n")}\n`;
}

function names(prefix: string, count: number): string[] {
  return range(count).map((index) => `${prefix}-${index}`);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
