// "Do these two need a router?" The question that decides whether somebody buys a gateway, answered in one
// paragraph: a switch is enough for one subnet on one VLAN, a router is needed between subnets, and sometimes
// what is missing is neither but an address.
import { familyOfIp, formatSubnet, subnetHas } from "../../base/ip.ts";
import type { Reference } from "../../model/datacenter.ts";
import type { ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";
import { explain, type Network, stackNamed, type UnclearQuestion, unclearName } from "./explain.ts";

export type RouterAnswer =
  | { readonly kind: "switch" | "router" | "address" | "vlan"; readonly text: string }
  | UnclearQuestion;

export function needRouter(network: Network, first: Reference, second: Reference): RouterAnswer {
  const { topology } = network;
  const [a, b] = [stackNamed(topology, first), stackNamed(topology, second)];
  if (a === null) return unclearName(first.text, topology);
  if (b === null) return unclearName(second.text, topology);
  for (const spec of [a, b]) {
    const lacking = spec.interfaces.find(({ addresses }) => addresses.length === 0);
    if (lacking !== undefined && spec.interfaces.every(({ addresses }) => addresses.length === 0))
      return addressAnswer(spec, lacking);
  }
  const networks = new Map(topology.resolved.networks.map((one) => [one.name, one]));
  const shared = sharedNetwork(a, b);
  if (shared !== null) {
    const one = networks.get(shared)!;
    return sameNetworkAnswer(a, b, one);
  }
  const twins = twinNetworks(a, b, networks);
  if (twins !== null) return { kind: "vlan", text: twins };
  return routerAnswer(network, a, b, first, second);
}

function sameNetworkAnswer(a: StackSpec, b: StackSpec, network: ResolvedNetwork): RouterAnswer {
  const subnet = network.subnets.find((one) => hasIn(a, network.name, one) && hasIn(b, network.name, one));
  const where =
    network.portGroup === null
      ? `the segment ${network.name}`
      : `port group ${network.portGroup.portGroup} of ${network.portGroup.switch}`;
  if (subnet === undefined) {
    return {
      kind: "address",
      text: `${a.name} and ${b.name} are on one wire (${where}), but not in one subnet: one of their addresses is wrong. Neither a switch nor a router mends that.`,
    };
  }
  const dhcp = [a, b]
    .filter(({ interfaces }) => interfaces.some(({ wantsDhcp }) => wantsDhcp))
    .map(({ name }) => name);
  const asks =
    dhcp.length === 0
      ? ""
      : ` ${dhcp.join(" and ")} ${dhcp.length === 1 ? "gets its address" : "get their addresses"} by DHCP first.`;
  return {
    kind: "switch",
    text: `No. ${a.name} and ${b.name} are both in ${formatSubnet(subnet)} on ${where}: a switch is enough. Each asks by ARP who has the other's address and sends straight to it; no gateway is asked.${asks}`,
  };
}

function routerAnswer(
  network: Network,
  a: StackSpec,
  b: StackSpec,
  first: Reference,
  second: Reference,
): RouterAnswer {
  const trace = explain(network, { from: first, to: second, protocol: "icmp", port: null, sourcePort: null });
  if ("kind" in trace) return trace;
  const routers = trace.there.hops
    .map(({ node }) => node)
    .filter(
      ({ kind, name }) =>
        (kind === "edge" || kind === "fence" || kind === "host" || kind === "machine") &&
        name !== a.name &&
        name !== b.name,
    )
    .map(({ name }) => name);
  const subnets = `${a.name} is in ${subnetWords(a)}, ${b.name} in ${subnetWords(b)}`;
  const isThere = trace.there.disposition === "delivered" || trace.there.disposition === "answered-by-router";
  const way = [...new Set(routers)];
  if (isThere && way.length > 0)
    return {
      kind: "router",
      text: `Yes. ${subnets}: a router is needed, and it is there: ${way.join(", then ")}.`,
    };
  const how = way.length > 0 ? `${way.join(", then ")} would be it` : "there is none between them";
  return {
    kind: "router",
    text: `Yes. ${subnets}: a router is needed; ${how}. A ping ends so: ${trace.there.summary}.`,
  };
}

/**
 * One subnet twice, on wires that are not connected: then it is the VLAN that is wrong, not a router that is
 * missing.
 */
function twinNetworks(
  a: StackSpec,
  b: StackSpec,
  networks: ReadonlyMap<string, ResolvedNetwork>,
): string | null {
  for (const one of a.interfaces) {
    for (const other of b.interfaces) {
      const [left, right] = [networks.get(one.network ?? ""), networks.get(other.network ?? "")];
      if (left === undefined || right === undefined) continue;
      if (left.kind === "fence-inside" || right.kind === "fence-inside") continue;
      const subnet = left.subnets.find((s) => right.subnets.some((t) => formatSubnet(s) === formatSubnet(t)));
      if (subnet !== undefined) {
        return `${a.name} and ${b.name} are both in ${formatSubnet(subnet)}, but on two wires, ${left.name} and ${right.name}: each will look for the other on its own and not find it. Put both on one VLAN; a router cannot join one subnet.`;
      }
    }
  }
  return null;
}

function addressAnswer(spec: StackSpec, one: StackInterface): RouterAnswer {
  const asks = one.wantsDhcp
    ? `asks for one by DHCP in ${one.network}, and nobody there answers`
    : "is given none by the file";
  return {
    kind: "address",
    text: `It is not a router that is missing: ${spec.name} has no address; it ${asks}. Give ${one.network} a \`dhcp\` range, or ${spec.name} an \`address\`.`,
  };
}

function sharedNetwork(a: StackSpec, b: StackSpec): string | null {
  const names = new Set(a.interfaces.map(({ network }) => network));
  return b.interfaces.find(({ network }) => network !== null && names.has(network))?.network ?? null;
}

function hasIn(
  { interfaces }: StackSpec,
  network: string,
  subnet: ResolvedNetwork["subnets"][number],
): boolean {
  return interfaces.some(
    (one) =>
      one.network === network &&
      one.addresses.some(({ ip }) => familyOfIp(ip) === subnet.family && subnetHas(subnet, ip)),
  );
}

function subnetWords({ interfaces }: StackSpec): string {
  const [first] = interfaces.flatMap(({ addresses, network }) =>
    addresses.map(({ ip, prefix }) => ({ ip, prefix, network })),
  );
  return first === undefined
    ? "no subnet"
    : `${first.network ?? "a network of its own"} (${first.ip}/${first.prefix})`;
}
