// `switches` and `networks`.

import type { Ip } from "../../base/ip.ts";
import { parseIp } from "../../base/ip.ts";
import {
  type DhcpSettings,
  type Located,
  type MirrorSession,
  type Network,
  type PortGroup,
  type PortGroupSecurity,
  type PortGroupVlan,
  SWITCH_FEATURES,
  SWITCH_VERSIONS,
  type Switch,
  type TrafficRule,
  type Uplink,
  type VlanId,
} from "../../model/datacenter.ts";
import { named } from "./host-keys.ts";
import { entry, type KeyTable, key, readKeys, requiredKey } from "./keys.ts";
import {
  boolean,
  duration,
  integer,
  ip,
  ipRange,
  mtu,
  nameOf,
  speed,
  subnet,
  text,
  vlanId,
  vlanRange,
} from "./scalars.ts";
import { readTrafficAction, TRAFFIC_KEYS, toTrafficMatch } from "./traffic-keys.ts";
import { complaint, listOf, mapOf, oneOrMore, scalar, type ValueType, word } from "./value-type.ts";

/** 5.1 without quotes is a number in YAML, and what people write. */
const switchVersion = scalar("a switch version", { enum: [...SWITCH_VERSIONS, 5.1, 5.5, 5, 6] }, (value) => {
  const version = SWITCH_VERSIONS.find((one) => one === (/^\d$/.test(value) ? `${value}.0` : value));
  if (version !== undefined) return { value: version };
  return complaint(
    "unknown-word",
    `there is no switch version ${value}`,
    `There are ${SWITCH_VERSIONS.join(", ")}.`,
  );
});

/** `20`, `none`, `{outer: 100, inner: 20}`, or `[10, 20-29]` for machines that tag by themselves. */
const portGroupVlan: ValueType<Located<PortGroupVlan>> = {
  words: "a VLAN, {outer, inner} for QinQ, a list for machines that tag themselves, or none",
  schema: {
    anyOf: [
      vlanId.schema,
      { const: "none" },
      {
        type: "object",
        properties: { outer: vlanId.schema, inner: vlanId.schema },
        required: ["outer", "inner"],
      },
      { type: "array", items: vlanRange.schema },
    ],
  },
  read(node, report) {
    const { span } = node;
    if (node.kind === "list") {
      const ranges = node.items.flatMap((item) => vlanRange.read(item, report)?.value ?? []);
      return { value: { kind: "trunk", ranges }, span };
    }
    if (node.kind === "map") {
      const table = { outer: requiredKey(vlanId, "802.1ad"), inner: requiredKey(vlanId, "802.1Q") };
      const values = readKeys(node, "a QinQ VLAN", table, report);
      if (values?.outer == null || values.inner === null) return undefined;
      return { value: { kind: "qinq", outer: values.outer.value, inner: values.inner.value }, span };
    }
    if (node.text === "none" || (node.text === "0" && !node.isQuoted))
      return { value: { kind: "none" }, span };
    const id = vlanId.read(node, report);
    return id === undefined ? undefined : { value: { kind: "access", id: id.value }, span };
  },
};

const verdict = word("accept or reject", ["accept", "reject"], {
  allow: "Write accept.",
  deny: "Write reject.",
});

const security: ValueType<PortGroupSecurity> = entry(
  "a security policy",
  {
    promiscuous: key(verdict, "Whether a machine may listen to what is for others."),
    "mac-changes": key(verdict, "Whether a machine may answer to another MAC than its own."),
    "forged-transmits": key(verdict, "Whether a machine may send from another MAC than its own."),
  },
  (values) => ({
    promiscuous: values.promiscuous,
    macChanges: values["mac-changes"],
    forgedTransmits: values["forged-transmits"],
  }),
);

const filter: ValueType<TrafficRule> = entry(
  "a traffic rule",
  {
    ...TRAFFIC_KEYS,
    allow: key(text, "The protocol that passes: any, tcp, udp or icmp."),
    drop: key(text, "The protocol that is dropped."),
    mark: key(text, "The protocol that is marked, with `dscp` or `cos`."),
    dscp: key(integer("a DSCP of 0 to 63", 0, 63), "Written into the packet's header."),
    cos: key(integer("a class of service of 0 to 7", 0, 7), "Written into the VLAN tag."),
  },
  (values, span, report) => {
    const { allow, drop, mark, dscp, cos } = values;
    const action = readTrafficAction({ allow, drop, mark }, span, report);
    if (action === null) return undefined;
    if (action.action.value === "mark" && dscp === null && cos === null) {
      report.error("missing-key", span, "a mark needs `dscp` or `cos`");
      return undefined;
    }
    const match = toTrafficMatch(action.protocol, values, report);
    return { action: action.action, match, dscp, cos, span };
  },
);

const PORT_GROUP_KEYS = {
  vlan: key(portGroupVlan, "The VLAN of its frames on the uplinks."),
  "notify-switches": key(boolean, "Announce machines' MACs at start and failover; true unless said."),
  security: key(security, "What machines may do with MAC addresses; all is rejected unless said."),
  filters: key(
    listOf("traffic rules", filter),
    "Traffic filtering and marking; the first that matches counts.",
  ),
  reservation: key(speed, "Bandwidth that each machine is sure of."),
} as const satisfies KeyTable;

const portGroups: ValueType<readonly PortGroup[]> = named(
  "port groups",
  PORT_GROUP_KEYS,
  (name, span, values) => ({
    name,
    span,
    vlan: values.vlan,
    notifySwitches: values["notify-switches"],
    security: values.security ?? { promiscuous: null, macChanges: null, forgedTransmits: null },
    filters: values.filters ?? [],
    reservation: values.reservation,
  }),
);

const uplinks: ValueType<readonly Uplink[]> = mapOf("uplinks", { type: "string" }, (host, node, report) => {
  const link = nameOf("an interface or bond").read(node, report);
  return link === undefined ? undefined : { host, link };
});

const remote = scalar("a VLAN or an address", { type: ["integer", "string"] }, (value) => {
  const address = parseIp(value);
  if (address !== null) return { value: address as VlanId | Ip };
  const id = /^\d+$/.test(value) ? Number(value) : 0;
  if (id >= 1 && id <= 4094) return { value: id as VlanId };
  return complaint("bad-vlan", `\`${value}\` is neither a VLAN nor an address`);
});

const mirror: ValueType<MirrorSession> = entry(
  "a mirror",
  {
    from: requiredKey(text, "A machine or port group whose traffic is copied."),
    to: key(text, "The machine that gets the copies."),
    remote: key(remote, "Instead: a VLAN (RSPAN) or an address (ERSPAN)."),
  },
  ({ from, to, remote: target }, span, report) => {
    if (from === null) return undefined;
    if (to === null && target === null) {
      report.error("missing-key", span, "a mirror needs `to` or `remote`");
      return undefined;
    }
    return { from, to, remote: target, span };
  },
);

const SWITCH_KEYS = {
  version: key(switchVersion, "Decides which features it may use; the newest unless said."),
  uplinks: key(uplinks, "The interface or bond of each host that the switch spans."),
  mtu: key(mtu, "The largest packet it carries; 1500 unless said."),
  features: key(oneOrMore(word("a feature of switches", SWITCH_FEATURES)), "What is switched on."),
  mirrors: key(listOf("mirrors", mirror), "Port mirroring."),
  "port-groups": key(portGroups, "Ports of one kind."),
} as const satisfies KeyTable;

export const switches: ValueType<readonly Switch[]> = named(
  "switches",
  SWITCH_KEYS,
  (name, span, values) => ({
    name,
    span,
    version: values.version,
    uplinks: values.uplinks ?? [],
    mtu: values.mtu,
    features: values.features ?? [],
    mirrors: values.mirrors ?? [],
    portGroups: values["port-groups"] ?? [],
  }),
);

const portGroupName = scalar("a port group such as dvs0/org", { type: "string" }, (value) => {
  const [switchName = "", portGroup = "", ...rest] = value.split("/");
  if (switchName !== "" && portGroup !== "" && rest.length === 0)
    return { value: { switch: switchName, portGroup } };
  return complaint("bad-name", `\`${value}\` is no port group`, "Write switch/port-group, such as dvs0/org.");
});

const dhcp: ValueType<DhcpSettings> = entry(
  "DHCP settings",
  {
    range: requiredKey(oneOrMore(ipRange), "Addresses that are given out."),
    lease: key(duration, "For how long; 12h unless said."),
    dns: key(oneOrMore(ip), "Name servers that are announced."),
    domain: key(text, "The domain that is announced."),
    server: key(nameOf("an edge"), "The edge that answers; the one with the gateway unless said."),
  },
  ({ range, lease, dns, domain, server }, span) => ({
    ranges: range ?? [],
    leaseMs: lease,
    dns: dns ?? [],
    domain,
    server,
    span,
  }),
);

const NETWORK_KEYS = {
  external: key(boolean, "Outside the datacentre: anybody may be there."),
  subnet: key(oneOrMore(subnet), "Its subnet; one of each family."),
  "port-group": key(portGroupName, "Where it is on a switch; without it is a segment of its own."),
  gateway: key(oneOrMore(ip), "The router of its machines."),
  pool: key(oneOrMore(ipRange), "Addresses for what asks for one: fences, machines without address."),
  dhcp: key(dhcp, "Give addresses to who asks."),
} as const satisfies KeyTable;

export const networks: ValueType<readonly Network[]> = named(
  "networks",
  NETWORK_KEYS,
  (name, span, values) => ({
    name,
    span,
    external: values.external,
    subnets: values.subnet ?? [],
    portGroup: values["port-group"],
    gateways: values.gateway ?? [],
    pools: values.pool ?? [],
    dhcp: values.dhcp,
  }),
);
