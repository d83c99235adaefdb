// Cards of different speed: 802.3ad uses only those of one, other modes make the slow one the limit.

import { modeOf } from "../bond-modes.ts";
import { allBonds, cablesOf } from "../cables.ts";
import type { CheckRule } from "../rule.ts";

export const bondMembersDiffer: CheckRule = {
  code: "bond-members-differ",
  severity: "warning",
  title: "the cards of a bond have different speeds",
  *run({ datacenter, cables }) {
    for (const { host, bond } of allBonds(datacenter)) {
      const cards = bond.links.flatMap(({ value }) => {
        const card = host.interfaces.find(({ name }) => name === value);
        const far = cables.get(`${host.name}/${value}`)?.port.speed ?? null;
        const speed = card?.speed ?? far;
        return speed === null ? [] : [{ name: value, speed: speed.value, span: speed.span }];
      });
      const [first] = cards;
      const other = cards.find(({ speed }) => speed !== first!.speed);
      if (first === undefined || other === undefined) continue;
      const consequence =
        modeOf(bond) === "802.3ad"
          ? "LACP takes only cards of one speed into the aggregate"
          : modeOf(bond) === "active-backup"
            ? "after a failover it is not what it was"
            : "the slow one gets as many frames as the fast one";
      const [here, there] = [mbits(other.speed), mbits(first.speed)];
      yield {
        span: other.span,
        message: `${other.name} of ${bond.name} has ${here}, but ${first.name} has ${there}: ${consequence}`,
        help: "Bond cards of one speed.",
        related: [{ span: first.span, message: `${first.name} is here` }],
      };
    }
    for (const host of datacenter.hosts) {
      for (const { name, speed } of host.interfaces) {
        const [end] = cablesOf(cables, host, name);
        const far = end?.port.speed ?? null;
        if (speed === null || far === null || far.value === speed.value) continue;
        const other = `port ${end!.port.name} of ${end!.fabric.name} at the other end`;
        const [here, there] = [mbits(speed.value), mbits(far.value)];
        yield {
          span: speed.span,
          message: `${host.name}/${name} has ${here}, but ${other} ${there}`,
          help: "Both ends of a cable have one speed: correct the one that is wrong here.",
          related: [{ span: far.span, message: "the other end is here" }],
        };
      }
    }
  },
};

function mbits(speed: number): string {
  return speed >= 1000 ? `${speed / 1000} Gbit/s` : `${speed} Mbit/s`;
}
