// NAT rules: four kinds, told apart by their first key.
import type { NatRule } from "../../model/datacenter.ts";
import { ip } from "./address-values.ts";
import { choice, entry, essentialKey, key } from "./keys.ts";
import { port, portRange } from "./number-values.ts";
import { boolean, endpoint, nameOf } from "./text-values.ts";
import { protocol } from "./traffic-keys.ts";
import type { ValueType } from "./value-type.ts";

const HAIRPIN = key(boolean, "Whether inside clients that use the outside address are translated as well.", {
  example: "true",
  default: "false",
});

const snat: ValueType<NatRule> = entry(
  {
    id: "snat",
    words: "an SNAT rule",
    doc: "Gives packets that leave another source address: `{snat: org, to: 203.0.113.10}`.",
    table: {
      snat: essentialKey(endpoint, "Whose packets.", { example: "org" }),
      to: essentialKey(ip, "The address that they get, one of the edge's own.", { example: "203.0.113.10" }),
      out: key(nameOf("a network"), "Only what leaves to this network.", {
        example: "internet",
        default: "the network of `to`",
      }),
    },
  },
  ({ snat: from, to, out }, { span }) => ({ kind: "snat", from, to, out, span }),
);

const masquerade: ValueType<NatRule> = entry(
  {
    id: "masquerade",
    words: "a masquerade rule",
    doc: "Gives packets the address of the interface by which they leave: `{masquerade: org, out: internet}`.",
    table: {
      masquerade: essentialKey(endpoint, "Whose packets.", { example: "org" }),
      out: essentialKey(nameOf("a network"), "The network that they leave to.", { example: "internet" }),
    },
  },
  ({ masquerade: from, out }, { span }) => ({ kind: "masquerade", from, out, span }),
);

const dnat: ValueType<NatRule> = entry(
  {
    id: "dnat",
    words: "a DNAT rule",
    doc: "Sends on what comes to an outside address: `{dnat: 203.0.113.10, protocol: tcp, port: 8001, to: web-001, to-port: 80}`.",
    table: {
      dnat: essentialKey(ip, "The outside address.", { example: "203.0.113.10" }),
      protocol: key(protocol, "Only this protocol.", { example: "tcp", default: "all" }),
      port: key(portRange, "Only these ports.", { example: "8001", default: "all" }),
      to: essentialKey(endpoint, "Where the packets go.", { example: "web-001" }),
      "to-port": key(port, "The port there, the first one when `port` is several.", {
        example: "80",
        default: "as it came",
      }),
      hairpin: HAIRPIN,
    },
  },
  (values, place, reading) => {
    const { dnat: address, protocol: ofRule, port: ports, to, "to-port": toPort, hairpin } = values;
    if (ports !== null && (ofRule === null || ofRule.value === "icmp"))
      reading.error(
        "ports-without-protocol",
        place.keySpan("port"),
        "`port` needs `protocol: tcp` or `protocol: udp`",
      );
    if (toPort !== null && ports === null)
      reading.error(
        "ports-without-protocol",
        place.keySpan("to-port"),
        "`to-port` needs `port`: which becomes this one?",
      );
    return { kind: "dnat", address, protocol: ofRule, ports, to, toPort, hairpin, span: place.span };
  },
);

const oneToOne: ValueType<NatRule> = entry(
  {
    id: "one-to-one",
    words: "a one-to-one rule",
    doc: "Exchanges an outside and an inside address, in both directions: `{one-to-one: 203.0.113.11, to: nas}`.",
    table: {
      "one-to-one": essentialKey(ip, "The outside address.", { example: "203.0.113.11" }),
      to: essentialKey(endpoint, "Whose address it is.", { example: "nas" }),
      hairpin: HAIRPIN,
    },
  },
  ({ "one-to-one": address, to, hairpin }, { span }) => ({ kind: "one-to-one", address, to, hairpin, span }),
);

export const natRule: ValueType<NatRule> = choice("a NAT rule", {
  snat,
  masquerade,
  dnat,
  "one-to-one": oneToOne,
});
