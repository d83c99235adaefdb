// `fabric`: the physical switches at the other end of the hosts' cables.
import { BOND_HASHES, type FabricLag, type FabricPort, type FabricSwitch } from "../../model/datacenter.ts";
import { key, namedEntries } from "./keys.ts";
import { mtu, speed, vlanId, vlanRange } from "./number-values.ts";
import { nameOf } from "./text-values.ts";
import { complaint, deviceNameFault, oneOrMore, scalar, type ValueType, word } from "./value-type.ts";

const LINK = {
  trunk: key(oneOrMore(vlanRange), "VLANs that it carries with a tag.", { example: "[10, 20, 30-39]" }),
  native: key(vlanId, "The VLAN of frames without a tag.", {
    example: "1",
    default: "none, such frames are dropped",
  }),
  mtu: key(mtu, "Bytes of the largest packet that it carries.", { example: "9000", default: "1500" }),
};

const farEnd = scalar("an interface such as web-host/eth0", { type: "string" }, (text) =>
  /^[^/]+\/.+$/.test(text)
    ? { value: text }
    : complaint(
        "bad-name",
        `\`${text}\` is no interface of a host or port of a switch`,
        "Write host/interface, such as web-host/eth0, or switch/port, such as tor-2/24.",
      ),
);

const ports: ValueType<readonly FabricPort[]> = namedEntries(
  "ports",
  {
    id: "fabric-port",
    words: "a port",
    doc: "A port of a physical switch, by its number or name.",
    table: {
      to: key(farEnd, "What is plugged in: an interface of a host, or a port of another switch.", {
        example: "web-host/eth0",
      }),
      lag: key(nameOf("a LAG"), "The LAG of this switch that it is in.", { example: "1" }),
      speed: key(speed, "What the port can do.", { example: "10G" }),
      ...LINK,
    },
  },
  (named, { to, lag, speed: rate, trunk, native, mtu: bytes }) => ({
    ...named,
    to,
    lag,
    speed: rate,
    trunk: trunk ?? [],
    native,
    mtu: bytes,
  }),
  deviceNameFault,
);

const lags: ValueType<readonly FabricLag[]> = namedEntries(
  "LAGs",
  {
    id: "fabric-lag",
    words: "a LAG",
    doc: "Ports of a physical switch that act as one (port channel, EtherChannel).",
    table: {
      lacp: key(
        word("a LACP mode", ["active", "passive", "off"], {
          on: "`on` means without LACP in many switches: write `off`.",
          true: "Write `active`.",
          false: "Write `off`.",
        }),
        "Whether it begins to speak LACP, only answers, or is static (`off`).",
        { example: "active", default: "active" },
      ),
      "lacp-rate": key(
        word("a LACP rate", ["slow", "fast"]),
        "How often it wants to hear from the other end.",
        { example: "fast", default: "slow" },
      ),
      hash: key(word("a hash policy", BOND_HASHES), "What decides which port a flow takes.", {
        example: "layer3+4",
        default: "layer2",
      }),
      ...LINK,
    },
  },
  (named, values) => ({
    ...named,
    lacp: values.lacp,
    lacpRate: values["lacp-rate"],
    hash: values.hash,
    trunk: values.trunk ?? [],
    native: values.native,
    mtu: values.mtu,
  }),
  deviceNameFault,
);

export const fabric: ValueType<readonly FabricSwitch[]> = namedEntries(
  "physical switches",
  {
    id: "fabric-switch",
    words: "a physical switch",
    doc: "A physical switch, as far as it concerns the hosts. It is compared with them and used in explanations.",
    table: {
      ports: key(ports, "Its ports.", { example: "{1: {to: web-host/eth0}}" }),
      lags: key(lags, "Its LAGs.", { example: "{1: {lacp: active}}" }),
    },
  },
  (named, values) => ({ ...named, ports: values.ports ?? [], lags: values.lags ?? [] }),
);
