// Everything from outside is allowed to everything.
import type { CheckRule } from "../rule.ts";

export const externalNetworkOpen: CheckRule = {
  code: "external-network-open",
  severity: "warning",
  title: "an edge lets everything in from an external network",
  *run({ resolved, networks }) {
    for (const { name, kind, interfaces, firewall } of resolved.edges) {
      const outside = interfaces.find(({ network }) => networks.get(network)!.isExternal);
      const inside = interfaces.some(({ network }) => !networks.get(network)!.isExternal);
      if (kind !== "edge" || outside === undefined || !inside) continue;
      if (firewall.default === "allow") {
        const isDenied = firewall.rules.some(
          (rule) =>
            rule.action === "deny" &&
            rule.in === outside.network &&
            rule.to === null &&
            rule.protocol === null,
        );
        if (!isDenied)
          yield {
            span: firewall.span,
            message: `${name} is in ${outside.network} and allows what no rule forbids: all that comes from outside gets in`,
            help: "Write `default: deny`, and rules for what may.",
            related: [{ span: outside.span, message: `its interface in ${outside.network}` }],
          };
        continue;
      }
      for (const { action, in: from, from: sources, out, to, protocol, ports, origin } of firewall.rules) {
        const isFromOutside = from === outside.network || (from === null && sources === null);
        const isAll = to === null && out === null && ports.length === 0 && protocol === null;
        if (action !== "allow" || !isFromOutside || !isAll || origin.kind !== "file") continue;
        yield {
          span: origin.span,
          message: `this rule of ${name} lets everything in from ${outside.network}`,
          help: "Name who may be reached, and at which ports.",
          related: [{ span: outside.span, message: `its interface in ${outside.network}` }],
        };
      }
    }
  },
};
