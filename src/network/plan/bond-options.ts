// Options of a bond as the kernel has them: by name and value for `ip link`, those that a mode has and nobody
// has said with the kernel's default, so that a line taken out of the file is taken back in the kernel. And
// how far a running bond must stop for each (drivers/net/bonding/bond_options.c, Linux 6.1).
import type { Bond, BondMode } from "../../model/datacenter.ts";
import type { LinkState } from "../../model/network-state.ts";

export type BondOptions = Extract<LinkState["kind"], { kind: "bond" }>["options"];

/** Modes that the kernel watches by the carrier whatever is said, and the interval that it takes then. */
const MODES_BY_CARRIER: readonly BondMode[] = ["802.3ad", "balance-tlb", "balance-alb"];
const CARRIER_INTERVAL_MS = 100;
const MODES_WITH_HASH: readonly BondMode[] = ["balance-xor", "802.3ad", "balance-tlb"];
const MODES_WITH_PRIMARY: readonly BondMode[] = ["active-backup", "balance-tlb", "balance-alb"];

/**
 * Names, units and values are the kernel's (Documentation/networking/bonding.rst); what the mode does not
 * have, and the kernel would refuse, is left out.
 */
export function bondOptions(bond: Bond): BondOptions {
  const mode = bond.mode?.value ?? "balance-rr";
  const isLacp = mode === "802.3ad";
  const isByCarrier = MODES_BY_CARRIER.includes(mode);
  const arpIntervalMs = isByCarrier ? null : (bond.arpIntervalMs?.value ?? null);
  const miiMonitorMs = bond.miiMonitorMs?.value ?? (isByCarrier ? CARRIER_INTERVAL_MS : 0);
  const options: (readonly [string, string | number])[] = [["mode", mode]];
  // One kind of watching ends the other.
  if (arpIntervalMs !== null && arpIntervalMs > 0) {
    const targets = bond.arpTargets.map(({ value }) => value).join(",");
    options.push(["arp_interval", arpIntervalMs]);
    if (targets !== "") options.push(["arp_ip_target", targets]);
  } else {
    options.push(["miimon", miiMonitorMs]);
    if (miiMonitorMs > 0)
      options.push(["updelay", bond.upDelayMs?.value ?? 0], ["downdelay", bond.downDelayMs?.value ?? 0]);
  }
  if (MODES_WITH_HASH.includes(mode)) options.push(["xmit_hash_policy", bond.hash?.value ?? "layer2"]);
  if (isLacp)
    options.push(
      ["lacp_rate", bond.lacpRate?.value ?? "slow"],
      ["min_links", bond.minLinks?.value ?? 0],
      ["ad_select", bond.adSelect?.value ?? "stable"],
    );
  if (MODES_WITH_PRIMARY.includes(mode) && bond.primary !== null)
    options.push(["primary", bond.primary.value]);
  return options.map(([name, value]) => [name, `${value}`] as const);
}

/** Those that are to be other than they are. What a kernel has besides is its own. */
export function changedOptions(before: BondOptions, after: BondOptions): BondOptions {
  const has = new Map(before);
  return after.filter(([name, value]) => has.get(name) !== value);
}

/** BOND_OPTFLAG_NOSLAVES, and BOND_OPTFLAG_IFDOWN; all others change while frames pass. */
const WITHOUT_MEMBERS: readonly string[] = ["mode"];
const WHILE_DOWN: readonly string[] = ["lacp_rate", "ad_select"];

/** What a running bond has to go through for its new options; null: nothing, it goes on. */
export interface BondStop {
  readonly isEmptied: boolean;
  readonly reason: string;
}

export function bondStop(before: BondOptions, after: BondOptions): BondStop | null {
  const changed = changedOptions(before, after).map(([name]) => name);
  const emptying = changed.find((name) => WITHOUT_MEMBERS.includes(name));
  if (emptying !== undefined)
    return { isEmptied: true, reason: `its ${emptying} can only change while it has no members` };
  const stopping = changed.find((name) => WHILE_DOWN.includes(name));
  if (stopping === undefined) return null;
  return { isEmptied: false, reason: `its ${stopping} can only change while it is down` };
}
