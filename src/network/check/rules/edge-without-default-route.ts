// An edge at the border that does not know the way out.
import { formatSubnet, subnetHas } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const edgeWithoutDefaultRoute: CheckRule = {
  code: "edge-without-default-route",
  severity: "warning",
  title: "an edge in an external network has no default route",
  *run({ datacenter, networks }) {
    for (const { name, interfaces, routes, span } of datacenter.edges) {
      const told = new Set<number>();
      for (const { network: where, addresses } of interfaces) {
        const network = networks.get(where.value);
        if (network?.isExternal !== true || addresses.length === 0) continue;
        for (const subnet of network.subnets) {
          if (!addresses.some(({ value }) => subnetHas(subnet, value))) continue;
          if (routes.some(({ to }) => to.value.prefix === 0 && to.value.family === subnet.family)) continue;
          // One way out is enough, also for an edge that is in two external networks.
          if (told.has(subnet.family)) continue;
          told.add(subnet.family);
          const gateway = network.gateways.find((ip) => subnetHas(subnet, ip));
          const via = gateway ?? "…";
          yield {
            span: where.span,
            message: `${name} is in ${where.value}, but has no default route: it reaches nobody beyond ${formatSubnet(subnet)}`,
            help: `Write \`routes: [{to: default, via: ${via}}]\`.`,
            ...(gateway === undefined
              ? {}
              : {
                  fix: [
                    {
                      kind: "append",
                      file: span.file,
                      path: ["edges", name, "routes"],
                      value: { to: "default", via: gateway },
                    },
                  ],
                }),
          };
        }
      }
    }
  },
};
