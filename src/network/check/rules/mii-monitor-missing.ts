// Without link monitoring (miimon is 0 by default) a bond goes on to use a cable that is pulled.
import { allBonds } from "../cables.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const miiMonitorMissing: CheckRule = {
  code: "mii-monitor-missing",
  severity: "error",
  title: "a bond does not notice when a cable fails",
  *run({ datacenter }) {
    for (const { host, bond } of allBonds(datacenter)) {
      const isWatched = (bond.miiMonitorMs?.value ?? 0) > 0 || (bond.arpIntervalMs?.value ?? 0) > 0;
      if (isWatched) continue;
      yield {
        span: (bond.miiMonitorMs ?? bond).span,
        message: `${bond.name} of ${host.name} has no link monitoring: it goes on sending into a cable that is pulled`,
        help: "Write `mii-monitor: 100ms`.",
        fix: [setValue(host.span, ["hosts", host.name, "bonds", bond.name, "mii-monitor"], "100ms")],
      };
    }
  },
};
