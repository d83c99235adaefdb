// Each end asks the other to speak at its own rate. When they differ, one end takes 90 seconds to notice what
// the other notices after three.
import { modeOf } from "../bond-modes.ts";
import { allBonds, endsOf } from "../cables.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const lacpRateMismatch: CheckRule = {
  code: "lacp-rate-mismatch",
  severity: "warning",
  title: "the two ends of a LAG have different LACP rates",
  *run({ datacenter, cables }) {
    for (const { host, bond } of allBonds(datacenter)) {
      if (modeOf(bond) !== "802.3ad") continue;
      for (const { lag, fabric } of endsOf(cables, host, bond.name)) {
        // A static LAG has no rate, and is a mistake of another kind.
        if (lag === null || lag.lacp?.value === "off") continue;
        const [here, there] = [bond.lacpRate?.value ?? "slow", lag.lacpRate?.value ?? "slow"];
        if (here === there) continue;
        yield {
          span: (bond.lacpRate ?? bond).span,
          message: `LACP is ${here} at ${bond.name} of ${host.name} and ${there} at LAG ${lag.name} of ${fabric.name}: a cable that fails silently is in use for up to 90 seconds at one end`,
          help: `Write \`lacp-rate: ${there}\` here, or change the switch.`,
          related: [{ span: (lag.lacpRate ?? lag).span, message: `LAG ${lag.name} is here` }],
          fix: [setValue(host.span, ["hosts", host.name, "bonds", bond.name, "lacp-rate"], there)],
        };
      }
    }
  },
};
