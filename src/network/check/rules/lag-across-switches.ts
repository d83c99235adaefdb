// An aggregate that ends at two switches is none, unless these two act as one (MLAG, vPC, stacking).

import { needsLag } from "../bond-modes.ts";
import { allBonds, cablesOf } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const lagAcrossSwitches: CheckRule = {
  code: "lag-across-switches",
  severity: "warning",
  title: "one bond ends at two physical switches",
  *run({ datacenter, cables }) {
    for (const { host, bond } of allBonds(datacenter)) {
      if (!needsLag(bond)) continue;
      const ends = cablesOf(cables, host, bond.name);
      const other = ends.find(({ fabric }) => fabric !== ends[0]!.fabric);
      if (other === undefined) continue;
      yield {
        span: (bond.mode ?? bond).span,
        message: `${bond.name} of ${host.name} aggregates cables to ${ends[0]!.fabric.name} and to ${other.fabric.name}, but a LAG ends at one switch`,
        help: "Use `mode: active-backup` over two switches; or describe a stack or MLAG pair as the one switch that it acts as.",
        related: [
          { span: ends[0]!.port.span, message: `the cable to ${ends[0]!.fabric.name}` },
          { span: other.port.span, message: `the cable to ${other.fabric.name}` },
        ],
      };
    }
  },
};
