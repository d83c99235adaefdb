// What `ip -json` and `bridge -json` say, as the model has it. Everything unknown is left out: a kernel may
// say more than any list here has.
import { type Ip, parseIp, parseSubnet, type Subnet } from "../../base/ip.ts";
import { type Mac, parseMac } from "../../base/mac.ts";
import type {
  AddressState,
  BridgePort,
  LinkKind,
  LinkState,
  PortVlan,
  RouteState,
  RouteType,
  RoutingRule,
} from "../../model/network-state.ts";

type Json = Readonly<Record<string, unknown>>;

/** RTPROT_BOOT and RTPROT_STATIC: what somebody has added, not the kernel. */
const ADDED_BY_SOMEBODY = ["3", "4", "boot", "static"];
const TABLE_NUMBERS: Readonly<Record<string, number>> = { main: 254, default: 253, local: 255 };
const OWN_RULES = [0, 32766, 32767];

/** Of `ip -d address show`. */
export function linksOf(list: readonly Json[]): LinkState[] {
  return list.map((one): LinkState => {
    const info = (one["linkinfo"] ?? {}) as Json;
    const flags = (one["flags"] ?? []) as readonly string[];
    return {
      // "eth0@if5" for a cable whose other end is elsewhere.
      name: text(one["ifname"]).split("@")[0]!,
      kind: kindOf(one, info),
      mac: parseMac(text(one["address"])) as Mac | null,
      mtu: Number(one["mtu"]),
      isUp: flags.includes("UP"),
      alias: one["ifalias"] === undefined ? null : text(one["ifalias"]),
      master: one["master"] === undefined ? null : text(one["master"]),
      port: portOf(info),
      isDhcpClient: false,
    };
  });
}

function kindOf(one: Json, info: Json): LinkKind {
  const data = (info["info_data"] ?? {}) as Json;
  switch (info["info_kind"]) {
    case "veth":
      return { kind: "veth", peer: null };
    case "bridge":
      return {
        kind: "bridge",
        isVlanAware: data["vlan_filtering"] === 1,
        protocol: vlanProtocol(data["vlan_protocol"]),
      };
    case "vlan":
      return {
        kind: "vlan",
        link: text(one["link"]),
        id: Number(data["id"]),
        protocol: vlanProtocol(data["protocol"]),
      };
    case "bond":
      return { kind: "bond", options: bondOptionsOf(data) };
    case "tun":
      return { kind: "tap" };
    case "dummy":
      return { kind: "dummy" };
    case "macvlan":
      return {
        kind: "macvlan",
        link: text(one["link"]),
        mode: data["mode"] as "private" | "bridge" | "passthru",
      };
    default:
      return { kind: "physical" };
  }
}

function vlanProtocol(value: unknown): "802.1Q" | "802.1ad" {
  return text(value).toLowerCase() === "802.1ad" ? "802.1ad" : "802.1Q";
}

/** Names and values as `ip link add` takes them. */
function bondOptionsOf(data: Json): (readonly [string, string])[] {
  return Object.entries(data).flatMap(([key, value]): (readonly [string, string])[] => {
    const name = key === "ad_lacp_rate" ? "lacp_rate" : key;
    if (typeof value === "string" || typeof value === "number") return [[name, `${value}`]];
    if (Array.isArray(value)) return [[name, value.join(",")]];
    return [];
  });
}

function portOf(info: Json): BridgePort | null {
  if (info["info_slave_kind"] !== "bridge") return null;
  const data = (info["info_slave_data"] ?? {}) as Json;
  return { isLearning: data["learning"] !== false, vlans: [] };
}

/** Of `bridge vlan show`, by device. It has each VLAN by itself: a trunk of all would be four thousand. */
export function vlansOf(list: readonly Json[]): Map<string, PortVlan[]> {
  return new Map(
    list.map((one) => {
      const vlans: PortVlan[] = [];
      for (const vlan of (one["vlans"] ?? []) as readonly Json[]) {
        const first = Number(vlan["vlan"]);
        const last = Number(vlan["vlanEnd"] ?? first);
        const isNative = ((vlan["flags"] ?? []) as readonly string[]).includes("PVID");
        const before = vlans.at(-1);
        if (before !== undefined && before.last + 1 === first && !before.isNative && !isNative)
          vlans[vlans.length - 1] = { ...before, last };
        else vlans.push({ first, last, isNative });
      }
      return [text(one["ifname"]), vlans];
    }),
  );
}

/** Scopes of addresses that the kernel gives by itself, by name and, under `ip -N`, by number. */
const LINK_AND_HOST: readonly string[] = ["link", "host", "253", "254"];

/** Of `ip address show`. Link-local IPv6 is the kernel's own. */
export function addressesOf(list: readonly Json[]): AddressState[] {
  return list.flatMap((one) => {
    const link = text(one["ifname"]).split("@")[0]!;
    return ((one["addr_info"] ?? []) as readonly Json[]).flatMap((info): AddressState[] => {
      const ip = parseIp(text(info["local"]));
      if (ip === null || LINK_AND_HOST.includes(text(info["scope"]))) return [];
      return [
        {
          link,
          ip,
          prefix: Number(info["prefixlen"]),
          isBare: info["noprefixroute"] === true,
          isDeprecated: info["deprecated"] === true,
        },
      ];
    });
  });
}

/** Of `ip route show table all`. */
export function routesOf(list: readonly Json[]): RouteState[] {
  return list.flatMap((one): RouteState[] => {
    if (!ADDED_BY_SOMEBODY.includes(text(one["protocol"]))) return [];
    const via = one["gateway"] === undefined ? null : parseIp(text(one["gateway"]));
    const source = one["prefsrc"] === undefined ? null : parseIp(text(one["prefsrc"]));
    // Only IPv6 has preferences (RFC 4191); "default" alone does not tell.
    const to = destinationOf(text(one["dst"]), one["pref"] !== undefined);
    const type = routeTypeOf(text(one["type"]));
    const link = type === "unreachable" ? "lo" : text(one["dev"]);
    if (to === null || link === "") return [];
    const name = text(one["table"] ?? "254");
    const table = TABLE_NUMBERS[name] ?? Number(name);
    const isOnlink = ((one["flags"] ?? []) as readonly string[]).includes("onlink");
    return [{ to, via, link, table, source, isOnlink, type }];
  });
}

/** By name and, under `ip -N`, by number (rtnetlink(7)). */
function routeTypeOf(text: string): RouteType {
  if (text === "local" || text === "2") return "local";
  return text === "unreachable" || text === "7" ? "unreachable" : "unicast";
}

function destinationOf(text: string, isV6: boolean): Subnet | null {
  if (text === "default") {
    return { family: isV6 ? 6 : 4, first: (isV6 ? "::" : "0.0.0.0") as Ip, prefix: 0 };
  }
  const isSubnet = text.includes("/");
  return parseSubnet(isSubnet ? text : `${text}/${text.includes(":") ? 128 : 32}`)?.subnet ?? null;
}

/** Of `ip rule show`, without those that every namespace is born with. */
export function rulesOf(list: readonly Json[]): RoutingRule[] {
  return list.flatMap((one): RoutingRule[] => {
    const priority = Number(one["priority"]);
    if (OWN_RULES.includes(priority)) return [];
    const name = text(one["table"]);
    return [
      {
        priority,
        inLink: one["iif"] === undefined ? null : text(one["iif"]),
        mark: one["fwmark"] === undefined ? null : Number(one["fwmark"]),
        table: TABLE_NUMBERS[name] ?? Number(name),
      },
    ];
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? `${value}` : "";
}
