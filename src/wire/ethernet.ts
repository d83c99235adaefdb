// Ethernet frames (IEEE 802.3-2018, 3.2), without the frame check sequence, which the card adds and takes
// away.
import { bytesOfMac, type Mac, macOfBytes } from "../base/mac.ts";
import { decodeVlanTag, encodeVlanTag, type VlanTag, vlanProtocolOf } from "./vlan.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const ETHER_TYPES = {
  ipv4: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  ipv6: 0x86dd,
  slow: 0x8809,
} as const;

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  /** Outermost first. */
  readonly tags: readonly VlanTag[];
  /** Of what is behind the tags; below 0x600 a length (802.2 LLC). */
  readonly etherType: number;
}

/** Without FCS; shorter ones are padded by who sends them. */
export const FRAME_BYTES_MIN = 60;

/** More tags than QinQ needs are nobody's network. */
const TAGS_MAX = 4;

/** The header, and where its payload begins. */
export function decodeEthernet(
  frame: Uint8Array,
): Decoded<EthernetHeader & { readonly payloadOffset: number }> {
  if (frame.length < 14) return wireFault("ethernet", `is cut after ${frame.length} bytes`);
  const tags: VlanTag[] = [];
  let offset = 12;
  while (vlanProtocolOf(uint16At(frame, offset)) !== null) {
    if (tags.length === TAGS_MAX) return wireFault("ethernet", `has more than ${TAGS_MAX} VLAN tags`);
    const tag = decodeVlanTag(frame, offset);
    if (!tag.ok) return tag;
    tags.push(tag.value);
    offset += 4;
    if (frame.length < offset + 2) return wireFault("ethernet", "is cut behind its VLAN tag");
  }
  return {
    ok: true,
    value: {
      destination: macOfBytes(frame.subarray(0, 6)),
      source: macOfBytes(frame.subarray(6, 12)),
      tags,
      etherType: uint16At(frame, offset),
      payloadOffset: offset + 2,
    },
  };
}

export function encodeEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  const frame = joinBytes(
    bytesOfMac(header.destination),
    bytesOfMac(header.source),
    header.tags.flatMap(encodeVlanTag),
    uint16(header.etherType),
    payload,
  );
  if (frame.length >= FRAME_BYTES_MIN) return frame;
  return joinBytes(frame, new Uint8Array(FRAME_BYTES_MIN - frame.length));
}

/** The same frame with other tags or addresses; its payload is not copied apart. */
export function changeEthernet(frame: Uint8Array, changes: Partial<EthernetHeader>): Uint8Array {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return frame;
  return encodeEthernet({ ...decoded.value, ...changes }, frame.subarray(decoded.value.payloadOffset));
}
