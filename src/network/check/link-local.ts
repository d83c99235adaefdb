// Addresses that are on every link without being in any of its subnets: IPv6 routers are named by them
// (RFC 4861, 6.1.2).
import { type Ip, parseSubnet, subnetHas } from "../../base/ip.ts";

const LINK_LOCAL_6 = parseSubnet("fe80::/10")!.subnet;

export function isLinkLocal(ip: Ip): boolean {
  return subnetHas(LINK_LOCAL_6, ip);
}
