// Small datacentres made up from a seed, for questions to the kernel: machines in one to three networks with
// and without VLANs, one or two edges with firewall and NAT of every kind, static routes, fenced copies and
// publications, IPv4 alone or with IPv6. Not all of them make sense; the ones that `check` refuses are thrown
// away. JSON is YAML.
import { seededRandom } from "../../../src/io/memory/seeded-random.ts";
import { findingsOf } from "../../../tools/check-pages.ts";

type Chance = (below: number) => number;
type Json = Record<string, unknown>;

/** What the parts of one file must know of each other. */
interface Plan {
  readonly chance: Chance;
  readonly hasIpv6: boolean;
  /** Networks at the edge that has the internet. */
  readonly near: readonly string[];
  /** A network behind a second edge; null: there is none. */
  readonly deep: string | null;
  /** Names of machines that are in no vApp, with the number of their network. */
  readonly machines: readonly { readonly name: string; readonly network: string; readonly host: number }[];
  /** Whether those networks are VLANs of one switch. */
  readonly isSwitched: boolean;
  readonly vapp: { readonly parent: string; readonly isFenced: boolean; readonly copies: string[] } | null;
}

const ATTEMPTS = 50;
const PUBLIC = ["203.0.113.10", "203.0.113.11", "203.0.113.12"];
const PUBLIC6 = ["2001:db8:0:1::10", "2001:db8:0:1::11"];

/** A file without errors; `thrownAway` says how many were made before it that had some. */
export function randomTopology(seed: number): { readonly text: string; readonly thrownAway: number } {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const random = seededRandom(seed * ATTEMPTS + attempt);
    const text = topologyText(`t${seed}`, (below) => Math.floor(random() * below));
    const hasErrors = findingsOf(text).some(({ severity }) => severity === "error");
    if (!hasErrors) return { text, thrownAway: attempt };
  }
  throw new Error(`seed ${seed}: ${ATTEMPTS} files, and all of them with errors`);
}

function topologyText(name: string, chance: Chance): string {
  const plan = randomPlan(chance);
  const sections = {
    datacenter: name,
    ...switchSection(plan),
    networks: networkSection(plan),
    edges: edgeSection(plan),
    machines: machineSection(plan),
    ...vappSection(plan),
    publish: publications(plan),
  };
  return Object.entries(sections)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");
}

function randomPlan(chance: Chance): Plan {
  const near = ["org", "dmz"].slice(0, 1 + chance(2));
  const deep = chance(2) === 0 ? "deep" : null;
  const networks = [...near, ...(deep === null ? [] : [deep])];
  const machines = networks.flatMap((network) =>
    Array.from({ length: 1 + chance(2) }, (_, index) => ({
      name: `${network}-${index + 1}`,
      network,
      host: 11 + index,
    })),
  );
  const vapp =
    chance(3) === 0
      ? null
      : { parent: pick(chance, near), isFenced: chance(4) > 0, copies: ["a", "b"].slice(0, 1 + chance(2)) };
  const [hasIpv6, isSwitched] = [chance(2) === 0, chance(2) === 0];
  return { chance, hasIpv6, near, deep, machines, isSwitched, vapp };
}

function switchSection({ isSwitched, near }: Plan): Json {
  if (!isSwitched) return {};
  const groups = near.map((name, index) => [name, { vlan: 10 + index }]);
  return { switches: { dvs0: { version: "5.1", "port-groups": Object.fromEntries(groups) } } };
}

/** "org" is 10.0.0.0/24 and fd00:0::/64, "dmz" 10.1…, "deep" 10.2… */
function subnetNumber(network: string): number {
  return ["org", "dmz", "deep"].indexOf(network);
}

function addressIn(network: string, host: number, family: 4 | 6): string {
  const number = subnetNumber(network);
  return family === 4 ? `10.${number}.0.${host}` : `fd00:${number}::${host}`;
}

function both({ hasIpv6 }: Plan, network: string, host: number): string[] {
  return ([4, 6] as const).slice(0, hasIpv6 ? 2 : 1).map((family) => addressIn(network, host, family));
}

function networkSection(plan: Plan): Json {
  const { near, deep, hasIpv6 } = plan;
  const inner = [...near, ...(deep === null ? [] : [deep])].map((name): [string, Json] => {
    const number = subnetNumber(name);
    const subnet = [`10.${number}.0.0/24`, ...(hasIpv6 ? [`fd00:${number}::/64`] : [])];
    const pool = `10.${number}.0.100-10.${number}.0.120`;
    const place = plan.isSwitched && near.includes(name) ? { "port-group": `dvs0/${name}` } : {};
    return [name, { subnet, gateway: both(plan, name, 1), pool, ...place }];
  });
  const outside = {
    external: true,
    subnet: ["203.0.113.0/24", ...(hasIpv6 ? ["2001:db8:0:1::/64"] : [])],
    gateway: ["203.0.113.1", ...(hasIpv6 ? ["2001:db8:0:1::1"] : [])],
  };
  return { internet: outside, ...Object.fromEntries(inner) };
}

function edgeSection(plan: Plan): Json {
  const { chance, near, deep, hasIpv6 } = plan;
  const outside = [...PUBLIC, ...(hasIpv6 ? PUBLIC6 : [])];
  const routes: Json[] = [
    { to: "0.0.0.0/0", via: "203.0.113.1" },
    ...(hasIpv6 ? [{ to: "::/0", via: "2001:db8:0:1::1" }] : []),
  ];
  const middle = near.at(-1)!;
  if (deep !== null) {
    const number = subnetNumber(deep);
    routes.push({ to: `10.${number}.0.0/24`, via: addressIn(middle, 2, 4) });
    if (hasIpv6) routes.push({ to: `fd00:${number}::/64`, via: addressIn(middle, 2, 6) });
  }
  const interfaces = Object.fromEntries(near.map((name) => [name, both(plan, name, 1)]));
  const border = {
    interfaces: { internet: outside, ...interfaces },
    routes,
    firewall: randomFirewall(plan, ["internet", ...near]),
    nat: randomNat(plan),
  };
  if (deep === null) return { border };
  const inner = {
    interfaces: { [middle]: both(plan, middle, 2), [deep]: both(plan, deep, 1) },
    routes: [
      { to: "0.0.0.0/0", via: addressIn(middle, 1, 4) },
      ...(hasIpv6 ? [{ to: "::/0", via: addressIn(middle, 1, 6) }] : []),
    ],
    firewall: randomFirewall(plan, [middle, deep]),
    nat: chance(3) === 0 ? [{ masquerade: deep, out: middle }] : [],
  };
  return { border, inner };
}

function randomFirewall(plan: Plan, networks: readonly string[]): Json {
  const { chance, machines } = plan;
  const places = [...networks, ...machines.map(({ name }) => name), ...PUBLIC, "10.0.0.0/25", "any"];
  const rules = Array.from({ length: chance(6) }, (): Json => {
    const protocol = pick(chance, ["any", "tcp", "udp", "icmp"]);
    const hasPorts = protocol === "tcp" || protocol === "udp";
    const ports = pick(chance, [80, [80, 8001], "50-100", [53, "8000-8009"]]);
    return {
      [pick(chance, ["allow", "allow", "deny"])]: protocol,
      ...(chance(3) === 0 ? {} : { from: pick(chance, places) }),
      ...(chance(3) === 0 ? {} : { to: pick(chance, places) }),
      ...(hasPorts && chance(2) === 0 ? { ports } : {}),
    };
  });
  return {
    default: pick(chance, ["allow", "deny"]),
    match: pick(chance, ["original", "translated"]),
    rules,
  };
}

function randomNat(plan: Plan): Json[] {
  const { chance, near, deep, machines, hasIpv6 } = plan;
  const networks = [...near, ...(deep === null ? [] : [deep])];
  const sources = networks.flatMap((network): Json[] => {
    switch (chance(4)) {
      case 0:
        return [];
      case 1:
        return [{ masquerade: network, out: "internet" }];
      case 2:
        return [
          { snat: `10.${subnetNumber(network)}.0.0/24`, to: pick(chance, PUBLIC) },
          ...(hasIpv6 ? [{ masquerade: network, out: "internet" }] : []),
        ];
      default:
        return [{ snat: network, to: pick(chance, PUBLIC) }];
    }
  });
  const targets = machines.map(({ network, host }) => addressIn(network, host, 4));
  const destinations = Array.from({ length: chance(4) }, (): Json => {
    const to = pick(chance, targets);
    const dnat = pick(chance, PUBLIC.slice(1));
    const hairpin = chance(2) === 0;
    switch (chance(4)) {
      case 0:
        return { dnat, protocol: "tcp", port: 8001, to, "to-port": 80, hairpin };
      case 1:
        return { dnat, protocol: pick(chance, ["tcp", "udp"]), port: pick(chance, [53, 80]), to, hairpin };
      case 2:
        return { dnat, protocol: "tcp", port: "8000-8004", to, "to-port": 78, hairpin };
      default:
        return { dnat, to, hairpin };
    }
  });
  const { network, host } = pick(chance, machines);
  const destinations6: Json[] =
    hasIpv6 && chance(2) === 0
      ? [{ dnat: pick(chance, PUBLIC6), protocol: "tcp", port: 80, to: addressIn(network, host, 6) }]
      : [];
  const exchanged: Json[] =
    chance(3) === 0
      ? [{ "one-to-one": PUBLIC[2]!, to: pick(chance, targets), hairpin: chance(2) === 0 }]
      : [];
  return [...exchanged, ...destinations, ...destinations6, ...sources];
}

function machineSection(plan: Plan): Json {
  const { chance, near, deep, machines } = plan;
  const single = machines.map(({ name, network, host }): [string, Json] => [
    name,
    {
      network,
      address: both(plan, network, host),
      listen: pick<unknown>(chance, [80, [80, "udp 53"], [80, "udp 53"]]),
      ...(chance(6) === 0 ? { gateway: "none" } : {}),
      // A short way to what is behind the second edge.
      ...(deep !== null && network === near.at(-1) && chance(2) === 0
        ? { routes: [{ to: `10.${subnetNumber(deep)}.0.0/24`, via: addressIn(network, 2, 4) }] }
        : {}),
    },
  ]);
  const bridging: [string, Json][] =
    near.length > 1 && chance(3) === 0
      ? [
          [
            "router",
            {
              interfaces: Object.fromEntries(
                near.map((network, index) => [`eth${index}`, { network, address: both(plan, network, 5) }]),
              ),
              listen: 80,
              forwarding: chance(2) === 0,
            },
          ],
        ]
      : [];
  return Object.fromEntries([...single, ...bridging]);
}

function vappSection({ chance, vapp }: Plan): Json {
  if (vapp === null) return {};
  const web = { address: addressIn(vapp.parent, 11, 4), listen: [80, "udp 53"] };
  const second = { address: addressIn(vapp.parent, 42, 4), listen: 80 };
  const machines = vapp.isFenced ? { web, db: second } : { web: { listen: [80, "udp 53"] } };
  const allowed: Json[] = [{ allow: pick(chance, ["tcp", "icmp", "any"]) }];
  const shop = {
    network: { parent: vapp.parent, fenced: vapp.isFenced },
    machines,
    copies: vapp.copies,
    ...(vapp.isFenced
      ? {
          nat: pick(chance, ["ip-translation", "port-forwarding"]),
          ...(chance(2) === 0 ? {} : { firewall: { rules: allowed } }),
        }
      : {}),
  };
  return { vapps: { shop } };
}

function publications({ chance, vapp, machines }: Plan): Json[] {
  const copies = vapp === null ? [] : vapp.copies.map((copy) => `shop.${copy}/web`);
  const candidates = [...copies, pick(chance, machines).name].filter(() => chance(3) > 0);
  return candidates.map((machine, index) => ({ machine, port: 80, at: `${PUBLIC[0]}:${8001 + index}` }));
}

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance(from.length)]!;
}
