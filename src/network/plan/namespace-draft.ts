// A namespace while it is being worked out: the parts of the plan add what they need to it.
import { familyOfIp, formatSubnet, type Ip, subnetHas, subnetOf } from "../../base/ip.ts";
import type {
  AddressState,
  LinkState,
  NamespaceName,
  NamespaceState,
  NftTable,
  RouteState,
  RoutingRule,
} from "../../model/network-state.ts";
import type { ResolvedInterface, ResolvedRoute } from "../../model/resolved-datacenter.ts";

export const MAIN_TABLE = 254;
const MTU_OF_LOOPBACK = 65536;

/** What most devices have; the rest is said. */
export function newLink(
  given: Pick<LinkState, "name" | "kind" | "alias" | "mtu"> & Partial<LinkState>,
): LinkState {
  return { mac: null, isUp: true, master: null, port: null, isDhcpClient: false, ...given };
}

export class NamespaceDraft {
  readonly name: NamespaceName;
  readonly words: string;
  readonly links: LinkState[] = [];
  readonly addresses: AddressState[] = [];
  readonly routes: RouteState[] = [];
  readonly rules: RoutingRule[] = [];
  readonly tables: NftTable[] = [];
  readonly #sysctls = new Map<string, string>();

  constructor(name: NamespaceName, words: string) {
    this.name = name;
    this.words = words;
    if (name !== null) {
      const loopback = { name: "lo", kind: { kind: "physical" }, alias: null, mtu: MTU_OF_LOOPBACK } as const;
      this.links.push(newLink(loopback));
    }
  }

  sysctl(key: string, value: string | number): void {
    this.#sysctls.set(key, `${value}`);
  }

  address(link: string, ip: Ip, prefix: number, isBare = false): void {
    const isSecond = this.addresses.some((one) => one.link === link && familyOfIp(one.ip) === 4);
    // Else the others of a subnet would go with the first, and the routes with them (ip-sysctl.rst).
    if (isSecond && familyOfIp(ip) === 4) this.sysctl(`net/ipv4/conf/${link}/promote_secondaries`, 1);
    const subnet = formatSubnet(subnetOf(ip, prefix));
    // Linux sends from the newest IPv6 address of a subnet; the file means the first.
    const isDeprecated =
      familyOfIp(ip) === 6 &&
      this.addresses.some(
        (one) => one.link === link && formatSubnet(subnetOf(one.ip, one.prefix)) === subnet,
      );
    this.addresses.push({ link, ip, prefix, isBare, isDeprecated });
  }

  route(given: Pick<RouteState, "to" | "link"> & Partial<RouteState>): void {
    this.routes.push({
      via: null,
      table: MAIN_TABLE,
      source: null,
      isOnlink: false,
      type: "unicast",
      ...given,
    });
  }

  /** Routes of the file, by the device whose subnet has the router. What no subnet has is on the first. */
  routesBy(routes: readonly ResolvedRoute[], places: readonly Place[]): void {
    for (const { to, via } of routes) {
      const place = places.find(({ addresses }) =>
        addresses.some(({ ip, prefix }) => subnetHas(subnetOf(ip, prefix), via)),
      );
      const link = place?.link ?? places[0]?.link;
      if (link === undefined) continue;
      // The first of two for one destination counts, as in the model.
      const isTaken = this.routes.some(
        (one) => one.table === MAIN_TABLE && formatSubnet(one.to) === formatSubnet(to),
      );
      if (!isTaken) this.route({ to, via, link, isOnlink: place === undefined });
    }
  }

  finish(): NamespaceState {
    const { name, words, links, addresses, routes, rules, tables } = this;
    const sysctls = [...this.#sysctls].map(([key, value]) => ({ key, value }));
    return { name, words, links, addresses, routes, rules, sysctls, tables };
  }
}

/** A device and the addresses that it has. */
export interface Place {
  readonly link: string;
  readonly addresses: ResolvedInterface["addresses"];
}
