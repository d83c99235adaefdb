// `networks`, with their DHCP.
import type { DhcpSettings, Network } from "../../model/datacenter.ts";
import { ip, ipRange, subnet } from "./address-values.ts";
import { entry, key, namedEntries, requiredKey } from "./keys.ts";
import { duration } from "./number-values.ts";
import { boolean, nameOf, text } from "./text-values.ts";
import { complaint, oneOrMore, scalar, type ValueType } from "./value-type.ts";

const portGroupName = scalar("a port group such as dvs0/org", { type: "string" }, (value) => {
  const [switchName = "", portGroup = "", ...rest] = value.split("/");
  if (switchName !== "" && portGroup !== "" && rest.length === 0)
    return { value: { switch: switchName, portGroup } };
  return complaint("bad-name", `\`${value}\` is no port group`, "Write switch/port-group, such as dvs0/org.");
});

const dhcp: ValueType<DhcpSettings> = entry(
  {
    id: "dhcp",
    words: "DHCP settings",
    doc: "Addresses for who asks. Machines with `address: dhcp` and a MAC get the same each time.",
    table: {
      range: requiredKey(oneOrMore(ipRange), "Addresses that are given out.", {
        example: "192.168.10.50-192.168.10.99",
      }),
      lease: key(duration("s"), "For how long.", { example: "1h", default: "12h" }),
      dns: key(oneOrMore(ip), "Name servers that are announced.", { example: "192.168.10.1" }),
      domain: key(text("a domain"), "The domain that is announced.", { example: "company.internal" }),
      server: key(nameOf("an edge"), "The edge that answers.", {
        example: "org-edge",
        default: "the one that has the network's gateway, else one made for it",
      }),
    },
  },
  ({ range, lease, dns, domain, server }, { span }) => ({
    ranges: range ?? [],
    leaseMs: lease,
    dns: dns ?? [],
    domain,
    server,
    span,
  }),
);

export const networks: ValueType<readonly Network[]> = namedEntries(
  "networks",
  {
    id: "network",
    words: "a network",
    doc: "A network that machines and edges are in.",
    table: {
      external: key(boolean, "Whether it is outside the datacentre, so that anybody may be there.", {
        example: "true",
        default: "false",
      }),
      subnet: requiredKey(oneOrMore(subnet), "Its subnet, one of each family.", {
        example: "192.168.10.0/24",
      }),
      "port-group": key(portGroupName, "Where it is on a switch.", {
        example: "dvs0/org",
        default: "a segment of its own that no other network shares",
      }),
      gateway: key(oneOrMore(ip), "The router of its machines.", { example: "192.168.10.1" }),
      pool: key(
        oneOrMore(ipRange),
        "Addresses for what asks for one: fences, publications, machines without.",
        {
          example: "192.168.10.100-192.168.10.199",
        },
      ),
      dhcp: key(dhcp, "Gives addresses to who asks.", { example: "{range: 192.168.10.50-192.168.10.99}" }),
    },
  },
  (named, values, _place, reading) => {
    const subnets = values.subnet ?? [];
    for (const [index, { value, span }] of subnets.entries()) {
      const first = subnets.slice(0, index).find((other) => other.value.family === value.family);
      if (first === undefined) continue;
      reading.error("second-subnet", span, `the network has a subnet of IPv${value.family} already`, {
        help: "Make it a network of its own; one edge can be in both.",
        related: [{ span: first.span, message: "the first is here" }],
      });
    }
    return {
      ...named,
      external: values.external,
      subnets,
      portGroup: values["port-group"],
      gateways: values.gateway ?? [],
      pools: values.pool ?? [],
      dhcp: values.dhcp,
    };
  },
);
