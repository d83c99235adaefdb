// ARP monitoring excludes link monitoring, needs somebody to ask, and works in four of the seven modes.

import { modeOf } from "../bond-modes.ts";
import { allBonds } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

const WITHOUT_ARP_MONITOR = ["802.3ad", "balance-tlb", "balance-alb"];

export const arpMonitorConflict: CheckRule = {
  code: "arp-monitor-conflict",
  severity: "error",
  title: "ARP monitoring of a bond cannot work as it is set",
  *run({ datacenter }) {
    for (const { bond } of allBonds(datacenter)) {
      const { arpIntervalMs, arpTargets, miiMonitorMs } = bond;
      if (arpIntervalMs === null || arpIntervalMs.value === 0) continue;
      const { span } = arpIntervalMs;
      if (WITHOUT_ARP_MONITOR.includes(modeOf(bond)))
        yield {
          span,
          message: `mode ${modeOf(bond)} of ${bond.name} cannot watch its links by ARP`,
          help: "Write `mii-monitor: 100ms` instead of `arp-interval`.",
        };
      else if (miiMonitorMs !== null && miiMonitorMs.value > 0)
        yield {
          span,
          message: `${bond.name} watches its links by MII and by ARP, of which the kernel takes only one`,
          help: "Leave one of them out.",
          related: [{ span: miiMonitorMs.span, message: "the other one is here" }],
        };
      else if (arpTargets.length === 0)
        yield {
          span,
          message: `${bond.name} watches its links by ARP, but has nobody to ask`,
          help: "Write `arp-targets`, such as the gateway's address.",
        };
    }
  },
};
