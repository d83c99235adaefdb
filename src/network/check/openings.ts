// What an edge's firewall lets through, so indexed that ten thousand openings for one port each need not all
// be looked at for each translation.
import type { Ip } from "../../base/ip.ts";
import type { PortRange } from "../../model/datacenter.ts";
import type { ResolvedEdge, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import { addressesHave } from "./address-sets.ts";

export class Openings {
  readonly #all: readonly ResolvedFirewallRule[];
  /** Rules for one address and one port, by both. */
  readonly #narrow = new Map<string, ResolvedFirewallRule[]>();
  /** The first rule for one address alone. */
  readonly #firstByAddress = new Map<Ip, ResolvedFirewallRule>();
  /** Those for several addresses or any. */
  readonly #wide: ResolvedFirewallRule[] = [];
  /** Those for several addresses, several ports, or any. */
  readonly #loose: ResolvedFirewallRule[] = [];

  constructor({ firewall }: ResolvedEdge) {
    this.#all = firewall.rules.filter(({ action }) => action === "allow");
    for (const rule of this.#all) {
      const [range, second] = rule.to ?? [];
      const ip =
        range !== undefined && second === undefined && range.first === range.last ? range.first : null;
      const port = singlePort(rule.ports);
      if (ip === null) this.#wide.push(rule);
      else if (!this.#firstByAddress.has(ip)) this.#firstByAddress.set(ip, rule);
      if (ip === null || port === null) this.#loose.push(rule);
      else {
        const key = `${ip} ${port}`;
        this.#narrow.set(key, [...(this.#narrow.get(key) ?? []), rule]);
      }
    }
  }

  /** Rules that may be for these ports of the address; the caller looks closer. */
  candidates(ip: Ip, ports: readonly PortRange[]): readonly ResolvedFirewallRule[] {
    const port = singlePort(ports);
    return port === null ? this.#all : [...(this.#narrow.get(`${ip} ${port}`) ?? []), ...this.#loose];
  }

  /** A rule that names the address, at whatever port; null when none does. */
  namesAddress(ip: Ip): ResolvedFirewallRule | null {
    const first = this.#firstByAddress.get(ip);
    return first ?? this.#wide.find(({ to }) => to !== null && addressesHave(to, ip)) ?? null;
  }
}

function singlePort(ports: readonly PortRange[]): number | null {
  const [range, second] = ports;
  return range !== undefined && second === undefined && range.first === range.last ? range.first : null;
}
