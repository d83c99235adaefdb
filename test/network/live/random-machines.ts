// Machines of a random datacentre: single ones with and without DHCP, a router between two networks, members
// of a cluster, fenced copies, and what of them is published.
import {
  addressIn,
  both,
  CLUSTER_HOST,
  type Json,
  maybe,
  membersOf,
  type Plan,
  PUBLIC,
  PUBLIC6,
  pick,
  subnetNumber,
} from "./random-plan.ts";

export function machineSection(plan: Plan): Json {
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
  const asking = plan.dhcp.map((network): [string, Json] => [
    `${network}-dhcp`,
    { network, address: "dhcp", listen: [80, "udp 53"] },
  ]);
  const network = plan.cluster?.network ?? "";
  const members = membersOf(plan).map(({ name, host }): [string, Json] => [
    name,
    { network, address: both(plan, network, host), listen: 80 },
  ]);
  return Object.fromEntries([...single, ...bridging, ...asking, ...members]);
}

export function vappSection({ chance, vapp }: Plan): Json {
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

/** The whole of it is told in one address: its members agree by themselves who takes what. */
export function clusterSection({ cluster, more, hasIpv6 }: Plan): Json {
  if (cluster === null) return {};
  const { members } = cluster;
  const named = (values: readonly number[]) =>
    Object.fromEntries(members.map((name) => [name, pick(more, values)]));
  const multiple = {
    filtering: "multiple",
    ...maybe(more, "affinity", ["none", "single", "class-c"]),
    ...(more(2) === 0 ? { weights: named([10, 50, 100]) } : {}),
  };
  const others: readonly Json[] = [
    { filtering: "single", priorities: Object.fromEntries(members.map((name, index) => [name, 3 - index])) },
    { filtering: "disabled" },
  ];
  const rules = [
    { ports: 80, protocol: "tcp", ...multiple },
    ...(more(2) === 0 ? [{ ports: 81, protocol: "tcp", ...pick(more, others) }] : []),
  ];
  const address = addressIn(cluster.network, CLUSTER_HOST, hasIpv6 && more(2) === 0 ? 6 : 4);
  const mode = pick(more, ["unicast", "multicast", "igmp"]);
  return { clusters: { farm: { machines: members, address, mode, rules } } };
}

export function publications({ chance, vapp, machines }: Plan): Json[] {
  const copies = vapp === null ? [] : vapp.copies.map((copy) => `shop.${copy}/web`);
  const candidates = [...copies, pick(chance, machines).name].filter(() => chance(3) > 0);
  return candidates.map((machine, index) => ({ machine, port: 80, at: `${PUBLIC[0]}:${8001 + index}` }));
}

/** Of several machines, behind the second edge as well, some at another port than their own. */
export function publications6({ newest, machines, hasIpv6 }: Plan): Json[] {
  if (!hasIpv6) return [];
  const published = machines.filter(() => newest(2) === 0);
  return published.map(({ name }, index): Json => {
    const isUdp = newest(4) === 0;
    const what = isUdp ? { port: 53, protocol: "udp" } : { port: pick(newest, [80, 80, 81]) };
    const outside = isUdp ? 53 + index : pick(newest, [80, 8001 + index]);
    return { machine: name, ...what, at: `[${pick(newest, PUBLIC6)}]:${outside}` };
  });
}
