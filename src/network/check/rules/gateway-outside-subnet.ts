// A gateway must be a neighbour: nobody can ask by ARP for what is in another subnet.
import { familyOfIp, formatSubnet, type Subnet, subnetHas } from "../../../base/ip.ts";
import { isLinkLocal } from "../link-local.ts";
import type { CheckRule } from "../rule.ts";

export const gatewayOutsideSubnet: CheckRule = {
  code: "gateway-outside-subnet",
  severity: "error",
  title: "a gateway is in none of the subnets it is the way out of",
  *run({ datacenter, resolved: { machines } }) {
    for (const { name, gateways, subnets } of datacenter.networks) {
      for (const { value: ip, span } of gateways) {
        const here = subnets.map(({ value }) => value);
        if (isIn(here, ip) || isLinkLocal(ip)) continue;
        yield {
          span,
          message: `the gateway ${ip} is not in ${list(here)}, the subnet of ${name}: no machine there can reach it`,
          help: "A gateway has an address in the subnet of those who use it.",
        };
      }
    }
    const told = new Set<unknown>();
    for (const { name, source, interfaces } of machines) {
      const { gateway } = source;
      if (gateway === null || gateway.value === "none" || told.has(source)) continue;
      told.add(source);
      const ip = gateway.value;
      const own = interfaces.flatMap(({ addresses }) => addresses);
      const here = own.filter((one) => familyOfIp(one.ip) === familyOfIp(ip));
      if (here.length === 0 || isLinkLocal(ip)) continue;
      const subnets = here.map(
        ({ ip: first, prefix }): Subnet => ({ family: familyOfIp(first), first, prefix }),
      );
      if (subnets.some((subnet) => subnetHas(subnet, ip))) continue;
      yield {
        span: gateway.span,
        message: `the gateway ${ip} of machine ${name} is in none of its subnets, so it cannot be asked by ARP`,
        help: "Leave it out to use the network's gateway.",
      };
    }
  },
};

function isIn(subnets: readonly Subnet[], ip: Parameters<typeof subnetHas>[1]): boolean {
  return subnets.length === 0 || subnets.some((subnet) => subnetHas(subnet, ip));
}

function list(subnets: readonly Subnet[]): string {
  return subnets.map(formatSubnet).join(" or ");
}
