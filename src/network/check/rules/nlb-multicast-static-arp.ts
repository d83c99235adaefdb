// Routers do not believe an ARP answer that gives a multicast MAC for a unicast address (RFC 1812, 3.3.2).
import { familyOfIp, type Ip } from "../../../base/ip.ts";
import { ownerIn } from "../context.ts";
import type { CheckRule } from "../rule.ts";

export const nlbMulticastStaticArp: CheckRule = {
  code: "nlb-multicast-static-arp",
  severity: "notice",
  title: "the router of a multicast cluster needs a static ARP entry",
  *run(context) {
    for (const { name, mode, mac, address, source, network: where } of context.resolved.clusters) {
      const network = context.networks.get(where)!;
      if (mode === "unicast") continue;
      for (const ip of network.gateways) {
        if (familyOfIp(ip) !== familyOfIp(address)) continue;
        // Linux believes it; physical routers, which the file does not hold, do not.
        if (ownerIn(context, network, ip) !== null || context.ownersAnywhere.get(ip)?.owner.kind === "host")
          continue;
        yield {
          span: source.mode!.span,
          message: `the router ${ip} of ${network.name} will not believe that ${address} of cluster ${name} has the multicast MAC ${mac}`,
          help: `Give it a static entry, such as \`${entryOf(address, mac)}\`.`,
          related: [{ span: network.span, message: `${network.name} is here` }],
        };
      }
    }
  },
};

/** As Cisco's routers write it, with the MAC as 03bf.c0a8.1e32. */
function entryOf(address: Ip, mac: string): string {
  const dotted = mac.replaceAll(":", "").replaceAll(/(.{4})(?=.)/g, "$1.");
  return familyOfIp(address) === 4
    ? `arp ${address} ${dotted} ARPA`
    : `ipv6 neighbor ${address} Vlan1 ${dotted}`;
}
