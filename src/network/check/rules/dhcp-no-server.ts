// A machine asks by DHCP where nobody answers.
import type { CheckRule } from "../rule.ts";

export const dhcpNoServer: CheckRule = {
  code: "dhcp-no-server",
  severity: "error",
  title: "a machine asks for an address where nobody gives one",
  *run({ resolved, networks, domainOf }) {
    const served = new Set(resolved.networks.filter(({ dhcp }) => dhcp !== null).map(domainOf));
    const told = new Set<unknown>();
    for (const { name, source, interfaces } of resolved.machines) {
      for (const { network: where, wantsDhcp } of interfaces) {
        const network = networks.get(where)!;
        // Outside, a provider may serve it.
        if (!wantsDhcp || network.isExternal || served.has(domainOf(network)) || told.has(source)) continue;
        told.add(source);
        const asked = source.interfaces
          .flatMap(({ addresses }) => addresses)
          .find(({ value }) => value === "dhcp");
        const place = network.parent ?? network.name;
        yield {
          span: asked?.span ?? source.span,
          message: `machine ${name} asks for an address by DHCP, but nobody serves it in ${network.name}`,
          help:
            network.kind === "fence-inside"
              ? "A fence lets no broadcast through: write an address."
              : `Give ${place} a range: \`dhcp: {range: first-last}\`; or write an address.`,
          related: [{ span: network.span, message: `${network.name} is here` }],
        };
      }
    }
  },
};
