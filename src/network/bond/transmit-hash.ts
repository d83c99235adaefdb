// Which member of an aggregate a frame takes: the transmit hash policies of Linux
// (Documentation/networking/bonding.rst, xmit_hash_policy) as a little-endian machine computes them; the
// kernel's own choices are in golden/kernel-6.1.txt. The outer tag counts as Linux has it, beside the
// frame: the type that is hashed is the one behind it. Physical switches have their own formulas; theirs are
// close enough to say that flows spread, not which cable one takes, and the explanation says so.
import { bytesOfMac } from "../../base/mac.ts";
import type { BondHash } from "../../model/datacenter.ts";
import { decodeEthernet, ETHER_TYPES, type EthernetHeader } from "../../wire/ethernet.ts";
import { type FlowFields, flowFields } from "./flow-fields.ts";

export interface TransmitHash {
  /** 0..2^32-1; the member is this modulo their number. */
  readonly value: number;
  /** What went in, in words: "MAC addresses", "IP addresses and ports". */
  readonly fields: string;
}

const ARP_TYPES: ReadonlySet<number> = new Set([ETHER_TYPES.arp, ETHER_TYPES.rarp]);

export function transmitHash(policy: BondHash, frame: Uint8Array): TransmitHash {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return { value: 0, fields: "nothing: the frame is cut" };
  const header = decoded.value;
  const byMac = { value: macHash(header), fields: "MAC addresses: it is no IP packet" };
  switch (policy) {
    case "layer2":
      return { value: macHash(header), fields: "MAC addresses" };
    case "layer2+3":
    case "encap2+3": {
      const flow = flowOf(policy, frame, header);
      if (flow === null) return byMac;
      const fields = flow === NO_FLOW ? byMac.fields : "MAC and IP addresses";
      return { value: fold(macHash(header) ^ flow.addresses), fields };
    }
    case "layer3+4":
    case "encap3+4": {
      const flow = flowOf(policy, frame, header);
      if (flow === null) return byMac;
      if (flow === NO_FLOW) return { value: 0, fields: "nothing: it is no IP packet" };
      const fields =
        flow.portWords === "" ? "IP addresses: it has no ports" : `IP addresses and ${flow.portWords}`;
      // The lowest bit is dropped: clients like even ports, and would all meet on one member.
      return { value: fold(flow.ports ^ flow.addresses) >>> 1, fields };
    }
    case "vlan+srcmac": {
      const source = bytesOfMac(header.source);
      const vendor = (source[0]! << 16) | (source[1]! << 8) | source[2]!;
      const device = (source[3]! << 16) | (source[4]! << 8) | source[5]!;
      const vlan = header.tags[0]?.id ?? 0;
      return { value: (vlan ^ vendor ^ device) >>> 0, fields: "VLAN and source MAC" };
    }
  }
}

/** What is read of ARP where tunnels are looked into: a flow without addresses. */
const NO_FLOW: FlowFields = { addresses: 0, ports: 0, portWords: "" };

function flowOf(
  policy: BondHash,
  frame: Uint8Array,
  header: EthernetHeader & { readonly payloadOffset: number },
) {
  const looksIntoTunnels = policy.startsWith("encap");
  // A second tag is data, and is looked behind as little as into a tunnel.
  if (header.tags.length > 1 && !looksIntoTunnels) return null;
  if (looksIntoTunnels && ARP_TYPES.has(header.etherType)) return NO_FLOW;
  const wantsPorts = policy.endsWith("3+4");
  return flowFields(frame, header.payloadOffset, header.etherType, { wantsPorts, looksIntoTunnels });
}

function macHash({ destination, source, tags: [, inner], etherType }: EthernetHeader): number {
  const type = inner === undefined ? etherType : inner.protocol === "802.1Q" ? 0x8100 : 0x88a8;
  return (bytesOfMac(destination)[5]! ^ bytesOfMac(source)[5]! ^ type) >>> 0;
}

function fold(hash: number): number {
  const half = hash ^ (hash >>> 16);
  return (half ^ (half >>> 8)) >>> 0;
}
