// NAT with an address of a connected subnet that the edge does not have: nobody answers ARP for it, so no
// packet for it ever comes here.
import type { Ip } from "../../../base/ip.ts";
import type { Located } from "../../../model/datacenter.ts";
import { connectedTo } from "../routers.ts";
import type { CheckRule } from "../rule.ts";

export const natAddressNotOnEdge: CheckRule = {
  code: "nat-address-not-on-edge",
  severity: "error",
  title: "an edge translates with an address that it does not have",
  *run({ datacenter, routers }) {
    const byName = new Map(
      routers.filter(({ kind }) => kind === "edge").map((router) => [router.name, router]),
    );
    for (const { name, nat, interfaces } of datacenter.edges) {
      const router = byName.get(name);
      if (router === undefined) continue;
      for (const rule of nat) {
        if (rule.kind === "masquerade") continue;
        const address: Located<Ip> = rule.kind === "snat" ? rule.to : rule.address;
        const near = connectedTo(router, address.value);
        // Whole subnets may be routed to an edge without being on its interfaces.
        if (near === null || near.network === null || router.addresses.includes(address.value)) continue;
        const place = interfaces.find(({ network }) => network.value === near.network!.name);
        yield {
          span: address.span,
          message: `${name} does not have the address ${address.value}, so nobody in ${near.network.name} finds out that it is here`,
          help: `Add it to the edge's addresses in ${near.network.name}.`,
          related: place === undefined ? [] : [{ span: place.span, message: "its addresses are here" }],
        };
      }
    }
  },
};
