// Frames of every kind that the model sends, with what they mean, for the tests of all headers.
import { type Ip, parseIp } from "../base/ip.ts";
import { BROADCAST_MAC, type Mac, parseMac } from "../base/mac.ts";
import { encodeArp } from "./arp.ts";
import { ETHER_TYPES, encodeEthernet } from "./ethernet.ts";
import { encodeIcmp } from "./icmp.ts";
import { encodeIcmpv6, ICMPV6_PROTOCOL, solicitedNodeGroup } from "./icmpv6.ts";
import { encodeIpv4, IP_PROTOCOLS, IPV4_DEFAULTS } from "./ipv4.ts";
import { encodeIpv6, IPV6_DEFAULTS } from "./ipv6.ts";
import { encodeTcp } from "./tcp.ts";
import { encodeUdp } from "./udp.ts";

export const A_MAC: Mac = parseMac("00:50:56:00:00:11")!;
export const B_MAC: Mac = parseMac("02:bf:0a:01:00:64")!;
export const A: Ip = parseIp("192.168.10.11")!;
export const B: Ip = parseIp("203.0.113.10")!;
export const A6: Ip = parseIp("2001:db8::11")!;
export const B6: Ip = parseIp("2001:db8:1::ff:10")!;

const DATA = new TextEncoder().encode("hello, wire");
const ether = { destination: B_MAC, source: A_MAC, tags: [] } as const;
const tag = { isDropEligible: false } as const;

function ipv4(
  protocol: number,
  payload: Uint8Array,
  more: Partial<Parameters<typeof encodeIpv4>[0]> = {},
): Uint8Array {
  return encodeIpv4({ ...IPV4_DEFAULTS, source: A, destination: B, protocol, ...more }, payload);
}

function ipv6(protocol: number, payload: Uint8Array, destination = B6): Uint8Array {
  return encodeIpv6(
    { ...IPV6_DEFAULTS, source: A6, destination, protocol, flowLabel: 0x12345, dscp: 46 },
    payload,
  );
}

const tcpHeader = {
  sourcePort: 40_000,
  destinationPort: 80,
  sequence: 0xfffffff0,
  acknowledgement: 7,
  flags: ["syn", "ack"],
  window: 64_240,
  options: Uint8Array.of(2, 4, 5, 0xb4),
} as const;

/** Name -> frame, and what tshark must say of it: fields by their names in Wireshark. */
export const FRAMES: Readonly<
  Record<string, { readonly frame: Uint8Array; readonly fields: Readonly<Record<string, string>> }>
> = {
  "arp request": {
    frame: encodeEthernet(
      { ...ether, destination: BROADCAST_MAC, etherType: ETHER_TYPES.arp },
      encodeArp({
        operation: "request",
        senderMac: A_MAC,
        senderIp: A,
        targetMac: parseMac("00:00:00:00:00:00")!,
        targetIp: B,
      }),
    ),
    fields: { "arp.opcode": "1", "arp.src.proto_ipv4": A, "arp.dst.proto_ipv4": B, "arp.src.hw_mac": A_MAC },
  },
  "rarp request": {
    frame: encodeEthernet(
      { ...ether, destination: BROADCAST_MAC, etherType: ETHER_TYPES.rarp },
      encodeArp({
        operation: "reverse-request",
        senderMac: B_MAC,
        senderIp: parseIp("0.0.0.0")!,
        targetMac: B_MAC,
        targetIp: parseIp("0.0.0.0")!,
      }),
    ),
    fields: { "arp.opcode": "3", "arp.dst.hw_mac": B_MAC },
  },
  "tcp in a vlan": {
    frame: encodeEthernet(
      { ...ether, tags: [{ protocol: "802.1Q", id: 20, priority: 5, ...tag }], etherType: ETHER_TYPES.ipv4 },
      ipv4(IP_PROTOCOLS.tcp, encodeTcp(tcpHeader, DATA, A, B), { ttl: 63, dscp: 10 }),
    ),
    fields: {
      "vlan.id": "20",
      "vlan.priority": "5",
      "ip.ttl": "63",
      "ip.dsfield.dscp": "10",
      "ip.checksum.status": "1",
      "tcp.checksum.status": "1",
      "tcp.srcport": "40000",
      "tcp.dstport": "80",
      "tcp.seq_raw": "4294967280",
      "tcp.options.mss_val": "1460",
      "tcp.len": "11",
    },
  },
  "udp in qinq": {
    frame: encodeEthernet(
      {
        ...ether,
        tags: [
          { protocol: "802.1ad", id: 100, priority: 0, ...tag },
          { protocol: "802.1Q", id: 20, priority: 0, ...tag },
        ],
        etherType: ETHER_TYPES.ipv4,
      },
      ipv4(IP_PROTOCOLS.udp, encodeUdp({ sourcePort: 5000, destinationPort: 5001 }, DATA, A, B)),
    ),
    fields: { "ieee8021ad.id": "100", "vlan.id": "20", "udp.checksum.status": "1", "udp.length": "19" },
  },
  ping: {
    frame: encodeEthernet(
      { ...ether, etherType: ETHER_TYPES.ipv4 },
      ipv4(
        IP_PROTOCOLS.icmp,
        encodeIcmp({ type: "echo-request", code: 0, identifier: 9, sequence: 258, data: DATA }),
      ),
    ),
    fields: { "icmp.type": "8", "icmp.seq": "258", "icmp.checksum.status": "1" },
  },
  "tcp over ipv6": {
    frame: encodeEthernet(
      { ...ether, etherType: ETHER_TYPES.ipv6 },
      ipv6(IP_PROTOCOLS.tcp, encodeTcp(tcpHeader, DATA, A6, B6)),
    ),
    fields: { "ipv6.dst": B6, "ipv6.flow": "0x012345", "tcp.checksum.status": "1", "ipv6.tclass.dscp": "46" },
  },
  "ping over ipv6": {
    frame: encodeEthernet(
      { ...ether, etherType: ETHER_TYPES.ipv6 },
      ipv6(
        ICMPV6_PROTOCOL,
        encodeIcmpv6({ type: "echo-request", code: 0, identifier: 9, sequence: 3, data: DATA }, A6, B6),
      ),
    ),
    fields: { "icmpv6.type": "128", "icmpv6.checksum.status": "1", "icmpv6.echo.sequence_number": "3" },
  },
  "neighbour solicitation": {
    frame: encodeEthernet(
      { ...ether, destination: solicitedNodeGroup(B6).mac, etherType: ETHER_TYPES.ipv6 },
      ipv6(
        ICMPV6_PROTOCOL,
        encodeIcmpv6(
          { type: "neighbour-solicitation", target: B6, linkAddress: A_MAC },
          A6,
          solicitedNodeGroup(B6).ip,
        ),
        solicitedNodeGroup(B6).ip,
      ),
    ),
    fields: {
      "icmpv6.type": "135",
      "icmpv6.nd.ns.target_address": B6,
      "icmpv6.opt.linkaddr": A_MAC,
      "icmpv6.checksum.status": "1",
    },
  },
};
