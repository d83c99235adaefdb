// A frame in one line, as tcpdump would have it.
import { decodeArp } from "./arp.ts";
import { decodeEthernet, ETHER_TYPES } from "./ethernet.ts";
import { decodeIcmp } from "./icmp.ts";
import { decodeIcmpv6, ICMPV6_PROTOCOL } from "./icmpv6.ts";
import { decodeIpv4, IP_PROTOCOLS } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import { decodeTcp } from "./tcp.ts";
import { decodeUdp } from "./udp.ts";

/** "00:50:… > ff:ff:…, vlan 20, arp who-has 192.168.10.12 tell 192.168.10.11". Never throws. */
export function formatFrame(frame: Uint8Array): string {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return `${frame.length} bytes: ${decoded.error.header} ${decoded.error.message}`;
  const { source, destination, tags, etherType, payloadOffset } = decoded.value;
  const vlans = tags.map(({ id, protocol }) => `${protocol === "802.1ad" ? "qinq" : "vlan"} ${id}`);
  return [`${source} > ${destination}`, ...vlans, formatPayload(frame, payloadOffset, etherType)].join(", ");
}

function formatPayload(bytes: Uint8Array, offset: number, etherType: number): string {
  switch (etherType) {
    case ETHER_TYPES.arp:
    case ETHER_TYPES.rarp:
      return formatArp(bytes, offset);
    case ETHER_TYPES.ipv4: {
      const header = decodeIpv4(bytes, offset);
      if (!header.ok) return `ipv4 ${header.error.message}`;
      const { source, destination, protocol, payloadOffset, payloadEnd, ttl } = header.value;
      const transport = formatTransport(
        bytes,
        payloadOffset,
        payloadEnd,
        protocol,
        `${source}`,
        `${destination}`,
      );
      return `ttl ${ttl}, ${transport}`;
    }
    case ETHER_TYPES.ipv6: {
      const header = decodeIpv6(bytes, offset);
      if (!header.ok) return `ipv6 ${header.error.message}`;
      const { source, destination, protocol, payloadOffset, payloadEnd, hopLimit } = header.value;
      const transport = formatTransport(
        bytes,
        payloadOffset,
        payloadEnd,
        protocol,
        `[${source}]`,
        `[${destination}]`,
      );
      return `hop limit ${hopLimit}, ${transport}`;
    }
    default:
      return `type 0x${etherType.toString(16).padStart(4, "0")}`;
  }
}

function formatArp(bytes: Uint8Array, offset: number): string {
  const decoded = decodeArp(bytes, offset);
  if (!decoded.ok) return `arp ${decoded.error.message}`;
  const { operation, senderIp, senderMac, targetIp, targetMac } = decoded.value;
  switch (operation) {
    case "request":
      return `arp who-has ${targetIp} tell ${senderIp}`;
    case "reply":
      return `arp reply ${senderIp} is-at ${senderMac}`;
    default:
      return `rarp ${operation} ${targetMac} tell ${senderMac}`;
  }
}

function formatTransport(
  bytes: Uint8Array,
  offset: number,
  end: number,
  protocol: number,
  source: string,
  destination: string,
): string {
  switch (protocol) {
    case IP_PROTOCOLS.tcp: {
      const tcp = decodeTcp(bytes, offset);
      if (!tcp.ok) return `tcp ${tcp.error.message}`;
      const { sourcePort, destinationPort, flags, payloadOffset } = tcp.value;
      return `tcp ${source}:${sourcePort} > ${destination}:${destinationPort} ${flags.join(",")}, ${end - payloadOffset} bytes`;
    }
    case IP_PROTOCOLS.udp: {
      const udp = decodeUdp(bytes, offset);
      if (!udp.ok) return `udp ${udp.error.message}`;
      const { sourcePort, destinationPort, payloadOffset } = udp.value;
      return `udp ${source}:${sourcePort} > ${destination}:${destinationPort}, ${end - payloadOffset} bytes`;
    }
    case IP_PROTOCOLS.icmp: {
      const icmp = decodeIcmp(bytes, offset, end);
      return `icmp ${source} > ${destination} ${icmp.ok ? icmp.value.type : icmp.error.message}`;
    }
    case ICMPV6_PROTOCOL: {
      const icmp = decodeIcmpv6(bytes, offset, end);
      if (!icmp.ok) return `icmp6 ${icmp.error.message}`;
      const target = "target" in icmp.value ? ` of ${icmp.value.target}` : "";
      return `icmp6 ${source} > ${destination} ${icmp.value.type}${target}`;
    }
    default:
      return `protocol ${protocol} ${source} > ${destination}`;
  }
}
