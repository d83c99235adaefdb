// `edges`: routers with firewall, NAT and load balancer.

import type { Span } from "../../diagnostic/span.ts";
import type {
  Edge,
  EdgeInterface,
  Firewall,
  FirewallRule,
  Located,
  NatRule,
} from "../../model/datacenter.ts";
import { named, route } from "./host-keys.ts";
import { entry, type KeyTable, type KeyValues, key, readKeys } from "./keys.ts";
import type { Report } from "./report.ts";
import { boolean, endpoint, ip, mac, nameOf, port, portRange, text } from "./scalars.ts";
import { protocol, readTrafficAction, TRAFFIC_KEYS, toTrafficMatch } from "./traffic-keys.ts";
import { listOf, mapOf, oneOrMore, type ValueType, word } from "./value-type.ts";

const firewallRule: ValueType<FirewallRule> = entry(
  "a firewall rule",
  {
    allow: key(text, "The protocol that passes: any, tcp, udp or icmp."),
    deny: key(text, "The protocol that is dropped."),
    ...TRAFFIC_KEYS,
    log: key(boolean, "Log what this rule decides."),
  },
  (values, span, report) => {
    const { allow, deny } = values;
    const action = readTrafficAction({ allow, deny }, span, report);
    if (action === null) return undefined;
    const match = toTrafficMatch(action.protocol, values, report);
    return { action: action.action, match, log: values.log, span };
  },
);

export const firewall: ValueType<Firewall> = entry(
  "a firewall",
  {
    default: key(word("allow or deny", ["allow", "deny"]), "For what no rule matches; deny unless said."),
    match: key(
      word("original or translated", ["original", "translated"]),
      "Whether rules name addresses from before or after translation; original unless said.",
    ),
    rules: key(listOf("firewall rules", firewallRule), "The first that matches counts; answers always pass."),
  },
  (values, span) => ({ default: values.default, match: values.match, rules: values.rules ?? [], span }),
);

const NAT_KEYS = {
  snat: key(endpoint, "Whose source address is replaced."),
  masquerade: key(endpoint, "The same, by the address of the interface that it leaves from."),
  dnat: key(ip, "The outside address whose packets go to `to`."),
  "one-to-one": key(ip, "The outside address that is `to`, in both directions."),
  to: key(endpoint, "What the address is replaced by."),
  out: key(nameOf("a network"), "Only what leaves to this network."),
  protocol: key(protocol, "Only this protocol."),
  port: key(portRange, "Only these ports."),
  "to-port": key(port, "The port there; as it came unless said."),
  hairpin: key(boolean, "Also for inside clients that use the outside address."),
} as const satisfies KeyTable;
type NatValues = KeyValues<typeof NAT_KEYS>;

const NAT_KINDS = ["snat", "masquerade", "dnat", "one-to-one"] as const;
const NAT_KEYS_BY_KIND = {
  snat: ["to", "out"],
  masquerade: ["out"],
  dnat: ["to", "protocol", "port", "to-port", "hairpin"],
  "one-to-one": ["to", "hairpin"],
} as const satisfies Record<(typeof NAT_KINDS)[number], readonly (keyof NatValues)[]>;

const natRule: ValueType<NatRule> = entry("a NAT rule", NAT_KEYS, toNatRule);

function toNatRule(values: NatValues, span: Span, report: Report): NatRule | undefined {
  const said = NAT_KINDS.filter((name) => values[name] !== null);
  const [kind, second] = said;
  if (kind === undefined || second !== undefined) {
    const place = second === undefined ? span : values[second]!.span;
    report.error("rule-action", place, "a NAT rule is one of `snat`, `masquerade`, `dnat` and `one-to-one`");
    return undefined;
  }
  const allowed: readonly string[] = NAT_KEYS_BY_KIND[kind];
  for (const [name, value] of Object.entries(values)) {
    if (value === null || name === kind || allowed.includes(name)) continue;
    report.error("unknown-key", value.span, `\`${kind}\` has no \`${name}\``, {
      help: `With it go ${allowed.map((one) => `\`${one}\``).join(", ")}.`,
    });
    return undefined;
  }
  const { to, out, hairpin } = values;
  if (kind === "masquerade") {
    if (out !== null) return { kind, from: values.masquerade!, out, span };
    report.error("missing-key", span, "`masquerade` needs `out`, the network that it leaves to");
    return undefined;
  }
  if (to === null) {
    report.error("missing-key", span, `\`${kind}\` needs \`to\``);
    return undefined;
  }
  if (kind === "snat") {
    if (to.value.kind === "address")
      return { kind, from: values.snat!, to: { value: to.value.ip, span: to.span }, out, span };
    report.error("bad-address", to.span, "`snat` is to an address of the edge", {
      help: "To take whatever address the interface has, write `masquerade`.",
    });
    return undefined;
  }
  if (kind === "one-to-one") return { kind, address: values["one-to-one"]!, to, hairpin, span };
  const { protocol: ofRule, port: ports, "to-port": toPort } = values;
  if (ports !== null && (ofRule === null || ofRule.value === "icmp")) {
    report.error("ports-without-protocol", ports.span, "a port needs `protocol: tcp` or `protocol: udp`");
    return undefined;
  }
  if (toPort !== null && ports === null) {
    report.error(
      "ports-without-protocol",
      toPort.span,
      "`to-port` needs `port`: which port becomes this one?",
    );
    return undefined;
  }
  return { kind, address: values.dnat!, protocol: ofRule, ports, to, toPort, hairpin, span };
}

const INTERFACE_KEYS = {
  address: key(oneOrMore(ip), "Its addresses; the first is its own, the others for NAT and load balancer."),
  addresses: key(oneOrMore(ip), "The same as `address`."),
  mac: key(mac, "Its MAC address; made from its name unless said."),
} as const satisfies KeyTable;

/** `internet: 203.0.113.10`, `internet: [203.0.113.10, 203.0.113.11]`, `internet: {address: …, mac: …}`. */
const interfaces: ValueType<readonly EdgeInterface[]> = mapOf(
  "interfaces, as `network: address`",
  { anyOf: [oneOrMore(ip).schema, entry("an interface", INTERFACE_KEYS, () => undefined).schema] },
  (network, node, report) => {
    const { span } = network;
    if (node.kind !== "map") {
      const addresses = oneOrMore(ip).read(node, report) ?? [];
      return { network, addresses, mac: null, span };
    }
    const values = readKeys(node, "an interface", INTERFACE_KEYS, report);
    if (values === null) return undefined;
    return {
      network,
      addresses: [...(values.address ?? []), ...(values.addresses ?? [])],
      mac: values.mac,
      span,
    };
  },
);

const EDGE_KEYS = {
  host: key(nameOf("a host"), "Where it runs; the only host unless said."),
  interfaces: key(interfaces, "The networks it is in, and its addresses there."),
  routes: key(listOf("routes", route), "Where to send what is in none of its networks."),
  firewall: key(firewall, "What may pass through it, and to it."),
  nat: key(listOf("NAT rules", natRule), "Translation of addresses; the first that matches counts."),
  "load-balancer": key(text, "An haproxy.cfg that is served inside this edge."),
} as const satisfies KeyTable;

export const edges: ValueType<readonly Edge[]> = named("edges", EDGE_KEYS, (name, span, values) => ({
  name,
  span,
  host: values.host,
  interfaces: values.interfaces ?? [],
  routes: values.routes ?? [],
  firewall: values.firewall,
  nat: values.nat ?? [],
  loadBalancer: values["load-balancer"] as Located<string> | null,
}));
