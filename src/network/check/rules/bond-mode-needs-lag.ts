// A mode that sends one MAC over all cards, at ports that know nothing of it: the MAC moves from port to
// port.
import { modeOf, needsLag } from "../bond-modes.ts";
import { allBonds, cablesOf } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const bondModeNeedsLag: CheckRule = {
  code: "bond-mode-needs-lag",
  severity: "error",
  title: "a bond aggregates, but the switch's ports are in no LAG",
  *run({ datacenter, cables }) {
    for (const { host, bond } of allBonds(datacenter)) {
      const ends = cablesOf(cables, host, bond.name);
      if (!needsLag(bond) || ends.length < 2 || ends.some(({ lag }) => lag !== null)) continue;
      const isLacp = modeOf(bond) === "802.3ad";
      const [end] = ends;
      yield {
        span: (bond.mode ?? bond).span,
        message: isLacp
          ? `${bond.name} of ${host.name} speaks LACP, but its ports at ${end!.fabric.name} are in no LAG: only one cable is ever used`
          : `${bond.name} of ${host.name} in mode ${modeOf(bond)} sends one MAC over all its cards, but its ports at ${end!.fabric.name} are in no LAG, so the MAC moves from port to port`,
        help: `Make a LAG of these ports${isLacp ? "" : " with `lacp: off`"}, or use \`mode: active-backup\`, which needs none.`,
        related: ends.map(({ port }) => ({ span: port.span, message: `port ${port.name} is in no LAG` })),
      };
    }
  },
};
