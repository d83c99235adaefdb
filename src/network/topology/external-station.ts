// Who is in an external network beside what the file describes: one station that stands for everybody there.
// It asks from an address beyond the network, as somebody on the internet would, and has the network's
// gateway, by which the answers find it.
import {
  type Ip,
  ipOfValue,
  lastOfSubnet,
  parseIp,
  parseSubnet,
  type Subnet,
  subnetHas,
  valueOfIp,
} from "../../base/ip.ts";
import { macOfName } from "../../base/mac.ts";
import type { ResolvedAddress, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import type { StackInterface, StackSpec } from "./topology.ts";

/** Documentation addresses (RFC 5737, RFC 3849): nobody's. */
const SOMEBODY = [parseIp("198.51.100.7")!, parseIp("2001:db8:ffff::7")!] as const;

/** What no router of the internet has a route to (RFC 1918, RFC 6598, RFC 4193). */
export const PRIVATE_SUBNETS: readonly Subnet[] = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
].map((text) => parseSubnet(text)!.subnet);

export function isPrivate(ip: Ip): boolean {
  return PRIVATE_SUBNETS.some((subnet) => subnetHas(subnet, ip));
}

export function externalStation(network: ResolvedNetwork): StackSpec {
  const { name, span } = network;
  const origin = { kind: "default", text: `somebody in ${name}`, span } as const;
  const addresses: ResolvedAddress[] = network.subnets.map((subnet) => {
    const gateway = network.gateways.find((ip) => ip.includes(":") === (subnet.family === 6));
    return { ip: gateway ?? lastUsable(subnet), prefix: subnet.prefix, origin };
  });
  const beyond = SOMEBODY.map((ip): ResolvedAddress => ({ ip, prefix: ip.includes(":") ? 128 : 32, origin }));
  const port: StackInterface = {
    name: "outside",
    mac: macOfName(`${name}/everybody`),
    addresses: [...addresses, ...beyond],
    network: name,
    mtu: 1500,
    wantsDhcp: false,
    span,
  };
  return {
    kind: "external",
    name,
    interfaces: [port],
    routes: [],
    isForwarding: false,
    edge: null,
    machine: null,
    cluster: null,
    standsFor: network,
    span,
  };
}

/** The address that somebody on the internet asks from. */
export function addressOfSomebody(family: 4 | 6): Ip {
  return SOMEBODY[family === 4 ? 0 : 1];
}

function lastUsable(subnet: ResolvedNetwork["subnets"][number]): Ip {
  return ipOfValue(valueOfIp(lastOfSubnet(subnet)) - 1n, subnet.family) ?? subnet.first;
}
