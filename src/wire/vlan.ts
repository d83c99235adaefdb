// VLAN tags (IEEE 802.1Q-2018, 9.6): the customer's 0x8100 and the provider's 0x88a8 (802.1ad), which stand
// one behind the other in QinQ.
import { type Decoded, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const VLAN_PROTOCOLS = { "802.1Q": 0x8100, "802.1ad": 0x88a8 } as const;
export type VlanProtocol = keyof typeof VLAN_PROTOCOLS;

export interface VlanTag {
  readonly protocol: VlanProtocol;
  /** 0 (only a priority), 1..4094. */
  readonly id: number;
  /** Class of service, 0..7. */
  readonly priority: number;
  readonly isDropEligible: boolean;
}

export const VLAN_TAG_BYTES = 4;

export function vlanProtocolOf(etherType: number): VlanProtocol | null {
  return etherType === 0x8100 ? "802.1Q" : etherType === 0x88a8 ? "802.1ad" : null;
}

/** The tag whose protocol number stands at `offset`. */
export function decodeVlanTag(bytes: Uint8Array, offset: number): Decoded<VlanTag> {
  if (bytes.length < offset + VLAN_TAG_BYTES) return wireFault("vlan", "is cut");
  const protocol = vlanProtocolOf(uint16At(bytes, offset));
  if (protocol === null) return wireFault("vlan", "has neither 0x8100 nor 0x88a8");
  const control = uint16At(bytes, offset + 2);
  return {
    ok: true,
    value: {
      protocol,
      id: control & 0xfff,
      priority: control >>> 13,
      isDropEligible: (control & 0x1000) !== 0,
    },
  };
}

export function encodeVlanTag(tag: VlanTag): number[] {
  const control = (tag.priority << 13) | (tag.isDropEligible ? 0x1000 : 0) | tag.id;
  return [...uint16(VLAN_PROTOCOLS[tag.protocol]), ...uint16(control)];
}
