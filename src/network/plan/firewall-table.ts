// The firewall of an edge as an nftables table whose cost does not grow with its rules: neighbouring rules of
// one shape, such as all that name one address and ports, become one lookup. The order of the file is kept:
// what the first matching rule says counts. Each rule of the file has a chain of its own, which counts what
// it has let in or dropped; of a connection that is its first packet.
import { familyOfIp } from "../../base/ip.ts";
import type { PortRange } from "../../model/datacenter.ts";
import type { NftTable } from "../../model/network-state.ts";
import type { AddressSet, ResolvedFirewall, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import {
  addressesText,
  type NftChain,
  type NftMap,
  nftTable,
  portRangeText,
  portsText,
  quoted,
  setOf,
} from "./nft-table.ts";

export const FIREWALL_TABLE = "sallyport_filter";
/** Of what no rule has decided. */
export const DEFAULT_COMMENT = "default";
const DEFAULT_COUNTER = `counter comment ${quoted(DEFAULT_COMMENT)}`;

export interface FirewallOptions {
  /** Device of a network; null: the edge is not in it. */
  deviceOf(network: string): string | null;
  /** Rules for what is for the edge itself, before those of the file: DHCP, DNS. */
  readonly inputRules: readonly string[];
  /** Rules before all others. */
  readonly forwardRules: readonly string[];
}

/** What a rule says of one combination of devices, addresses and protocol. */
interface Entry {
  /** The parts that are compared, in the order of `SHAPE_PARTS`. */
  readonly shape: string;
  readonly key: string;
  /** Of the key; not null where there are ports. */
  readonly protocol: string | null;
  readonly ports: readonly PortRange[];
  readonly rule: ResolvedFirewallRule;
}

type Part = "in" | "out" | "from4" | "from6" | "to4" | "to6" | "protocol";

const TYPES: Readonly<Record<Part, string>> = {
  in: "ifname",
  out: "ifname",
  from4: "ipv4_addr",
  from6: "ipv6_addr",
  to4: "ipv4_addr",
  to6: "ipv6_addr",
  protocol: "inet_proto",
};

/** A rule that names more addresses than this one by one is compared as it is. */
const EXPANSION_MAX = 4096;
/** 16 registers of 4 bytes; nft 1.0.6 ends with an assertion instead of saying so. */
const KEY_BYTES_MAX = 64;
const PORT_COUNT = 65536;
/**
 * So few are compared one by one: the kernel looks for each set among all others, of ten thousand for
 * seconds.
 */
const SPELLED_PORTS_MAX = 4;
const ESTABLISHED = ["ct state established,related accept", "ct state invalid drop"];

export function firewallTable(firewall: ResolvedFirewall, options: FirewallOptions): NftTable {
  const tables = new LookupTables(firewall);
  const defaultVerdict = firewall.default === "allow" ? "accept" : "drop";
  const forward = tables.rulesOf(firewall.rules, "forward", options);
  // Nothing leaves what is for the edge itself, so rules that name where to are not asked.
  const input = tables.rulesOf(
    firewall.rules.filter(({ out }) => out === null),
    "input",
    options,
  );
  const chains: NftChain[] = [
    ...tables.ruleChains,
    ...tables.chains,
    {
      name: "sp_forward",
      hook: `type filter hook forward priority filter; policy ${defaultVerdict};`,
      rules: [...ESTABLISHED, ...options.forwardRules, ...forward, DEFAULT_COUNTER],
    },
    {
      name: "sp_input",
      hook: `type filter hook input priority filter; policy ${defaultVerdict};`,
      rules: [
        ...ESTABLISHED,
        'iifname "lo" accept',
        // Without neighbour discovery there is no IPv6 (RFC 4890, 4.4.1).
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept",
        ...options.inputRules,
        ...input,
        DEFAULT_COUNTER,
      ],
    },
  ];
  return nftTable("inet", FIREWALL_TABLE, { maps: tables.maps, chains });
}

/** The place of a rule in its edge's list, by the chain that counts it; null: it is no such chain. */
export function firewallRuleOfChain(chain: string): number | null {
  const [, number] = /^sp_rule_(\d+)(?:_ports_\d+)?$/.exec(chain) ?? [];
  return number === undefined ? null : Number(number) - 1;
}

/** Collects the maps and chains that rules are turned into. */
class LookupTables {
  readonly maps: NftMap[] = [];
  /** Those that compare ports. */
  readonly chains: NftChain[] = [];
  readonly #isOriginal: boolean;
  readonly #chainsByRules = new Map<string, string>();
  readonly #numbers: ReadonlyMap<ResolvedFirewallRule, number>;
  readonly #ruleChains = new Map<ResolvedFirewallRule, NftChain>();

  constructor({ match, rules }: ResolvedFirewall) {
    this.#isOriginal = match === "original";
    this.#numbers = new Map(rules.map((rule, index) => [rule, index + 1]));
  }

  /** One for each rule that is used. */
  get ruleChains(): Iterable<NftChain> {
    return this.#ruleChains.values();
  }

  rulesOf(rules: readonly ResolvedFirewallRule[], hook: string, options: FirewallOptions): string[] {
    const lines: string[] = [];
    let group: Entry[] = [];
    const close = () => {
      if (group.length > 0) lines.push(this.#lookup(group, hook));
      group = [];
    };
    for (const rule of rules) {
      const placed = devicesOf(rule, options);
      if (placed === null) continue;
      const entries = rule.isLogged ? null : entriesOf(rule, placed);
      if (entries === null) {
        close();
        lines.push(...this.#literal(rule, placed));
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

  /** Into its own chain, from which nothing comes back. */
  #verdict(rule: ResolvedFirewallRule): string {
    const name = this.#nameOf(rule);
    if (!this.#ruleChains.has(rule))
      this.#ruleChains.set(rule, { name, hook: null, rules: [countedEnd(rule)] });
    return `goto ${name}`;
  }

  #nameOf(rule: ResolvedFirewallRule): string {
    return `sp_rule_${this.#numbers.get(rule)}`;
  }

  /** One line that looks all of the group up. */
  #lookup(group: readonly Entry[], hook: string): string {
    const parts = group[0]!.shape.split(" ").filter((part) => part !== "") as Part[];
    const byKey = Map.groupBy(group, ({ key }) => key);
    if (parts.length === 0) return this.#verdictOf(byKey.get("")!);
    const compared = parts.map((part) => this.#expression(part)).join(" . ");
    // Of one or two, a line for each is as cheap, and easier to read.
    if (byKey.size === 1 && parts.length === 1) {
      const [[key, entries]] = [...byKey] as [[string, Entry[]]];
      return `${compared} ${key} ${this.#verdictOf(entries)}`;
    }
    const name = `sp_${hook}_${this.maps.length + 1}`;
    const elements = [...byKey].map(([key, entries]) => `${key} : ${this.#verdictOf(entries)}`);
    const type = `${parts.map((part) => TYPES[part]).join(" . ")} : verdict`;
    this.maps.push({ name, type, isInterval: false, elements });
    return `${compared} vmap @${name}`;
  }

  /** That of the first entry's rule, or a jump to the chain that compares the ports. */
  #verdictOf(entries: readonly Entry[]): string {
    const [{ rule: first, ports, protocol }] = entries as readonly [Entry];
    if (ports.length === 0) return this.#verdict(first);
    const port = this.#port(protocol);
    // One chain instead of two: the kernel checks each way through chains that jump to chains.
    if (entries.every(({ rule }) => rule === first)) return this.#ownPorts(first, port);
    const free = new FreePorts();
    const pairs: PortVerdict[] = [];
    const rest: string[] = [];
    for (const entry of entries) {
      const verdict = this.#verdict(entry.rule);
      if (entry.ports.length === 0) {
        rest.push(verdict);
        break;
      }
      for (const range of entry.ports) {
        for (const one of free.take(range)) pairs.push([portRangeText(one), verdict]);
      }
    }
    return `jump ${this.#chainWith([...portLines(port, pairs), ...rest], "sp_ports")}`;
  }

  /** Of the ports of one rule, which it counts itself. */
  #ownPorts(rule: ResolvedFirewallRule, port: string): string {
    const free = new FreePorts();
    const ranges = rule.ports.flatMap((range) => free.take(range)).map(portRangeText);
    const isSpelled = this.#isOriginal || ranges.length <= SPELLED_PORTS_MAX;
    const sets = isSpelled ? ranges : [setOf(ranges)];
    const lines = sets.map((set) => `${port} ${set} ${countedEnd(rule)}`);
    return `jump ${this.#chainWith(lines, `${this.#nameOf(rule)}_ports`)}`;
  }

  #chainWith(rules: readonly string[], prefix: string): string {
    const key = rules.join("\n");
    const known = this.#chainsByRules.get(prefix + key);
    if (known !== undefined) return known;
    const name = `${prefix}_${this.#chainsByRules.size + 1}`;
    this.#chainsByRules.set(prefix + key, name);
    this.chains.push({ name, hook: null, rules });
    return name;
  }

  #literal(rule: ResolvedFirewallRule, { inLink, outLink }: Placed): string[] {
    const verdict = this.#verdict(rule);
    const devices = [
      ...(inLink === null ? [] : [`iifname ${quoted(inLink)}`]),
      ...(outLink === null ? [] : [`oifname ${quoted(outLink)}`]),
    ];
    // Whoever scans ports must not fill the disk.
    const log = rule.isLogged ? [`limit rate 10/second log prefix "sallyport ${rule.action}: "`] : [];
    return familiesOf(rule).flatMap((family) => {
      const from = ofFamily(rule.from, family);
      const to = ofFamily(rule.to, family);
      const addresses = [
        ...(from === null ? [] : [`${this.#expression(`from${family}`)} ${addressesText(from)}`]),
        ...(to === null ? [] : [`${this.#expression(`to${family}`)} ${addressesText(to)}`]),
      ];
      return this.#protocolMatches(rule).flatMap((protocol) => {
        const matches = [...devices, ...addresses, ...protocol];
        return [...(log.length > 0 ? [[...matches, ...log].join(" ")] : []), [...matches, verdict].join(" ")];
      });
    });
  }

  /** Each alternative is a line of its own. */
  #protocolMatches({ protocol, ports }: ResolvedFirewallRule): string[][] {
    if (protocol === "icmp") return [["meta l4proto { icmp, ipv6-icmp }"]];
    if (ports.length === 0) return [protocol === null ? [] : [`meta l4proto ${protocol}`]];
    if (!this.#isOriginal)
      return [[`meta l4proto ${protocol ?? "{ tcp, udp }"}`, `th dport ${portsText(ports)}`]];
    const protocols = protocol === null ? ["tcp", "udp"] : [protocol];
    return protocols.flatMap((one) => ports.map((range) => [`${this.#port(one)} ${portRangeText(range)}`]));
  }

  /**
   * nft 1.0.6 knows what a port of `ct original` is only behind a match of one protocol, and lists sets of
   * them as something that it cannot read again; a range or a verdict map it can.
   */
  #port(protocol: string | null): string {
    return this.#isOriginal ? `meta l4proto ${protocol} ct original proto-dst` : "th dport";
  }

  #expression(part: Part): string {
    switch (part) {
      case "in":
        return "iifname";
      case "out":
        return "oifname";
      case "from4":
        return "ip saddr";
      case "from6":
        return "ip6 saddr";
      case "to4":
        return this.#isOriginal ? "ct original ip daddr" : "ip daddr";
      case "to6":
        return this.#isOriginal ? "ct original ip6 daddr" : "ip6 daddr";
      case "protocol":
        return "meta l4proto";
    }
  }
}

type PortVerdict = readonly [range: string, verdict: string];

function portLines(port: string, pairs: readonly PortVerdict[]): string[] {
  if (pairs.length <= SPELLED_PORTS_MAX) return pairs.map((pair) => `${port} ${pair.join(" ")}`);
  return [`${port} vmap { ${pairs.map((pair) => pair.join(" : ")).join(", ")} }`];
}

function countedEnd({ action }: ResolvedFirewallRule): string {
  return `counter ${action === "allow" ? "accept" : "drop"}`;
}

interface Placed {
  readonly inLink: string | null;
  readonly outLink: string | null;
}

/** Null when the rule names a network that the edge is not in: it can never match. */
function devicesOf(rule: ResolvedFirewallRule, { deviceOf }: FirewallOptions): Placed | null {
  const inLink = rule.in === null ? null : deviceOf(rule.in);
  const outLink = rule.out === null ? null : deviceOf(rule.out);
  if ((rule.in !== null && inLink === null) || (rule.out !== null && outLink === null)) return null;
  return { inLink, outLink };
}

/** The rule as keys of a lookup; null when it compares ranges, or too many. */
function entriesOf(rule: ResolvedFirewallRule, { inLink, outLink }: Placed): Entry[] | null {
  const singles = (set: AddressSet) => set === null || set.every(({ first, last }) => first === last);
  if (!singles(rule.from) || !singles(rule.to)) return null;
  if ((rule.from?.length ?? 1) * (rule.to?.length ?? 1) > EXPANSION_MAX) return null;
  if (keyBytes(rule) > KEY_BYTES_MAX) return null;
  const devices = [
    ...(inLink === null ? [] : [["in", quoted(inLink)] as const]),
    ...(outLink === null ? [] : [["out", quoted(outLink)] as const]),
  ];
  const alternatives = (set: AddressSet, family: 4 | 6, part: "from" | "to") =>
    ofFamily(set, family)?.map(({ first }) => [[`${part}${family}`, first] as const]) ?? [[]];
  return familiesOf(rule).flatMap((family) =>
    alternatives(rule.from, family, "from").flatMap((from) =>
      alternatives(rule.to, family, "to").flatMap((to) =>
        protocolsOf(rule).map((protocol): Entry => {
          const parts = [
            ...devices,
            ...from,
            ...to,
            ...(protocol === null ? [] : [["protocol", protocol] as const]),
          ];
          return {
            shape: parts.map(([part]) => part).join(" "),
            key: parts.map(([, value]) => value).join(" . "),
            protocol,
            ports: rule.ports,
            rule,
          };
        }),
      ),
    ),
  );
}

/** How much of nftables' registers a key takes: names of devices and IPv6 addresses 16 bytes, the rest 4. */
function keyBytes(rule: ResolvedFirewallRule): number {
  const address = familiesOf(rule).includes(6) ? 16 : 4;
  const devices = [rule.in, rule.out].filter((one) => one !== null).length;
  const addresses = [rule.from, rule.to].filter((one) => one !== null).length;
  return devices * 16 + addresses * address + 4;
}

function protocolsOf({ protocol, ports }: ResolvedFirewallRule): (string | null)[] {
  if (protocol === "icmp") return ["icmp", "ipv6-icmp"];
  if (protocol !== null) return [protocol];
  return ports.length > 0 ? ["tcp", "udp"] : [null];
}

/** The families that a rule can match; without addresses one line serves both. */
function familiesOf({ from, to }: ResolvedFirewallRule): (4 | 6)[] {
  if (from === null && to === null) return [4];
  const has = (set: AddressSet, family: 4 | 6) => set === null || ofFamily(set, family)!.length > 0;
  return ([4, 6] as const).filter((family) => has(from, family) && has(to, family));
}

export function ofFamily(set: AddressSet, family: 4 | 6): AddressSet {
  return set?.filter(({ first }) => familyOfIp(first) === family) ?? null;
}

/**
 * Ports that no earlier rule has: nft refuses intervals that overlap. One mark for each port, since thousands
 * of rules may name one address.
 */
export class FreePorts {
  // A single port, as nearly all rules have, is remembered without the marks.
  #first: PortRange | null = null;
  #marks: Uint8Array | null = null;

  /** What of `range` is still free, in ranges as long as can be; from now on it is not. */
  take(range: PortRange): PortRange[] {
    if (this.#first === null) {
      this.#first = range;
      return [range];
    }
    this.#marks ??= new Uint8Array(PORT_COUNT).fill(1, this.#first.first, this.#first.last + 1);
    const free: PortRange[] = [];
    let start: number | null = null;
    for (let port = range.first; port <= range.last + 1; port++) {
      const isFree = port <= range.last && this.#marks[port] === 0;
      if (isFree) start ??= port;
      else if (start !== null) {
        free.push({ first: start, last: port - 1 });
        start = null;
      }
    }
    this.#marks.fill(1, range.first, range.last + 1);
    return free;
  }
}
