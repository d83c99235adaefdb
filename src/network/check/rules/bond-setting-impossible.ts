// Settings that no state of the bond can fulfil.

import { modeOf } from "../bond-modes.ts";
import { allBonds } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

const MODES_WITH_PRIMARY = ["active-backup", "balance-tlb", "balance-alb"];

export const bondSettingImpossible: CheckRule = {
  code: "bond-setting-impossible",
  severity: "error",
  title: "`min-links`, `primary` or a delay of a bond cannot be fulfilled",
  *run({ datacenter }) {
    for (const { bond } of allBonds(datacenter)) {
      const { minLinks, primary, links, name, upDelayMs, downDelayMs, miiMonitorMs } = bond;
      const related = [{ span: links[0]?.span ?? bond.span, message: "its links are here" }];
      if (minLinks !== null && minLinks.value > links.length)
        yield {
          span: minLinks.span,
          message: `${name} needs ${minLinks.value} links to be up, but has ${links.length}: it never is`,
          help: `Write at most ${links.length}.`,
          related,
        };
      if (primary !== null && !links.some(({ value }) => value === primary.value))
        yield {
          span: primary.span,
          message: `${primary.value} is to be the primary link of ${name}, but is none of its links`,
          help: `Its links are ${links.map(({ value }) => value).join(", ")}.`,
          related,
        };
      else if (primary !== null && !MODES_WITH_PRIMARY.includes(modeOf(bond)))
        yield {
          span: primary.span,
          message: `mode ${modeOf(bond)} of ${name} has no primary link: all are used`,
          help: "Leave `primary` out.",
        };
      const ofLacp = [
        ["lacp-rate", bond.lacpRate],
        ["ad-select", bond.adSelect],
      ] as const;
      for (const [key, said] of ofLacp) {
        if (said === null || modeOf(bond) === "802.3ad") continue;
        yield {
          span: said.span,
          message: `\`${key}\` is about LACP, which ${name} in mode ${modeOf(bond)} does not speak`,
          help: `Leave \`${key}\` out, or write \`mode: 802.3ad\`.`,
        };
      }
      for (const delay of [upDelayMs, downDelayMs]) {
        const every = miiMonitorMs?.value ?? 0;
        if (delay === null || every === 0 || delay.value % every === 0) continue;
        yield {
          span: delay.span,
          message: `a delay of ${delay.value} ms is no multiple of the ${every} ms of \`mii-monitor\`: the kernel rounds it down to ${delay.value - (delay.value % every)}`,
          help: `Write a multiple of ${every}ms.`,
          related: [{ span: miiMonitorMs!.span, message: "the links are asked this often" }],
        };
      }
    }
  },
};
