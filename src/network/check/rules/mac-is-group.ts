// A machine's own MAC with the group bit: switches never learn such a sender, and flood all that is for it.
import { isGroupMac } from "../../../base/mac.ts";
import type { CheckRule } from "../rule.ts";

export const macIsGroup: CheckRule = {
  code: "mac-is-group",
  severity: "error",
  title: "a machine has a multicast MAC",
  *run({ datacenter }) {
    const own = [
      ...[...datacenter.machines, ...datacenter.vapps.flatMap(({ machines }) => machines)].flatMap(
        ({ name, interfaces }) => interfaces.map(({ mac }) => ({ name, mac })),
      ),
      ...datacenter.edges.flatMap(({ name, interfaces }) => interfaces.map(({ mac }) => ({ name, mac }))),
      ...datacenter.hosts.flatMap(({ name, interfaces }) => interfaces.map(({ mac }) => ({ name, mac }))),
    ];
    for (const { name, mac } of own) {
      if (mac === null || !isGroupMac(mac.value)) continue;
      yield {
        span: mac.span,
        message: `${mac.value} of ${name} is a group's address (its first byte is odd), which no sender may have`,
        help: "Made-up addresses begin with 02, or leave `mac` out.",
      };
    }
  },
};
