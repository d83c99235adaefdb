// A NAT rule takes the packets that are for the portal or the console proxy of this edge.

import { portsCover } from "../address-sets.ts";
import { natTargets } from "../nat-targets.ts";
import type { CheckRule } from "../rule.ts";

export const consoleTranslated: CheckRule = {
  code: "console-translated",
  severity: "error",
  title: "a NAT rule takes the packets for the portal or the console proxy",
  *run(context) {
    const { consoles } = context.datacenter;
    for (const [what, endpoint] of [
      ["portal", consoles?.portal],
      ["console proxy", consoles?.proxy],
    ] as const) {
      if (endpoint == null) continue;
      const { ip, port } = endpoint.address.value;
      const taker = natTargets(context).find(
        ({ rule, resolved }) =>
          rule.address.value === ip &&
          (resolved.protocol ?? "tcp") === "tcp" &&
          portsCover(resolved.ports, [{ first: port, last: port }]),
      );
      if (taker === undefined) continue;
      yield {
        span: taker.rule.span,
        message: `${taker.edge.name} translates ${ip}:${port} to ${taker.target}, but the ${what} is there`,
        help: "Use another address for one of them.",
        related: [{ span: endpoint.address.span, message: `the ${what} is here` }],
      };
    }
  },
};
