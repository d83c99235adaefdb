// `switches` and their port groups.
import { type Ip, parseIp } from "../../base/ip.ts";
import {
  type Located,
  type MirrorSession,
  type PortGroup,
  type PortGroupSecurity,
  type PortGroupVlan,
  SWITCH_FEATURES,
  SWITCH_VERSIONS,
  type Switch,
  type SwitchVersion,
  type TrafficRule,
  type Uplink,
  type VlanId,
} from "../../model/datacenter.ts";
import { entry, essentialKey, key, namedEntries } from "./keys.ts";
import { integer, mtu, parseVlanRangeWord, speed, vlanId, vlanRange } from "./number-values.ts";
import { boolean, nameOf, text } from "./text-values.ts";
import { actionKey, readAction, TRAFFIC_KEYS, toTrafficMatch } from "./traffic-keys.ts";
import { complaint, listOf, mapOf, oneOrMore, scalar, type ValueType, word } from "./value-type.ts";

/** 5.1 without quotes is a number in YAML, and what people write; so is 6 for 6.0. */
const switchVersion: ValueType<Located<SwitchVersion>> = scalar(
  "a switch version",
  { enum: [...SWITCH_VERSIONS, ...SWITCH_VERSIONS.map(Number)] },
  (value) => {
    const version = SWITCH_VERSIONS.find((one) => one === (/^\d+$/.test(value) ? `${value}.0` : value));
    if (version !== undefined) return { value: version };
    return complaint(
      "unknown-word",
      `there is no switch version ${value}`,
      `There are ${SWITCH_VERSIONS.join(", ")}.`,
    );
  },
);

const qinq = entry(
  {
    id: "qinq",
    words: "a QinQ VLAN",
    doc: "A VLAN inside a VLAN (802.1ad).",
    table: {
      outer: essentialKey(vlanId, "The provider's VLAN, with a tag of 802.1ad.", { example: "100" }),
      inner: essentialKey(vlanId, "The customer's VLAN, with a tag of 802.1Q.", { example: "20" }),
    },
  },
  ({ outer, inner }) => ({ outer: outer.value, inner: inner.value }),
);

/** `20`, `none`, `{outer: 100, inner: 20}`, or `[10, 20-29]` for machines that tag by themselves. */
const portGroupVlan: ValueType<Located<PortGroupVlan>> = {
  words: "a VLAN, {outer, inner} for QinQ, a list or range for machines that tag by themselves, or `none`",
  schema: {
    anyOf: [vlanId.schema, { type: "string" }, { type: "array", items: vlanRange.schema }, qinq.schema],
  },
  nested: qinq.nested!,
  read(node, reading) {
    const { span } = node;
    if (node.kind === "list") {
      const ranges = node.items.flatMap((item) => vlanRange.read(item, reading)?.value ?? []);
      return { value: { kind: "trunk", ranges }, span };
    }
    if (node.kind === "map") {
      const tags = qinq.read(node, reading);
      return tags === undefined ? undefined : { value: { kind: "qinq", ...tags }, span };
    }
    return vlanWord.read(node, reading);
  },
};

const vlanWord: ValueType<Located<PortGroupVlan>> = scalar<PortGroupVlan>("a VLAN or `none`", {}, (value) => {
  if (value === "none") return { value: { kind: "none" } };
  if (value === "0") return complaint("bad-vlan", "0 is no VLAN", "Write `none` for frames without a tag.");
  if (value === "4095")
    return complaint("bad-vlan", "4095 is no VLAN", "Write `1-4094` for machines that tag by themselves.");
  const range = parseVlanRangeWord(value);
  if (!("value" in range)) return range;
  if (value.includes("-")) return { value: { kind: "trunk", ranges: [range.value] } };
  return { value: { kind: "access", id: range.value.first } };
});

const verdict = word("accept or reject", ["accept", "reject"], {
  allow: "Write accept.",
  deny: "Write reject.",
  true: "Write accept.",
  false: "Write reject.",
});

const security: ValueType<PortGroupSecurity> = entry(
  {
    id: "port-group-security",
    words: "a security policy",
    doc: "What machines of a port group may do with MAC addresses. All is rejected unless said.",
    table: {
      promiscuous: key(verdict, "Whether a machine may listen to what is for others.", {
        example: "accept",
        default: "reject",
      }),
      "mac-changes": key(verdict, "Whether a machine may answer to another MAC than its own.", {
        example: "accept",
        default: "reject",
      }),
      "forged-transmits": key(verdict, "Whether a machine may send from another MAC than its own.", {
        example: "accept",
        default: "reject",
      }),
    },
  },
  (values) => ({
    promiscuous: values.promiscuous,
    macChanges: values["mac-changes"],
    forgedTransmits: values["forged-transmits"],
  }),
);

const trafficRule: ValueType<TrafficRule> = entry(
  {
    id: "traffic-rule",
    words: "a traffic rule",
    doc: "A rule of traffic filtering and marking: `{mark: udp, ports: 5060, dscp: 46, cos: 5}`.",
    table: {
      allow: actionKey("Lets pass what matches."),
      drop: actionKey("Drops what matches."),
      mark: actionKey("Marks what matches."),
      ...TRAFFIC_KEYS,
      dscp: key(integer("a DSCP", 0, 63), "With `mark`: written into the packet's header.", {
        example: "46",
      }),
      cos: key(integer("a class of service", 0, 7), "With `mark`: written into the VLAN tag.", {
        example: "5",
      }),
    },
  },
  (values, place, reading) => {
    const action = readAction(values, ["allow", "drop", "mark"], place, reading);
    if (action === null) return undefined;
    const { dscp, cos } = values;
    const marks = ["dscp", "cos"].filter((name) => place.has(name));
    if (action.action.value === "mark" && marks.length === 0)
      reading.error("missing-key", action.action.span, "`mark` needs `dscp`, `cos` or both", {
        help: "Write `dscp: 46` for voice.",
      });
    if (action.action.value !== "mark" && marks.length > 0)
      reading.error("conflicting-keys", place.keySpan(marks[0]!), `\`${marks[0]}\` goes with \`mark\` only`);
    const match = toTrafficMatch(action.protocol, values, reading);
    return { action: action.action, match, dscp, cos, span: place.span };
  },
);

const portGroups: ValueType<readonly PortGroup[]> = namedEntries(
  "port groups",
  {
    id: "port-group",
    words: "a port group",
    doc: "Ports of a switch that are alike: their VLAN and what machines may do there.",
    table: {
      vlan: key(
        portGroupVlan,
        "What its frames carry on the uplinks: a VLAN, two for QinQ, a list when machines tag by themselves.",
        { example: "20", default: "none" },
      ),
      "notify-switches": key(boolean, "Whether machines' MACs are announced by RARP at start and failover.", {
        example: "false",
        default: "true",
      }),
      security: key(security, "What machines may do with MAC addresses.", {
        example: "{mac-changes: accept}",
      }),
      filters: key(
        listOf("traffic rules", trafficRule),
        "Traffic filtering and marking; the first that matches counts.",
        {
          since: "5.5",
        },
      ),
      reservation: key(speed, "Bandwidth that each machine is sure of.", { example: "100M", since: "6.0" }),
    },
  },
  (named, values) => ({
    ...named,
    vlan: values.vlan,
    notifySwitches: values["notify-switches"],
    security: values.security ?? { promiscuous: null, macChanges: null, forgedTransmits: null },
    filters: values.filters ?? [],
    reservation: values.reservation,
  }),
);

const uplinkMap = mapOf("uplinks", nameOf("an interface or bond"));
const uplinks: ValueType<readonly Uplink[]> = {
  ...uplinkMap,
  read: (node, reading) =>
    uplinkMap.read(node, reading)?.map(({ name, value }) => ({ host: name, link: value })),
};

const remote = scalar<VlanId | Ip>("a VLAN or an address", { type: ["integer", "string"] }, (value) => {
  const address = parseIp(value);
  if (address !== null) return { value: address };
  const range = parseVlanRangeWord(value);
  return "value" in range && range.value.first === range.value.last
    ? { value: range.value.first }
    : complaint("bad-vlan", `\`${value}\` is neither a VLAN nor an address`, "A VLAN is 1 to 4094.");
});

const mirror: ValueType<MirrorSession> = entry(
  {
    id: "mirror",
    words: "a mirror",
    doc: "Copies the frames of one port to another: `{from: web-001, to: probe}`.",
    table: {
      from: essentialKey(
        text("a machine or port group"),
        "Whose traffic is copied: a machine or a port group.",
        {
          example: "web-001",
        },
      ),
      to: key(text("a machine"), "The machine that gets the copies.", { example: "probe" }),
      remote: key(remote, "Copies go into a VLAN (RSPAN) or to an address (ERSPAN).", {
        example: "900",
        since: "5.1",
      }),
    },
  },
  ({ from, to, remote: target }, place, reading) => {
    if (!place.has("to") && !place.has("remote"))
      reading.error("missing-key", place.span, "a mirror needs `to` or `remote`", {
        help: "Write `to: MACHINE`, or `remote: VLAN`.",
      });
    return { from, to, remote: target, span: place.span };
  },
);

export const switches: ValueType<readonly Switch[]> = namedEntries(
  "switches",
  {
    id: "switch",
    words: "a switch",
    doc: "A virtual switch over one or more hosts.",
    table: {
      version: key(switchVersion, "Decides which features it may use.", {
        example: '"5.5"',
        default: "the newest",
      }),
      uplinks: key(uplinks, "The interface or bond of each host that it spans.", {
        example: "{web-host: bond0}",
      }),
      mtu: key(mtu, "Bytes of the largest packet that it carries.", { example: "9000", default: "1500" }),
      features: key(oneOrMore(word("a feature of switches", SWITCH_FEATURES)), "What is switched on.", {
        example: "[lldp, health-check]",
      }),
      mirrors: key(listOf("mirrors", mirror), "Port mirroring.", { since: "5.0" }),
      "port-groups": key(portGroups, "Its port groups.", { example: "{org: {vlan: 20}}" }),
    },
  },
  (named, values) => ({
    ...named,
    version: values.version,
    uplinks: values.uplinks ?? [],
    mtu: values.mtu,
    features: values.features ?? [],
    mirrors: values.mirrors ?? [],
    portGroups: values["port-groups"] ?? [],
  }),
);
