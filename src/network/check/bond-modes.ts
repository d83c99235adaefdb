// What the kernel's bonding modes ask of the switch (Documentation/networking/bonding.rst, section 5 and 12).
import type { Bond, BondMode } from "../../model/datacenter.ts";

export function modeOf(bond: Bond): BondMode {
  return bond.mode?.value ?? "balance-rr";
}

/** Frames leave over several cards with one source MAC, so the switch must know that they are one link. */
export function needsLag(bond: Bond): boolean {
  return ["802.3ad", "balance-rr", "balance-xor", "broadcast"].includes(modeOf(bond));
}

/** Needs a LAG that does not speak LACP. */
export function isStatic(bond: Bond): boolean {
  return needsLag(bond) && modeOf(bond) !== "802.3ad";
}

/** Chooses the card of a frame by its transmit hash policy. */
export function isHashing(bond: Bond): boolean {
  return ["802.3ad", "balance-xor"].includes(modeOf(bond));
}
