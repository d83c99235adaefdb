// Two stations with one MAC: the switch sends frames to whichever spoke last.
import type { CheckRule } from "../rule.ts";
import { describeOwner, type StationMac } from "../stations.ts";

export const duplicateMac: CheckRule = {
  code: "duplicate-mac",
  severity: "error",
  title: "two machines have one MAC in one broadcast domain",
  *run({ macs }) {
    const seen = new Map<string, StationMac>();
    for (const one of macs) {
      const key = `${one.domain} ${one.mac}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, one);
      // Copies of a vApp without fence have a rule of their own.
      else if (first.owner.source === null || first.owner.source !== one.owner.source) {
        yield {
          span: one.span,
          message: `${describeOwner(first.owner)} and ${describeOwner(one.owner)} have the MAC ${one.mac}, so the switch sends frames to whichever spoke last`,
          help: "Leave `mac` out at one of them: one is made from its name.",
          related: [{ span: first.span, message: `${describeOwner(first.owner)} has it here` }],
        };
      }
    }
  },
};
