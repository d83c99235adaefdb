// Two DHCP servers hear one broadcast, and the client takes whichever answers first.
import type { ResolvedNetwork } from "../../../model/resolved-datacenter.ts";
import type { CheckRule } from "../rule.ts";

export const dhcpTwoServers: CheckRule = {
  code: "dhcp-two-servers",
  severity: "error",
  title: "two DHCP servers in one broadcast domain",
  *run({ resolved, domainOf }) {
    const first = new Map<string, ResolvedNetwork>();
    for (const network of resolved.networks) {
      const { dhcp } = network;
      if (dhcp === null) continue;
      const domain = domainOf(network);
      const other = first.get(domain);
      if (other === undefined) first.set(domain, network);
      else {
        yield {
          span: dhcp.span,
          message: `DHCP of ${network.name} and of ${other.name} answer in one broadcast domain: clients get an address of whichever is faster`,
          help: "Put the networks into different VLANs, or leave `dhcp` out at one.",
          related: [{ span: other.dhcp!.span, message: `${other.name} has its own here` }],
        };
      }
    }
  },
};
