// One end speaks LACP and the other does not, or both wait to be spoken to.

import { isStatic, modeOf } from "../bond-modes.ts";
import { allBonds, endsOf } from "../cables.ts";
import { fabricPairs } from "../fabric-links.ts";
import type { CheckRule } from "../rule.ts";

export const lacpModeMismatch: CheckRule = {
  code: "lacp-mode-mismatch",
  severity: "error",
  title: "the two ends of a LAG do not agree on LACP",
  *run(context) {
    for (const { host, bond } of allBonds(context.datacenter)) {
      for (const { lag, fabric } of endsOf(context.cables, host, bond.name)) {
        if (lag === null) continue;
        const lacp = lag.lacp?.value ?? "active";
        const place = { span: (lag.lacp ?? lag).span, message: `LAG ${lag.name} of ${fabric.name} is here` };
        const span = (bond.mode ?? bond).span;
        if (modeOf(bond) === "802.3ad" && lacp === "off") {
          yield {
            span,
            message: `${bond.name} of ${host.name} speaks LACP, but LAG ${lag.name} of ${fabric.name} has it off: only one cable is used, and the switch spreads over all`,
            help: "Write `lacp: active` at the LAG, and set it so in the switch.",
            related: [place],
          };
        } else if (isStatic(bond) && lacp !== "off") {
          yield {
            span,
            message: `${bond.name} of ${host.name} in mode ${modeOf(bond)} does not speak LACP, for which LAG ${lag.name} of ${fabric.name} waits: its ports stay down`,
            help: "Write `mode: 802.3ad` here, or `lacp: off` at the LAG.",
            related: [place],
          };
        }
      }
    }
    for (const { a, b } of fabricPairs(context)) {
      if (a.lag === null || b.lag === null) continue;
      const [left, right] = [a.lag.lacp?.value ?? "active", b.lag.lacp?.value ?? "active"];
      const isBothPassive = left === "passive" && right === "passive";
      if (!isBothPassive && (left === "off") === (right === "off")) continue;
      yield {
        span: (b.lag.lacp ?? b.lag).span,
        message: isBothPassive
          ? `${a.words} and ${b.words} are both passive: each waits for the other to begin with LACP`
          : `LACP is ${left} at ${a.words} and ${right} at ${b.words}: they never agree on a LAG`,
        help: "Write `lacp: active` at both ends.",
        related: [{ span: (a.lag.lacp ?? a.lag).span, message: "the other end is here" }],
      };
    }
  },
};
