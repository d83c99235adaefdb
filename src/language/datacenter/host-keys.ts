// `hosts`: the Linux machines that carry the network, with their cards, bonds, VLANs and bridges.
import {
  BOND_HASHES,
  BOND_MODES,
  type Bond,
  type Host,
  type HostBridge,
  type HostInterface,
  type Located,
  type VlanInterface,
} from "../../model/datacenter.ts";
import { interfaceAddress, ip, mac } from "./address-values.ts";
import { essentialKey, key, namedEntries, requiredKey } from "./keys.ts";
import { duration, integer, mtu, speed, vlanId } from "./number-values.ts";
import { route } from "./route-keys.ts";
import { boolean, nameOf } from "./text-values.ts";
import { complaint, interfaceNameFault, listOf, oneOrMore, type ValueType, word } from "./value-type.ts";

const AGGREGATION_IS_AD = complaint(
  "mixed-up-standard",
  "802.1ad is QinQ, a VLAN inside a VLAN; link aggregation by LACP is 802.3ad",
  "Write `mode: 802.3ad`.",
);

const MODE_MIX_UPS = {
  "802.1ad": AGGREGATION_IS_AD,
  "802.1ax": "802.1AX is the standard's name of today; the kernel calls the mode 802.3ad.",
  lacp: "The kernel calls LACP 802.3ad.",
  ...Object.fromEntries(BOND_MODES.map((mode, number) => [String(number), `Mode ${number} is ${mode}.`])),
} as const;

const QINQ_IS_1AD = complaint(
  "mixed-up-standard",
  "802.3ad is link aggregation by LACP; a VLAN inside a VLAN (QinQ) is 802.1ad",
  "Write `protocol: 802.1ad`.",
);

const PROTOCOL_MIX_UPS = {
  "802.3ad": QINQ_IS_1AD,
  "802.1ax": { ...QINQ_IS_1AD, message: QINQ_IS_1AD.message.replace("802.3ad", "802.1AX") },
  "802.1q": "Write 802.1Q.",
  "802.1ad": "Write 802.1ad.",
  qinq: "The outer VLAN of QinQ is 802.1ad.",
} as const;

const SHARED = {
  addresses: key(oneOrMore(interfaceAddress), "Addresses with their prefix length.", {
    example: "192.168.10.1/24",
  }),
  mtu: key(mtu, "Bytes of the largest packet that it sends.", { example: "9000", default: "1500" }),
};

const interfaces: ValueType<readonly HostInterface[]> = namedEntries(
  "network cards",
  {
    id: "host-interface",
    words: "a network card",
    doc: "A network card of a host. A card of which nothing is known is `eth0: {}`.",
    table: {
      mac: key(mac, "The card's MAC address.", { example: '"00:25:90:aa:00:01"' }),
      speed: key(speed, "What the card can do; the members of a bond are compared by it.", {
        example: "10G",
      }),
      ...SHARED,
    },
  },
  (named, { mac: ofCard, speed: rate, addresses, mtu: bytes }) => ({
    ...named,
    mac: ofCard,
    speed: rate,
    addresses: addresses ?? [],
    mtu: bytes,
  }),
  interfaceNameFault,
);

const bonds: ValueType<readonly Bond[]> = namedEntries(
  "bonds",
  {
    id: "bond",
    words: "a bond",
    doc: "Several cards that act as one (Linux bonding, on switches: LAG, port channel, EtherChannel).",
    table: {
      links: requiredKey(oneOrMore(nameOf("an interface")), "The cards that are bonded.", {
        example: "[eth0, eth1]",
      }),
      mode: key(word("a bonding mode", BOND_MODES, MODE_MIX_UPS), "One of the kernel's seven modes.", {
        example: "802.3ad",
        default: "balance-rr",
      }),
      hash: key(
        word("a transmit hash policy", BOND_HASHES),
        "What decides which card a flow takes: MACs, addresses, or ports as well.",
        { example: "layer3+4", default: "layer2" },
      ),
      "lacp-rate": key(
        word("a LACP rate", ["slow", "fast"]),
        "How often LACP speaks: every 30 seconds or every second.",
        { example: "fast", default: "slow" },
      ),
      "mii-monitor": key(
        duration("ms"),
        "How often the cards are asked whether their link is up; without it a dead link stays in use.",
        { example: "100ms", default: "never" },
      ),
      "up-delay": key(duration("ms"), "How long a link must be up before it is used again.", {
        example: "200ms",
      }),
      "down-delay": key(duration("ms"), "How long a link must be down before it is given up.", {
        example: "200ms",
      }),
      "min-links": key(
        integer("a number of links", 0, 64),
        "With fewer links than these the bond itself goes down.",
        { example: "1", default: "0" },
      ),
      primary: key(nameOf("an interface"), "The card that `active-backup` prefers.", { example: "eth0" }),
      "arp-interval": key(duration("ms"), "Watch the links by ARP instead, this often.", { example: "1s" }),
      "arp-targets": key(oneOrMore(ip), "Whom these ARP requests ask for.", { example: "192.168.10.1" }),
      "ad-select": key(
        word("an aggregator policy", ["stable", "bandwidth", "count"]),
        "Which aggregate 802.3ad uses when there are several.",
        { example: "bandwidth", default: "stable" },
      ),
      ...SHARED,
    },
  },
  (named, values) => ({
    ...named,
    links: values.links ?? [],
    mode: values.mode,
    hash: values.hash,
    lacpRate: values["lacp-rate"],
    miiMonitorMs: values["mii-monitor"],
    upDelayMs: values["up-delay"],
    downDelayMs: values["down-delay"],
    minLinks: values["min-links"],
    primary: values.primary,
    arpIntervalMs: values["arp-interval"],
    arpTargets: values["arp-targets"] ?? [],
    adSelect: values["ad-select"],
    addresses: values.addresses ?? [],
    mtu: values.mtu,
  }),
  interfaceNameFault,
);

const vlanProtocol: ValueType<Located<"802.1Q" | "802.1ad">> = word(
  "a VLAN protocol",
  ["802.1Q", "802.1ad"],
  PROTOCOL_MIX_UPS,
);

const vlans: ValueType<readonly VlanInterface[]> = namedEntries(
  "VLANs",
  {
    id: "vlan-interface",
    words: "a VLAN",
    doc: "A VLAN device of the host itself, over a card, a bond, a bridge or another VLAN.",
    table: {
      link: essentialKey(nameOf("an interface"), "What its tagged frames go over.", { example: "bond0" }),
      id: essentialKey(vlanId, "The VLAN.", { example: "10" }),
      protocol: key(vlanProtocol, "Its kind of tag; the outer VLAN of QinQ has 802.1ad.", {
        example: "802.1ad",
        default: "802.1Q",
      }),
      ...SHARED,
    },
  },
  (named, { link, id, protocol, addresses, mtu: bytes }) => ({
    ...named,
    link,
    id,
    protocol,
    addresses: addresses ?? [],
    mtu: bytes,
  }),
  interfaceNameFault,
);

const bridges: ValueType<readonly HostBridge[]> = namedEntries(
  "bridges",
  {
    id: "bridge",
    words: "a bridge",
    doc: "A bridge of the host itself. The bridges that switches and networks need are made without being named.",
    table: {
      ports: requiredKey(oneOrMore(nameOf("an interface")), "What is bridged.", {
        example: "[eth2, bond0.10]",
      }),
      ...SHARED,
    },
  },
  (named, { ports, addresses, mtu: bytes }) => ({
    ...named,
    ports: ports ?? [],
    addresses: addresses ?? [],
    mtu: bytes,
  }),
  interfaceNameFault,
);

export const hosts: ValueType<readonly Host[]> = namedEntries(
  "hosts",
  {
    id: "host",
    words: "a host",
    doc: "A Linux machine that carries the network. Without any, everything is on the machine that runs Sallyport.",
    table: {
      interfaces: key(interfaces, "Its network cards.", { example: "{eth0: {speed: 10G}}" }),
      bonds: key(bonds, "Cards that act as one."),
      vlans: key(vlans, "VLAN devices."),
      bridges: key(bridges, "Bridges."),
      routes: key(listOf("routes", route), "Where it sends what is in none of its subnets."),
      forwarding: key(boolean, "Whether it routes between its interfaces.", { default: "false" }),
    },
  },
  (named, values) => ({
    ...named,
    interfaces: values.interfaces ?? [],
    bonds: values.bonds ?? [],
    vlans: values.vlans ?? [],
    bridges: values.bridges ?? [],
    routes: values.routes ?? [],
    forwarding: values.forwarding,
  }),
);
