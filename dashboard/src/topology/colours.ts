// Colours of VLANs: eight that differ for most eyes in both themes, and again from the first. Each VLAN also
// has its number at its boxes.
const COUNT = 8;

/** Class of a VLAN's colour. */
export function vlanClass(vlan: number | null, vlans: readonly { readonly vlan: number }[]): string {
  if (vlan === null) return "vlan-none";
  const at = vlans.findIndex((one) => one.vlan === vlan);
  return at === -1 ? "vlan-none" : `vlan-${at % COUNT}`;
}
