// `edges`: routers with firewall, NAT and load balancer. The firewall is that of vApps as well.
import type { Edge, EdgeInterface, Firewall, FirewallRule } from "../../model/datacenter.ts";
import { ip, mac } from "./address-values.ts";
import { entry, key, namedEntries } from "./keys.ts";
import { natRule } from "./nat-keys.ts";
import { route } from "./route-keys.ts";
import { boolean, nameOf, text } from "./text-values.ts";
import { actionKey, readAction, TRAFFIC_KEYS, toTrafficMatch } from "./traffic-keys.ts";
import { listOf, mapOf, oneOrMore, type ValueType, word } from "./value-type.ts";

const firewallRule: ValueType<FirewallRule> = entry(
  {
    id: "firewall-rule",
    words: "a firewall rule",
    doc: "A rule of a firewall: `{allow: tcp, from: internet, to: 203.0.113.10, ports: [80, 443]}`.",
    table: {
      allow: actionKey("Lets pass what matches."),
      deny: actionKey("Drops what matches."),
      ...TRAFFIC_KEYS,
      log: key(boolean, "Whether what this rule decides is logged.", { example: "true", default: "false" }),
    },
  },
  (values, place, reading) => {
    const action = readAction(values, ["allow", "deny"], place, reading);
    if (action === null) return undefined;
    const match = toTrafficMatch(action.protocol, values, reading);
    return { action: action.action, match, log: values.log, span: place.span };
  },
);

export const firewall: ValueType<Firewall> = entry(
  {
    id: "firewall",
    words: "a firewall",
    doc: "What may pass. The first rule that matches counts; answers to what was allowed always pass.",
    table: {
      default: key(
        word("allow or deny", ["allow", "deny"], {
          accept: "Write allow.",
          drop: "Write deny.",
          reject: "Write deny.",
        }),
        "What becomes of packets that no rule matches.",
        { example: "deny", default: "deny" },
      ),
      match: key(
        word("original or translated", ["original", "translated"]),
        "Whether rules name addresses from before or after translation.",
        { example: "original", default: "original, as on vShield edges" },
      ),
      rules: key(listOf("firewall rules", firewallRule), "Its rules, in order."),
    },
  },
  (values, { span }) => ({ default: values.default, match: values.match, rules: values.rules ?? [], span }),
);

const addresses = oneOrMore(ip);

const wholeInterface = entry(
  {
    id: "edge-interface",
    words: "an interface of an edge",
    doc: "What an edge has in a network, where its addresses alone do not say it.",
    table: {
      address: key(
        addresses,
        "Its addresses: the first is its own, the others are for NAT and load balancer.",
        {
          example: "[203.0.113.10, 203.0.113.11]",
        },
      ),
      mac: key(mac, "Its MAC address.", { example: '"00:50:56:00:00:01"', default: "made from its name" }),
    },
  },
  ({ address, mac: ofInterface }) => ({ addresses: address ?? [], mac: ofInterface }),
);

/** `internet: 203.0.113.10`, `internet: [203.0.113.10, 203.0.113.11]`, `internet: {address: …, mac: …}`. */
const edgeInterface: ValueType<Pick<EdgeInterface, "addresses" | "mac">> = {
  words: "its addresses",
  schema: { anyOf: [addresses.schema, wholeInterface.schema] },
  nested: wholeInterface.nested!,
  read(node, reading) {
    if (node.kind === "map") return wholeInterface.read(node, reading);
    return { addresses: addresses.read(node, reading) ?? [], mac: null };
  },
};

const interfaceMap = mapOf("interfaces", edgeInterface);
const interfaces: ValueType<readonly EdgeInterface[]> = {
  ...interfaceMap,
  read: (node, reading) =>
    interfaceMap
      .read(node, reading)
      ?.map(({ name, value }) => ({ network: name, span: name.span, ...value })),
};

export const edges: ValueType<readonly Edge[]> = namedEntries(
  "edges",
  {
    id: "edge",
    words: "an edge",
    doc: "A router between networks, with firewall, NAT, DHCP and load balancer.",
    table: {
      host: key(nameOf("a host"), "Where it runs.", { example: "web-host", default: "the only host" }),
      interfaces: key(interfaces, "The networks it is in, each with its addresses there.", {
        example: "{internet: 203.0.113.10, org: 192.168.10.1}",
      }),
      routes: key(listOf("routes", route), "Where it sends what is in none of its networks."),
      firewall: key(firewall, "What may pass through it, and reach itself.", {
        default: "nothing but answers",
      }),
      nat: key(listOf("NAT rules", natRule), "Translation of addresses; the first rule that matches counts."),
      "load-balancer": key(
        text("a file"),
        "An haproxy.cfg that is served inside it, relative to this file.",
        {
          example: "company.cfg",
        },
      ),
    },
  },
  (named, values) => ({
    ...named,
    host: values.host,
    interfaces: values.interfaces ?? [],
    routes: values.routes ?? [],
    firewall: values.firewall,
    nat: values.nat ?? [],
    loadBalancer: values["load-balancer"],
  }),
);
