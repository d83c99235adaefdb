// The DHCP server of an edge, as far as a conversation shows it: it answers a machine of its networks with
// the address that is reserved for it, and nobody else.
import { familyOfIp, type Ip, ipOfValue } from "../../base/ip.ts";
import type { ResolvedDatacenter, ResolvedDhcp, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import { type DhcpMessage, decodeDhcp, encodeDhcp, NO_IP, NO_OPTIONS } from "../../protocol/dhcp/message.ts";
import type { StackInterface } from "../topology/topology.ts";

export interface DhcpAnswer {
  readonly bytes: Uint8Array;
  /** The server's own address. */
  readonly source: Ip;
  readonly text: string;
  readonly span: ResolvedDhcp["span"];
}

/** Null: it is no question, or not for this edge, or from nobody that it knows. */
export function answerDhcp(
  resolved: ResolvedDatacenter,
  edge: string,
  one: StackInterface,
  bytes: Uint8Array,
): DhcpAnswer | null {
  const message = decodeDhcp(bytes);
  const network = resolved.networks.find(({ name }) => name === one.network);
  const dhcp = network?.dhcp ?? null;
  if (message === null || network === undefined || dhcp === null || dhcp.server !== edge) return null;
  if (message.type !== "discover" && message.type !== "request") return null;
  const source = one.addresses.find(({ ip }) => familyOfIp(ip) === 4);
  const reserved = dhcp.reservations.find(({ mac, ip }) => mac === message.clientMac && familyOfIp(ip) === 4);
  if (source === undefined || reserved === undefined) return null;
  const isDiscover = message.type === "discover";
  const answer: DhcpMessage = {
    type: isDiscover ? "offer" : "acknowledge",
    transaction: message.transaction,
    clientMac: message.clientMac,
    clientIp: NO_IP,
    yourIp: reserved.ip,
    isBroadcast: true,
    options: {
      ...NO_OPTIONS,
      subnetMask: maskOf(source.prefix),
      routers: network.gateways.filter((ip) => familyOfIp(ip) === 4),
      dns: dhcp.dns,
      domain: dhcp.domain,
      leaseSeconds: Math.round(dhcp.leaseMs / 1000),
      server: source.ip,
    },
  };
  const words = isDiscover ? `offers ${reserved.ip}` : `gives ${reserved.ip} ${leaseWords(dhcp, network)}`;
  return { bytes: encodeDhcp(answer), source: source.ip, text: `${edge} ${words}`, span: dhcp.span };
}

function leaseWords({ leaseMs, dns }: ResolvedDhcp, { gateways }: ResolvedNetwork): string {
  const minutes = Math.round(leaseMs / 60_000);
  const time = minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
  const router = gateways.length === 0 ? "without a router" : `router ${gateways.join(", ")}`;
  return `for ${time}, ${router}${dns.length === 0 ? "" : `, DNS ${dns.join(", ")}`}`;
}

function maskOf(prefix: number): Ip {
  return ipOfValue((0xffffffffn << BigInt(32 - prefix)) & 0xffffffffn, 4)!;
}
