// A port group's VLAN as one number, as switches of the simulation and drawings use it.
import type { PortGroup } from "../../model/datacenter.ts";

/** 0 for no VLAN and for machines that tag by themselves; outer * 4096 + inner for QinQ. */
export function vlanOf(portGroup: PortGroup): number {
  const vlan = portGroup.vlan?.value;
  if (vlan === undefined || vlan.kind === "none" || vlan.kind === "trunk") return 0;
  return vlan.kind === "access" ? vlan.id : vlan.outer * 4096 + vlan.inner;
}

/** "20"; with two tags "100.20". */
export function vlanNumber(vlan: number): string {
  return vlan < 4096 ? `${vlan}` : `${vlan >> 12}.${vlan & 0xfff}`;
}
