// `hosts` and `fabric`: the Linux machines that carry the network, and the physical switches at the other
// end.

import { parseSubnet } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import {
  BOND_HASHES,
  BOND_MODES,
  type Bond,
  type FabricLag,
  type FabricPort,
  type FabricSwitch,
  type Host,
  type HostBridge,
  type HostInterface,
  type Route,
  type VlanInterface,
} from "../../model/datacenter.ts";
import { asMap, entry, type KeyTable, type KeyValues, key, readKeys, requiredKey } from "./keys.ts";
import {
  boolean,
  duration,
  integer,
  interfaceAddress,
  ip,
  mac,
  mtu,
  nameOf,
  routeTarget,
  speed,
  text,
  vlanId,
  vlanRange,
} from "./scalars.ts";
import {
  deviceNameFault,
  type JsonSchema,
  listOf,
  mapOf,
  nameFault,
  oneOrMore,
  type ValueType,
  word,
} from "./value-type.ts";

const MODE_MIX_UPS = {
  "802.1ad": "802.1ad is QinQ, a VLAN within a VLAN; link aggregation by LACP is 802.3ad.",
  "802.1ax": "802.1AX is today's name of the standard; the kernel calls the mode 802.3ad.",
  "802.1AX": "802.1AX is today's name of the standard; the kernel calls the mode 802.3ad.",
  lacp: "The kernel calls LACP 802.3ad.",
  "4": "Mode 4 is 802.3ad.",
  "1": "Mode 1 is active-backup.",
  "0": "Mode 0 is balance-rr.",
} as const;

const PROTOCOL_MIX_UPS = {
  "802.3ad": "802.3ad is link aggregation (LACP); a VLAN within a VLAN is 802.1ad.",
  "802.1q": "Write 802.1Q.",
  "802.1AD": "Write 802.1ad.",
  qinq: "The outer VLAN of QinQ is 802.1ad.",
} as const;

const SHARED = {
  addresses: key(oneOrMore(interfaceAddress), "Addresses with their prefix length."),
  mtu: key(mtu, "Bytes of the largest packet; 1500 unless said."),
} as const satisfies KeyTable;

const INTERFACE_KEYS = {
  mac: key(mac, "The card's MAC address."),
  speed: key(speed, "What the card can do, to find bonds of unequal members."),
  ...SHARED,
} as const satisfies KeyTable;

const BOND_KEYS = {
  links: requiredKey(oneOrMore(nameOf("an interface")), "The cards that are one link."),
  mode: key(
    word("a bonding mode", BOND_MODES, MODE_MIX_UPS),
    "One of the kernel's seven modes; balance-rr unless said.",
  ),
  hash: key(
    word("a transmit hash policy", BOND_HASHES),
    "What decides which card a flow takes; layer2 unless said.",
  ),
  "lacp-rate": key(
    word("a LACP rate", ["slow", "fast"]),
    "How often LACP speaks: every 30 s or every second.",
  ),
  "mii-monitor": key(
    duration,
    "How often the cards are asked for their link; without it a dead link stays in use.",
  ),
  "up-delay": key(duration, "How long a link must be up before it is used again."),
  "down-delay": key(duration, "How long a link must be down before it is given up."),
  "min-links": key(integer("a number of links", 0, 64), "With fewer links the bond itself goes down."),
  primary: key(nameOf("an interface"), "The card that active-backup prefers."),
  "arp-interval": key(duration, "Watch the links by ARP instead of by carrier."),
  "arp-targets": key(oneOrMore(ip), "Whom those questions are for."),
  "ad-select": key(word("an aggregator policy", ["stable", "bandwidth", "count"]), "Which aggregate wins."),
  ...SHARED,
} as const satisfies KeyTable;

const VLAN_KEYS = {
  link: requiredKey(nameOf("an interface"), "What the tagged frames go over."),
  id: requiredKey(vlanId, "The VLAN."),
  protocol: key(
    word("a VLAN protocol", ["802.1Q", "802.1ad"], PROTOCOL_MIX_UPS),
    "802.1Q, or 802.1ad for the outer VLAN of QinQ.",
  ),
  ...SHARED,
} as const satisfies KeyTable;

const BRIDGE_KEYS = {
  ports: requiredKey(oneOrMore(nameOf("an interface")), "What is bridged."),
  ...SHARED,
} as const satisfies KeyTable;

export const route: ValueType<Route> = entry(
  "a route",
  {
    to: requiredKey(routeTarget, "A subnet, an address, or `default`."),
    via: requiredKey(ip, "The router that knows the way."),
  },
  ({ to, via }, span) => {
    if (to === null || via === null) return undefined;
    const everything = parseSubnet(via.value.includes(":") ? "::/0" : "0.0.0.0/0")!.subnet;
    const value = to.value === "default" ? everything : to.value;
    return { to: { value, span: to.span }, via, span };
  },
);

const HOST_KEYS = {
  interfaces: key(devices("interfaces", INTERFACE_KEYS, toInterface), "Network cards."),
  bonds: key(devices("bonds", BOND_KEYS, toBond), "Cards that act as one."),
  vlans: key(devices("VLANs", VLAN_KEYS, toVlan), "VLAN devices of the host itself."),
  bridges: key(devices("bridges", BRIDGE_KEYS, toBridge), "Bridges of the host itself."),
  routes: key(listOf("routes", route), "The host's own routes."),
  forwarding: key(boolean, "Whether it routes between its interfaces."),
} as const satisfies KeyTable;

export const hosts: ValueType<readonly Host[]> = mapOf(
  "hosts",
  entry("a host", HOST_KEYS, () => undefined).schema,
  (name, node, report) => {
    const map = asMap(node, "a host", report);
    const values = map === null ? null : readKeys(map, "a host", HOST_KEYS, report);
    if (values === null) return undefined;
    return {
      name: name.value,
      span: name.span,
      interfaces: values.interfaces ?? [],
      bonds: values.bonds ?? [],
      vlans: values.vlans ?? [],
      bridges: values.bridges ?? [],
      routes: values.routes ?? [],
      forwarding: values.forwarding,
    };
  },
);

const LINK_KEYS = {
  trunk: key(oneOrMore(vlanRange), "VLANs that are carried with a tag."),
  native: key(vlanId, "The VLAN of frames without a tag; none unless said."),
  mtu: key(mtu, "The largest packet it carries."),
} as const satisfies KeyTable;

const PORT_KEYS = {
  to: key(text, "What is plugged in: `web-host/eth0`, or `tor-2/24` for another switch."),
  lag: key(nameOf("a LAG of this switch"), "The aggregate that it belongs to."),
  speed: key(speed, "What the port can do."),
  ...LINK_KEYS,
} as const satisfies KeyTable;

const LAG_KEYS = {
  lacp: key(
    word("a LACP mode", ["active", "passive", "off"]),
    "`off` is static aggregation; active unless said.",
  ),
  "lacp-rate": key(word("a LACP rate", ["slow", "fast"]), "How often it wants to hear from the other end."),
  hash: key(word("a hash policy", BOND_HASHES), "What decides which port a flow takes."),
  ...LINK_KEYS,
} as const satisfies KeyTable;

const FABRIC_KEYS = {
  ports: key(devices("ports", PORT_KEYS, toFabricPort), "Its ports, by number or name."),
  lags: key(devices("LAGs", LAG_KEYS, toFabricLag), "Ports that act as one."),
} as const satisfies KeyTable;

export const fabric: ValueType<readonly FabricSwitch[]> = mapOf(
  "physical switches",
  entry("a physical switch", FABRIC_KEYS, () => undefined).schema,
  (name, node, report) => {
    const map = asMap(node, "a physical switch", report);
    const values = map === null ? null : readKeys(map, "a physical switch", FABRIC_KEYS, report);
    if (values === null) return undefined;
    return { name: name.value, span: name.span, ports: values.ports ?? [], lags: values.lags ?? [] };
  },
);

/** Entries by the name of a device. */
export function devices<K extends KeyTable, T>(
  words: string,
  table: K,
  build: (name: string, span: Span, values: KeyValues<K>) => T | undefined,
  isName: (text: string) => string | null = deviceNameFault,
): ValueType<readonly T[]> {
  const schema: JsonSchema = entry(words, table, () => undefined).schema;
  const one = `an entry of ${words}`;
  return mapOf(
    words,
    schema,
    (name, node, report) => {
      const map = asMap(node, one, report);
      const values = map === null ? null : readKeys(map, one, table, report);
      return values === null ? undefined : build(name.value, name.span, values);
    },
    isName,
  );
}

/** `devices` for things whose names others refer to. */
export function named<K extends KeyTable, T>(
  words: string,
  table: K,
  build: (name: string, span: Span, values: KeyValues<K>) => T | undefined,
): ValueType<readonly T[]> {
  return devices(words, table, build, nameFault);
}

function toInterface(name: string, span: Span, values: KeyValues<typeof INTERFACE_KEYS>): HostInterface {
  return {
    name,
    span,
    mac: values.mac,
    speed: values.speed,
    addresses: values.addresses ?? [],
    mtu: values.mtu,
  };
}

function toBond(name: string, span: Span, values: KeyValues<typeof BOND_KEYS>): Bond {
  return {
    name,
    span,
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
  };
}

function toVlan(name: string, span: Span, values: KeyValues<typeof VLAN_KEYS>): VlanInterface | undefined {
  const { link, id, protocol, addresses, mtu: bytes } = values;
  if (link === null || id === null) return undefined;
  return { name, span, link, id, protocol, addresses: addresses ?? [], mtu: bytes };
}

function toBridge(name: string, span: Span, values: KeyValues<typeof BRIDGE_KEYS>): HostBridge {
  return { name, span, ports: values.ports ?? [], addresses: values.addresses ?? [], mtu: values.mtu };
}

function toFabricPort(name: string, span: Span, values: KeyValues<typeof PORT_KEYS>): FabricPort {
  const { to, lag, speed: rate, trunk, native, mtu: bytes } = values;
  return { name, span, to, lag, speed: rate, trunk: trunk ?? [], native, mtu: bytes };
}

function toFabricLag(name: string, span: Span, values: KeyValues<typeof LAG_KEYS>): FabricLag {
  const { lacp, hash, trunk, native, mtu: bytes } = values;
  return { name, span, lacp, lacpRate: values["lacp-rate"], hash, trunk: trunk ?? [], native, mtu: bytes };
}
