// A LAG at the switch's end only: it spreads frames over cables of which the host listens on one.
import { modeOf, needsLag } from "../bond-modes.ts";
import { allBonds, endsOf } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const lagWithoutBond: CheckRule = {
  code: "lag-without-bond",
  severity: "error",
  title: "the switch aggregates cables that the host does not",
  *run({ datacenter, cables, hosts }) {
    for (const { host, bond } of allBonds(datacenter)) {
      if (needsLag(bond)) continue;
      for (const { lag, fabric } of endsOf(cables, host, bond.name)) {
        if (lag === null) continue;
        yield {
          span: (bond.mode ?? bond).span,
          message: `LAG ${lag.name} of ${fabric.name} spreads frames over all its ports, but ${bond.name} of ${host.name} in mode ${modeOf(bond)} is no aggregate`,
          help: "Take the ports out of the LAG, or write `mode: 802.3ad` here.",
          related: [{ span: lag.span, message: `LAG ${lag.name} is here` }],
        };
      }
    }
    for (const [card, { lag, port, fabric }] of cables) {
      if (lag === null) continue;
      const [hostName = "", name = ""] = card.split("/", 2);
      const host = hosts.get(hostName)!;
      if (host.bonds.some(({ links }) => links.some(({ value }) => value === name))) continue;
      yield {
        span: port.lag!.span,
        message: `port ${port.name} of ${fabric.name} is in LAG ${lag.name}, but ${card} at its other end is in no bond`,
        help: `Take it into a bond of ${hostName}, or the port out of the LAG.`,
        related: [
          {
            span: host.interfaces.find((one) => one.name === name)?.span ?? host.span,
            message: `${card} is here`,
          },
        ],
      };
    }
  },
};
