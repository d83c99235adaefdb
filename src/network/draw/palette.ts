// Colours of VLANs: eight that people with any colour vision tell apart (Okabe and Ito), on light and on
// dark. VLANs beyond take them again; the number stands beside each.
const PALETTE = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#8f6c00",
  "#56b4e9",
  "#7f3fbf",
  "#b2182b",
] as const;

/** `vlans`: all of a drawing, ascending, so that neighbours in the list differ. */
export function colourOf(vlan: number | null, vlans: readonly number[]): string | null {
  if (vlan === null) return null;
  const index = vlans.indexOf(vlan);
  return PALETTE[(index < 0 ? vlan : index) % PALETTE.length]!;
}
