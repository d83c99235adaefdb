// Whether a bond of LACP has a partner with all its cables, by what the kernel says under /sys/class/net: a
// LAG is only converted when both ends agree on it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const NO_PARTNER = "00:00:00:00:00:00";

/** Null, or what is wrong in words. `folder`: of all devices. */
export function lagFault(bond: string, folder = "/sys/class/net"): string | null {
  const read = (...path: string[]) => {
    try {
      return readFileSync(join(folder, ...path), "utf8").trim();
    } catch {
      return null;
    }
  };
  const members = read(bond, "bonding", "slaves");
  if (members === null) return `${bond} is no bond`;
  if (members === "") return `${bond} has no member`;
  if ((read(bond, "bonding", "ad_partner_mac") ?? NO_PARTNER) === NO_PARTNER)
    return `${bond} has no LACP partner at the other end`;
  const aggregator = read(bond, "bonding", "ad_aggregator");
  for (const member of members.split(" ")) {
    if (read(member, "bonding_slave", "mii_status") !== "up") return `${member} of ${bond} has no carrier`;
    if (read(member, "bonding_slave", "ad_aggregator_id") !== aggregator)
      return `${member} of ${bond} is in another aggregator: it goes to another switch, or is not in its LAG`;
  }
  return null;
}
