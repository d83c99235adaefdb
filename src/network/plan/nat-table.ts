// The NAT rules of an edge as nftables tables, one for each family: neighbouring rules of one shape become
// one map, so that ten thousand publications cost a new connection no more than ten. Elements and rules carry
// the number of the rule that they come from, and count the connections that it has translated.
import { familyOfIp } from "../../base/ip.ts";
import type { NftTable } from "../../model/network-state.ts";
import type { AddressSet, ResolvedNatRule } from "../../model/resolved-datacenter.ts";
import { ofFamily } from "./firewall-table.ts";
import {
  addressesText,
  type NftMap,
  nftTable,
  portRangeText,
  portsText,
  quoted,
  setOf,
} from "./nft-table.ts";

export const NAT_TABLE = "sallyport_nat";

/** Device of a network; null: the edge is not in it. */
type DeviceOf = (network: string) => string | null;

/** One element of a map: what is compared, and what it becomes. */
interface Entry {
  /** What is compared and written, such as "in to protocol port > address port". */
  readonly shape: string;
  readonly key: string;
  readonly value: string;
  /** As `commentOf` has it. */
  readonly comment: string;
}

/** A port range that shifts is written out port by port, up to this many. */
const SHIFTED_PORTS_MAX = 65535;
const EXPRESSIONS = {
  4: { address: "ipv4_addr", ip: "ip" },
  6: { address: "ipv6_addr", ip: "ip6" },
} as const;

/** Empty when there is nothing to translate. `inPrerouting`: lines before the rules of that stage. */
export function natTables(rules: readonly ResolvedNatRule[], deviceOf: DeviceOf): NftTable[] {
  return ([4, 6] as const).flatMap((family) => {
    const own = rules.filter(({ action, from, to }) =>
      action.kind === "masquerade"
        ? [from, to].every((set) => set === null || ofFamily(set, family)!.length > 0)
        : familyOfIp(action.to) === family,
    );
    const numbers = new Map(rules.map((rule, index) => [rule, index + 1]));
    return own.length === 0 ? [] : [new NatTable(family, deviceOf, numbers).table(own)];
  });
}

/** The place of a rule in its edge's list, by the comment at what counts it; null: it is no such comment. */
export function natRuleOfComment(comment: string): number | null {
  const [, number] = /^rule (\d+)$/.exec(comment) ?? [];
  return number === undefined ? null : Number(number) - 1;
}

class NatTable {
  readonly #family: 4 | 6;
  readonly #deviceOf: DeviceOf;
  readonly #maps: NftMap[] = [];

  readonly #numbers: ReadonlyMap<ResolvedNatRule, number>;

  constructor(family: 4 | 6, deviceOf: DeviceOf, numbers: ReadonlyMap<ResolvedNatRule, number>) {
    this.#family = family;
    this.#deviceOf = deviceOf;
    this.#numbers = numbers;
  }

  table(rules: readonly ResolvedNatRule[]): NftTable {
    const lines = (stage: ResolvedNatRule["stage"]) =>
      this.#linesOf(rules.filter((rule) => rule.stage === stage));
    const chains = [
      {
        name: "sp_prerouting",
        hook: "type nat hook prerouting priority dstnat; policy accept;",
        rules: lines("prerouting"),
      },
      {
        name: "sp_postrouting",
        hook: "type nat hook postrouting priority srcnat; policy accept;",
        rules: lines("postrouting"),
      },
    ];
    return nftTable(this.#family === 4 ? "ip" : "ip6", NAT_TABLE, { maps: this.#maps, chains });
  }

  #linesOf(rules: readonly ResolvedNatRule[]): string[] {
    const lines: string[] = [];
    let group: Entry[] = [];
    const close = () => {
      if (group.length > 0) lines.push(this.#lookup(group));
      group = [];
    };
    for (const rule of rules) {
      if (this.#isElsewhere(rule)) continue;
      const entries = this.#entriesOf(rule);
      if (entries === null) {
        close();
        lines.push(this.#literal(rule));
        continue;
      }
      for (const entry of entries) {
        if (group.length > 0 && group[0]!.shape !== entry.shape) close();
        group.push(entry);
      }
    }
    close();
    return lines;
  }

  /** It names a network that the edge is not in, and so can never match. */
  #isElsewhere(rule: ResolvedNatRule): boolean {
    return [rule.in, rule.out].some((network) => network !== null && this.#deviceOf(network) === null);
  }

  /** Null when the rule compares ranges, or translates to whatever address a device has. */
  #entriesOf(rule: ResolvedNatRule): Entry[] | null {
    const { action } = rule;
    if (action.kind === "masquerade") return null;
    const from = ofFamily(rule.from, this.#family);
    const to = ofFamily(rule.to, this.#family);
    if (![from, to].every((set) => set === null || set.every(({ first, last }) => first === last)))
      return null;
    // Ports need an element for each protocol; of a source translation they are compared as they are.
    if (action.kind === "snat" && (rule.ports.length > 0 || rule.protocol !== null)) return null;
    const targets = this.#portTargets(rule);
    if (targets === null) return null;
    const devices = [
      ...(rule.in === null ? [] : [["in", quoted(this.#deviceOf(rule.in)!)] as const]),
      ...(rule.out === null ? [] : [["out", quoted(this.#deviceOf(rule.out)!)] as const]),
    ];
    const alternatives = (set: AddressSet, part: string) =>
      set === null ? [[]] : set.map(({ first }) => [[part, first] as const]);
    const protocols = protocolsOf(rule);
    const entries = alternatives(from, "from").flatMap((source) =>
      alternatives(to, "to").flatMap((destination) =>
        protocols.flatMap((protocol) =>
          targets.map(({ port, toPort }): Entry => {
            const parts = [
              ...devices,
              ...source,
              ...destination,
              ...(protocol === null ? [] : [["protocol", protocol] as const]),
              ...(port === null ? [] : [["port", `${port}`] as const]),
            ];
            const names = parts.map(([part]) => part).join(" ");
            return {
              shape: `${action.kind} ${names} > ${toPort === null ? "address" : "address port"}`,
              key: parts.map(([, value]) => value).join(" . "),
              value: toPort === null ? action.to : `${action.to} . ${toPort}`,
              comment: this.#commentOf(rule),
            };
          }),
        ),
      ),
    );
    // A map without a key is no map.
    return entries[0]?.key === "" ? null : entries;
  }

  /** Each port and what it becomes; null: a range that keeps its ports is compared as a range. */
  #portTargets({ ports, action }: ResolvedNatRule): { port: number | null; toPort: number | null }[] | null {
    const toPort = action.kind === "dnat" ? action.toPort : null;
    if (ports.length === 0) return toPort === null ? [{ port: null, toPort: null }] : null;
    const count = ports.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    if (count > SHIFTED_PORTS_MAX || (count > 1 && toPort === null)) return null;
    // Where ranges overlap the first counts.
    const targets = new Map<number, number>();
    for (const { first, last } of ports) {
      for (let port = first; port <= last; port++)
        if (!targets.has(port)) targets.set(port, (toPort ?? first) + port - first);
    }
    return [...targets].map(([port, target]) => ({ port, toPort: target }));
  }

  #lookup(group: readonly Entry[]): string {
    const [keys = "", values = ""] = group[0]!.shape.split(" > ");
    const [kind, ...parts] = keys.split(" ").filter((part) => part !== "");
    const { address, ip } = EXPRESSIONS[this.#family];
    const types: Readonly<Record<string, string>> = {
      in: "ifname",
      out: "ifname",
      from: address,
      to: address,
      protocol: "inet_proto",
      port: "inet_service",
    };
    const compared: Readonly<Record<string, string>> = {
      in: "iifname",
      out: "oifname",
      from: `${ip} saddr`,
      to: `${ip} daddr`,
      protocol: "meta l4proto",
      port: "th dport",
    };
    const name = `sp_${kind}_${this.#maps.length + 1}`;
    // The first rule counts.
    const byKey = new Map<string, Entry>();
    for (const entry of group) if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
    this.#maps.push({
      name,
      type: `${parts.map((part) => types[part]).join(" . ")} : ${address}${values.includes("port") ? " . inet_service" : ""}`,
      isInterval: false,
      isCounted: true,
      elements: [...byKey.values()].map(({ key, comment, value }) => `${key} ${comment} : ${value}`),
    });
    return `${kind} to ${parts.map((part) => compared[part]).join(" . ")} map @${name}`;
  }

  #commentOf(rule: ResolvedNatRule): string {
    return `comment ${quoted(`rule ${this.#numbers.get(rule)}`)}`;
  }

  #literal(rule: ResolvedNatRule): string {
    const { matches, verdict } = this.#partsOf(rule);
    return [...matches, "counter", verdict, this.#commentOf(rule)].join(" ");
  }

  #partsOf(rule: ResolvedNatRule): { readonly matches: readonly string[]; readonly verdict: string } {
    const { ip } = EXPRESSIONS[this.#family];
    const from = ofFamily(rule.from, this.#family);
    const to = ofFamily(rule.to, this.#family);
    const devicesAndAddresses = [
      ...(rule.in === null ? [] : [`iifname ${quoted(this.#deviceOf(rule.in)!)}`]),
      ...(rule.out === null ? [] : [`oifname ${quoted(this.#deviceOf(rule.out)!)}`]),
      ...(from === null ? [] : [`${ip} saddr ${addressesText(from)}`]),
      ...(to === null ? [] : [`${ip} daddr ${addressesText(to)}`]),
    ];
    const protocols = protocolsOf(rule).filter((protocol) => protocol !== null);
    const protocol = protocols.length === 0 ? [] : [`meta l4proto ${setOf(protocols)}`];
    const matches = [...devicesAndAddresses, ...protocol];
    const { action, ports } = rule;
    if (action.kind === "dnat" && action.toPort !== null) {
      const { toPort } = action;
      if (ports.length === 0) return { matches, verdict: `dnat to ${host(action.to)}:${toPort}` };
      const pairs = this.#portTargets(rule);
      const map =
        pairs?.map(({ port, toPort: target }) => `${port} : ${target}`).join(", ") ??
        `${portRangeText(ports[0]!)} : ${toPort}`;
      return { matches, verdict: `dnat to ${host(action.to)}:th dport map { ${map} }` };
    }
    const port = ports.length === 0 ? [] : [`th dport ${portsText(ports)}`];
    const verdict = action.kind === "masquerade" ? "masquerade" : `${action.kind} to ${action.to}`;
    return { matches: [...matches, ...port], verdict };
  }
}

function protocolsOf({ protocol, ports }: ResolvedNatRule): (string | null)[] {
  if (protocol === "icmp") return ["icmp", "ipv6-icmp"];
  if (protocol !== null) return [protocol];
  return ports.length > 0 ? ["tcp", "udp"] : [null];
}

/** nft takes an IPv6 address with a port in brackets. */
function host(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip;
}
