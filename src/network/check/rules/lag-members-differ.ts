// One cable of a bond is in another LAG than the rest, or in none: what it sends comes from a MAC that the
// switch knows elsewhere.
import { allBonds, cablesOf } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const lagMembersDiffer: CheckRule = {
  code: "lag-members-differ",
  severity: "error",
  title: "the cables of one bond are in different LAGs of a switch",
  *run({ datacenter, cables }) {
    for (const { host, bond } of allBonds(datacenter)) {
      const ends = cablesOf(cables, host, bond.name);
      const inLag = ends.find(({ lag }) => lag !== null);
      if (inLag === undefined) continue;
      for (const end of ends) {
        // Two switches are another mistake, with a rule of its own.
        if (end.fabric !== inLag.fabric || end.lag === inLag.lag) continue;
        const own = end.lag === null ? "no LAG" : `LAG ${end.lag.name}`;
        const others = `${bond.name} of ${host.name} has its other cables in LAG ${inLag.lag!.name}`;
        yield {
          span: end.port.lag?.span ?? end.port.span,
          message: `${end.fabric.name} port ${end.port.name} is in ${own}, but ${others}`,
          help: `Write \`lag: ${inLag.lag!.name}\` at this port too.`,
          related: [{ span: bond.links[0]?.span ?? bond.span, message: `${bond.name} is here` }],
        };
      }
    }
  },
};
