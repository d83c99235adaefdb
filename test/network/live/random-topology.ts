// Small datacentres made up from a seed, for questions to the kernel: machines in one to three networks with
// and without VLANs, policies and traffic rules of port groups, DHCP, one or two edges with firewall, NAT of
// every kind and a load balancer, static routes, fenced copies, clusters and publications, IPv4 alone or with
// IPv6. Not all of them make sense; the ones that `check` refuses are thrown away. JSON is YAML.
import { seededRandom } from "../../../src/io/memory/seeded-random.ts";
import { findingsOf } from "../../../tools/check-pages.ts";
import { balancerText, edgeSection } from "./random-edges.ts";
import {
  clusterSection,
  machineSection,
  publications,
  publications6,
  vappSection,
} from "./random-machines.ts";
import {
  addressIn,
  both,
  type Chance,
  type Json,
  maybe,
  type Plan,
  pick,
  randomPlan,
  subnetNumber,
} from "./random-plan.ts";

export interface RandomTopology {
  readonly text: string;
  /** The haproxy.cfg beside it; null: none is named. */
  readonly balancer: string | null;
  /** How many were made before it that had errors. */
  readonly thrownAway: number;
}

const ATTEMPTS = 50;
/** Apart from every seed of the other sources. */
const MORE = 1_000_000;
const NEWEST = 2_000_000;

/** A file without errors. */
export function randomTopology(seed: number): RandomTopology {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const number = seed * ATTEMPTS + attempt;
    const plan = randomPlan(chanceOf(number), chanceOf(MORE + number), chanceOf(NEWEST + number));
    const text = topologyText(`t${seed}`, plan);
    const hasErrors = findingsOf(text).some(({ severity }) => severity === "error");
    if (!hasErrors) return { text, balancer: balancerText(plan), thrownAway: attempt };
  }
  throw new Error(`seed ${seed}: ${ATTEMPTS} files, and all of them with errors`);
}

function chanceOf(seed: number): Chance {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

function topologyText(name: string, plan: Plan): string {
  const sections = {
    datacenter: name,
    ...switchSection(plan),
    networks: networkSection(plan),
    edges: edgeSection(plan),
    machines: machineSection(plan),
    ...vappSection(plan),
    ...clusterSection(plan),
    publish: [...publications(plan), ...publications6(plan)],
  };
  return Object.entries(sections)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");
}

function switchSection(plan: Plan): Json {
  if (!plan.isSwitched) return {};
  const groups = plan.near.map((name, index) => [
    name,
    { vlan: 10 + index, ...securityOf(plan, name), ...filtersOf(plan, name) },
  ]);
  return { switches: { dvs0: { version: "5.5", "port-groups": Object.fromEntries(groups) } } };
}

/** Members of a cluster need more than is granted by default, and mostly get it. */
function securityOf({ more, cluster }: Plan, network: string): Json {
  const either = ["accept", "reject"];
  if (cluster?.network === network && more(4) > 0)
    return {
      "notify-switches": false,
      security: {
        "mac-changes": "accept",
        "forged-transmits": "accept",
        ...maybe(more, "promiscuous", either),
      },
    };
  const security = {
    ...maybe(more, "mac-changes", either),
    ...maybe(more, "forged-transmits", either),
    ...maybe(more, "promiscuous", either),
  };
  return { ...maybe(more, "notify-switches", [true, false]), ...(more(2) === 0 ? {} : { security }) };
}

/** Where addresses are asked for, DHCP is let through. */
function filtersOf({ more, near, deep, machines, dhcp }: Plan, network: string): Json {
  const networks = [...near, ...(deep === null ? [] : [deep])];
  const places = [
    ...[...networks, ...machines.map(({ name }) => name)],
    ...["10.0.0.8/29", "203.0.113.0/28", "fd00:0::/96", "any"],
  ];
  const filters = Array.from({ length: more(4) }, (): Json => {
    const protocol = pick(more, ["any", "tcp", "udp", "icmp"]);
    const hasPorts = protocol === "tcp" || protocol === "udp";
    const action = pick(more, ["allow", "drop", "mark", "mark"]);
    return {
      [action]: protocol,
      ...maybe(more, "from", [pick(more, places)]),
      ...maybe(more, "to", [pick(more, places)]),
      ...(hasPorts && more(2) === 0
        ? { ports: pick<unknown>(more, [80, 81, "50-60", [53, "8000-8100"]]) }
        : {}),
      ...(action === "mark" ? { dscp: pick(more, [10, 34, 46]) } : {}),
    };
  });
  const dhcpRules: Json[] = dhcp.includes(network) ? [{ allow: "udp", ports: [67, 68] }] : [];
  return filters.length === 0 ? {} : { filters: [...dhcpRules, ...filters] };
}

function networkSection(plan: Plan): Json {
  const { near, deep, hasIpv6 } = plan;
  const inner = [...near, ...(deep === null ? [] : [deep])].map((name): [string, Json] => {
    const number = subnetNumber(name);
    const subnet = [`10.${number}.0.0/24`, ...(hasIpv6 ? [`fd00:${number}::/64`] : [])];
    const pool = `10.${number}.0.100-10.${number}.0.120`;
    const place = plan.isSwitched && near.includes(name) ? { "port-group": `dvs0/${name}` } : {};
    const range = `${addressIn(name, 50, 4)}-${addressIn(name, 79, 4)}`;
    const dhcp = plan.dhcp.includes(name) ? { dhcp: { range, lease: "1h" } } : {};
    return [name, { subnet, gateway: both(plan, name, 1), pool, ...place, ...dhcp }];
  });
  const outside = {
    external: true,
    subnet: ["203.0.113.0/24", ...(hasIpv6 ? ["2001:db8:0:1::/64"] : [])],
    gateway: ["203.0.113.1", ...(hasIpv6 ? ["2001:db8:0:1::1"] : [])],
  };
  return { internet: outside, ...Object.fromEntries(inner) };
}
