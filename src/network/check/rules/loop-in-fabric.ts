// A ring of cables without spanning tree: one broadcast goes round for ever, and the house stands still.
import { Wires } from "../domains.ts";
import { fabricCables } from "../fabric-links.ts";
import type { CheckRule } from "../rule.ts";

export const loopInFabric: CheckRule = {
  code: "loop-in-fabric",
  severity: "warning",
  title: "cables between switches form a ring",
  *run(context) {
    const wires = new Wires();
    const lags = new Set<string>();
    for (const { a, b } of fabricCables(context)) {
      // Members of one LAG are one link.
      const bundle = a.lag === null || b.lag === null ? null : `${a.words} ${b.words}`;
      if (bundle !== null && lags.has(bundle)) continue;
      if (bundle !== null) lags.add(bundle);
      if (wires.join(a.fabric.name, b.fabric.name)) continue;
      yield {
        span: (a.port.to ?? a.port).span,
        message: `the cable from ${a.fabric.name} port ${a.port.name} to ${b.fabric.name} port ${b.port.name} closes a ring: without spanning tree, a broadcast goes round in it for ever`,
        help: `Put parallel cables into one LAG at both ends, or be sure that spanning tree blocks one.`,
        related: [{ span: b.port.span, message: "the other end is here" }],
      };
    }
  },
};
