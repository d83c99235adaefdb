// An address that is in none of its network's subnets: neighbours are not found, the gateway is not reached.
import { familyOfIp, formatSubnet, subnetHas } from "../../../base/ip.ts";
import { isLinkLocal } from "../link-local.ts";
import type { CheckRule } from "../rule.ts";
import { describeOwner } from "../stations.ts";

export const addressOutsideSubnet: CheckRule = {
  code: "address-outside-subnet",
  severity: "error",
  title: "an address is in none of its network's subnets",
  *run({ stations, datacenter, networks }) {
    const told = new Set<unknown>();
    for (const { network, ip, isWritten, span, owner } of stations) {
      // A copy of a vApp says nothing that the first one did not.
      if (network === null || !isWritten || told.has(span) || isLinkLocal(ip)) continue;
      const subnets = network.subnets.filter(({ family }) => family === familyOfIp(ip));
      if (subnets.length === 0 || subnets.some((subnet) => subnetHas(subnet, ip))) continue;
      told.add(span);
      const place = subnets.map(formatSubnet).join(" and ");
      yield {
        span,
        message: `${ip} of ${describeOwner(owner)} is not in ${place}, the subnet of ${network.name}`,
        help: `Write an address of ${place}, or name another network.`,
        related: [{ span: network.span, message: `${network.name} is here` }],
      };
    }
    for (const {
      copies,
      network: { parent },
    } of datacenter.vapps) {
      const subnets = networks.get(parent.value)?.subnets ?? [];
      for (const { address, outside, name } of copies) {
        for (const { value: ip, span } of [
          ...(address === null ? [] : [address]),
          ...outside.map((one) => one.address),
        ]) {
          if (subnets.length === 0 || subnets.some((subnet) => subnetHas(subnet, ip))) continue;
          const place = subnets.map(formatSubnet).join(" and ");
          yield {
            span,
            message: `the outside address ${ip} of copy ${name} is not in ${place}, the subnet of ${parent.value}`,
            help: `Write an address of ${place}.`,
          };
        }
      }
    }
  },
};
