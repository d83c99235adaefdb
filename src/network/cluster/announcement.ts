// What a virtual switch says for a machine: a RARP request in its name, to everybody (RFC 903), so that all
// switches learn where its MAC is.
import type { Ip } from "../../base/ip.ts";
import { BROADCAST_MAC, type Mac } from "../../base/mac.ts";
import { encodeArp } from "../../wire/arp.ts";
import { ETHER_TYPES, encodeEthernet } from "../../wire/ethernet.ts";

const NO_ADDRESS = "0.0.0.0" as Ip;

export function announcement(mac: Mac): Uint8Array {
  const packet = {
    operation: "reverse-request",
    senderMac: mac,
    senderIp: NO_ADDRESS,
    targetMac: mac,
    targetIp: NO_ADDRESS,
  } as const;
  return encodeEthernet(
    { destination: BROADCAST_MAC, source: mac, tags: [], etherType: ETHER_TYPES.rarp },
    encodeArp(packet),
  );
}
