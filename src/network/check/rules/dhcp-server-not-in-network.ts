// The edge that is to answer DHCP must hear the clients' broadcasts.
import type { CheckRule } from "../rule.ts";

export const dhcpServerNotInNetwork: CheckRule = {
  code: "dhcp-server-not-in-network",
  severity: "error",
  title: "the edge that is to serve DHCP is not in the network",
  *run({ datacenter }) {
    const edges = new Map(datacenter.edges.map((edge) => [edge.name, edge]));
    for (const { name, dhcp } of datacenter.networks) {
      const edge = edges.get(dhcp?.server?.value ?? "");
      if (edge === undefined || edge.interfaces.some(({ network }) => network.value === name)) continue;
      yield {
        span: dhcp!.server!.span,
        message: `edge ${edge.name} is to answer DHCP in ${name}, but has no interface there, so it never hears the clients`,
        help: `Give it one under \`interfaces\`, or name an edge that is in ${name}.`,
        related: [{ span: edge.span, message: `${edge.name} is here` }],
      };
    }
  },
};
