// ARP for IPv4 over Ethernet (RFC 826) and its reverse (RFC 903), which today only announces where a machine
// is: a hypervisor sends it so that switches learn a MAC address.
import { bytesOfIp, type Ip, ipOfBytes } from "../base/ip.ts";
import { bytesOfMac, type Mac, macOfBytes } from "../base/mac.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const ARP_OPERATIONS = {
  request: 1,
  reply: 2,
  "reverse-request": 3,
  "reverse-reply": 4,
} as const;
export type ArpOperation = keyof typeof ARP_OPERATIONS;

export interface ArpPacket {
  readonly operation: ArpOperation;
  readonly senderMac: Mac;
  readonly senderIp: Ip;
  readonly targetMac: Mac;
  readonly targetIp: Ip;
}

const ARP_BYTES = 28;
const ETHERNET = 1;
const IPV4 = 0x0800;

export function decodeArp(bytes: Uint8Array, offset = 0): Decoded<ArpPacket> {
  if (bytes.length < offset + ARP_BYTES) return wireFault("arp", "is cut");
  const isEthernetAndIpv4 =
    uint16At(bytes, offset) === ETHERNET &&
    uint16At(bytes, offset + 2) === IPV4 &&
    bytes[offset + 4] === 6 &&
    bytes[offset + 5] === 4;
  if (!isEthernetAndIpv4) return wireFault("arp", "is not about IPv4 on Ethernet");
  const number = uint16At(bytes, offset + 6);
  const operation = (Object.keys(ARP_OPERATIONS) as ArpOperation[]).find(
    (name) => ARP_OPERATIONS[name] === number,
  );
  if (operation === undefined) return wireFault("arp", `has the unknown operation ${number}`);
  const part = (from: number, to: number) => bytes.subarray(offset + from, offset + to);
  return {
    ok: true,
    value: {
      operation,
      senderMac: macOfBytes(part(8, 14)),
      senderIp: ipOfBytes(part(14, 18)),
      targetMac: macOfBytes(part(18, 24)),
      targetIp: ipOfBytes(part(24, 28)),
    },
  };
}

export function encodeArp(packet: ArpPacket): Uint8Array {
  return joinBytes(
    [...uint16(ETHERNET), ...uint16(IPV4), 6, 4, ...uint16(ARP_OPERATIONS[packet.operation])],
    bytesOfMac(packet.senderMac),
    bytesOfIp(packet.senderIp),
    bytesOfMac(packet.targetMac),
    bytesOfIp(packet.targetIp),
  );
}
