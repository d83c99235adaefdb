// All members must hear every frame for the cluster, so they share one broadcast domain, each once.
import type { CheckRule } from "../rule.ts";

const MEMBERS_MAX = 32;

export const nlbMembersApart: CheckRule = {
  code: "nlb-members-apart",
  severity: "error",
  title: "members of a cluster do not share one network, or are in two clusters",
  *run({ datacenter, machines, networks, domainOf, clusters }) {
    const clusterOf = new Map<string, string>();
    for (const { name, machines: members } of datacenter.clusters) {
      const home = networks.get(clusters.get(name)?.network ?? "");
      for (const { value, span } of members) {
        const other = clusterOf.get(value);
        if (other !== undefined)
          yield {
            span,
            message:
              other === name
                ? `${value} is a member of ${name} twice`
                : `${value} is a member of ${other} already, and cannot hide behind two MACs`,
            help: "A machine is in one cluster; one cluster can have many port rules.",
          };
        else clusterOf.set(value, name);
        const own = machines.get(value)?.interfaces.map(({ network }) => networks.get(network)!) ?? [];
        if (home === undefined || own.length === 0 || own.some((one) => domainOf(one) === domainOf(home)))
          continue;
        yield {
          span,
          message: `${value} is in ${own[0]!.name}, but cluster ${name} is in ${home.name}: it never hears a frame for the cluster`,
          help: "All members are in one network.",
          related: [{ span: machines.get(value)!.span, message: `${value} is here` }],
        };
      }
      if (members.length > MEMBERS_MAX)
        yield {
          span: members[MEMBERS_MAX]!.span,
          message: `${name} has ${members.length} members, but a cluster has at most ${MEMBERS_MAX}`,
          help: "Make two clusters, or use a load balancer.",
        };
    }
  },
};
