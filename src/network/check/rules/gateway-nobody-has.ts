// A gateway that is nobody's address: ARP for it is never answered, and whatever leaves the subnet is lost.
import { subnetHas } from "../../../base/ip.ts";
import { ownerIn } from "../context.ts";
import type { CheckRule } from "../rule.ts";

export const gatewayNobodyHas: CheckRule = {
  code: "gateway-nobody-has",
  severity: "warning",
  title: "nobody has the gateway's address",
  *run(context) {
    for (const { name, gateways, external, span: place, subnets } of context.datacenter.networks) {
      const network = context.networks.get(name)!;
      // Outside, the provider has it.
      if (external?.value === true) continue;
      for (const { value: ip, span } of gateways) {
        const isInside = subnets.some(({ value }) => subnetHas(value, ip));
        const isHosts = context.ownersAnywhere.get(ip)?.owner.kind === "host";
        if (!isInside || isHosts || ownerIn(context, network, ip) !== null) continue;
        const candidates = context.datacenter.edges.filter(({ interfaces }) =>
          interfaces.some((one) => one.network.value === name),
        );
        const [edge] = candidates;
        yield {
          span,
          message: `nobody has the gateway's address ${ip}, so nothing leaves ${name}`,
          help:
            edge === undefined
              ? `An edge with \`interfaces: {${name}: ${ip}}\` is missing.`
              : `Edge ${edge.name} is in ${name}, with another address.`,
          related:
            edge === undefined
              ? []
              : [
                  {
                    span: edge.interfaces.find((one) => one.network.value === name)?.span ?? place,
                    message: "its interface is here",
                  },
                ],
        };
      }
    }
  },
};
