// The shared MAC is made of four bytes of the address at most. IPv6 addresses can differ in the others alone.
import type { ResolvedCluster } from "../../../model/resolved-datacenter.ts";
import type { CheckRule } from "../rule.ts";

export const nlbMacTwice: CheckRule = {
  code: "nlb-mac-twice",
  severity: "error",
  title: "two clusters in one broadcast domain share a MAC",
  *run({ resolved, networks, domainOf }) {
    const seen = new Map<string, ResolvedCluster>();
    for (const cluster of resolved.clusters) {
      const key = `${domainOf(networks.get(cluster.network)!)} ${cluster.mac}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, cluster);
      else
        yield {
          span: cluster.source.address.span,
          message: `clusters ${first.name} and ${cluster.name} have the MAC ${cluster.mac}, so each gets the other's frames too`,
          help: `The MAC comes from the last ${cluster.mode === "igmp" && !cluster.address.includes(":") ? "two" : "four"} bytes of the address: choose others.`,
          related: [{ span: first.source.address.span, message: `${first.name} is here` }],
        };
    }
  },
};
