// A bond of one cable has all the cost and none of the gain.
import { allBonds } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const bondSingleLink: CheckRule = {
  code: "bond-single-link",
  severity: "warning",
  title: "a bond has one link only",
  *run({ datacenter }) {
    for (const { host, bond } of allBonds(datacenter)) {
      const [only, second] = new Set(bond.links.map(({ value }) => value));
      if (only === undefined || second !== undefined) continue;
      yield {
        span: bond.links[0]!.span,
        message: `${bond.name} of ${host.name} has ${only} only: when that cable fails, so does the bond`,
        help: "Add a second card to `links`.",
      };
    }
  },
};
