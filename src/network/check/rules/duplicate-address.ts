// Two stations that answer ARP for one address. Copies of a vApp without fence have a rule of their own.
import type { CheckRule } from "../rule.ts";
import { describeOwner, type Station } from "../stations.ts";

export const duplicateAddress: CheckRule = {
  code: "duplicate-address",
  severity: "error",
  title: "two machines have one address in one broadcast domain",
  *run({ stations }) {
    const seen = new Map<string, Station>();
    for (const station of stations) {
      const key = `${station.domain} ${station.ip}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, station);
      else if (!mayShare(first, station)) {
        yield {
          span: station.span,
          message: `${station.ip} is the address of ${describeOwner(first.owner)} and of ${describeOwner(station.owner)}, which hear each other`,
          help: "Give one of them another address, or put it into a network of its own.",
          related: [{ span: first.span, message: `${describeOwner(first.owner)} has it here` }],
        };
      }
    }
  },
};

function mayShare(a: Station, b: Station): boolean {
  if (a.owner.kind === "machine" && b.owner.kind === "machine" && a.owner.source === b.owner.source)
    return true;
  // The inside and the outside of one fence.
  return a.owner.kind === "fence" && b.owner.kind === "fence" && a.owner.name === b.owner.name;
}
