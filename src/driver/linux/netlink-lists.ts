// What the kernel says by netlink, in the words that `ip -json` has for it, so that there is one reading of
// both. Only what `ip-json.ts` looks at is decoded (rtnetlink(7), linux/if_link.h, linux/rtnetlink.h).
import { ipOfBytes } from "../../base/ip.ts";
import {
  ADDRESS_BYTES,
  AF_INET6,
  type Attributes,
  attributes,
  LINK_BYTES,
  numberOf,
  ROUTE_BYTES,
  textOf,
  viewOf,
} from "./netlink-message.ts";

type Json = Readonly<Record<string, unknown>>;

const IFF_UP = 1;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_NOPREFIXROUTE = 0x200;
const RTNH_F_ONLINK = 4;
const RTM_F_CLONED = 0x200;
const NOTHING = new Uint8Array(0);
const MACVLAN_MODES: Readonly<Record<number, string>> = { 1: "private", 4: "bridge", 8: "passthru" };

/**
 * As of `ip -d address show`, without link-local addresses. Null: there is a bond among them, whose many
 * options are ip's to read.
 */
export function linkList(links: readonly Uint8Array[], addresses: readonly Uint8Array[]): Json[] | null {
  const decoded = links.map((bytes) => {
    const view = viewOf(bytes);
    return {
      index: view.getInt32(4, true),
      flags: view.getUint32(8, true),
      parts: attributes(bytes, LINK_BYTES),
    };
  });
  const names = new Map(decoded.map(({ index, parts }) => [index, textOf(parts.get(3))]));
  const byLink = Map.groupBy(addresses, (bytes) => viewOf(bytes).getUint32(4, true));
  const list: Json[] = [];
  for (const { index, flags, parts } of decoded) {
    const info = nested(parts.get(18));
    const kind = textOf(info.get(1));
    if (kind === "bond") return null;
    const slaveKind = textOf(info.get(4));
    const slave = nested(info.get(5));
    list.push({
      ifname: names.get(index)!,
      flags: (flags & IFF_UP) === 0 ? [] : ["UP"],
      mtu: numberOf(parts.get(4)),
      address: macOf(parts.get(1)),
      ...(parts.has(20) ? { ifalias: textOf(parts.get(20)) } : {}),
      ...(parts.has(10) ? { master: names.get(numberOf(parts.get(10))) } : {}),
      // Of a cable it would be a number in another namespace.
      ...(parts.has(5) && !parts.has(37) ? { link: names.get(numberOf(parts.get(5))) } : {}),
      linkinfo: {
        ...(kind === "" ? {} : { info_kind: kind, info_data: dataOf(kind, nested(info.get(2))) }),
        ...(slaveKind === "" ? {} : { info_slave_kind: slaveKind }),
        ...(slaveKind === "bridge" ? { info_slave_data: { learning: slave.get(8)?.[0] !== 0 } } : {}),
      },
      addr_info: (byLink.get(index) ?? []).filter(isGlobal).map(addressOf),
    });
  }
  return list;
}

/** RTPROT_KERNEL: most routes of a namespace, which nobody has added and nobody looks at. */
const BY_KERNEL = 2;

/** As of `ip -N route show table all`, of one family, without what the kernel adds for each address. */
export function routeList(routes: readonly Uint8Array[], indexes: IndexNames): Json[] {
  return routes.flatMap((bytes): Json[] => {
    if (bytes[5] === BY_KERNEL) return [];
    const view = viewOf(bytes);
    const [family, length, type, flags] = [bytes[0], bytes[1], bytes[7], view.getUint32(8, true)];
    const parts = attributes(bytes, ROUTE_BYTES);
    if ((flags & RTM_F_CLONED) !== 0) return [];
    const destination = parts.get(1);
    const isV6 = family === AF_INET6;
    return [
      {
        dst: destination === undefined ? "default" : `${ipOfBytes(destination)}/${length}`,
        protocol: `${bytes[5]}`,
        type: `${type}`,
        table: parts.has(15) ? numberOf(parts.get(15)) : bytes[4],
        flags: (flags & RTNH_F_ONLINK) === 0 ? [] : ["onlink"],
        ...(parts.has(4) ? { dev: indexes.get(numberOf(parts.get(4))) } : {}),
        ...(parts.has(5) ? { gateway: ipOfBytes(parts.get(5)!) } : {}),
        ...(parts.has(7) ? { prefsrc: ipOfBytes(parts.get(7)!) } : {}),
        ...(isV6 ? { pref: "medium" } : {}),
      },
    ];
  });
}

/** As of `ip -N rule show`. */
export function ruleList(rules: readonly Uint8Array[]): Json[] {
  return rules.map((bytes) => {
    const parts = attributes(bytes, ROUTE_BYTES);
    return {
      priority: parts.has(6) ? numberOf(parts.get(6)) : 0,
      table: parts.has(15) ? numberOf(parts.get(15)) : bytes[4],
      ...(parts.has(3) ? { iif: textOf(parts.get(3)) } : {}),
      ...(parts.has(10) ? { fwmark: numberOf(parts.get(10)) } : {}),
    };
  });
}

/** Names of devices by their numbers. */
type IndexNames = ReadonlyMap<number, string>;

export function indexNames(links: readonly Uint8Array[]): IndexNames {
  return new Map(
    links.map((bytes) => [viewOf(bytes).getInt32(4, true), textOf(attributes(bytes, LINK_BYTES).get(3))]),
  );
}

function dataOf(kind: string, data: Attributes): Json {
  switch (kind) {
    case "bridge":
      return { vlan_filtering: data.get(7)?.[0] ?? 0, vlan_protocol: protocolOf(data.get(8)) };
    case "vlan":
      return { id: numberOf(data.get(1)), protocol: protocolOf(data.get(5)) };
    case "macvlan":
      return { mode: MACVLAN_MODES[numberOf(data.get(1))] ?? "" };
    default:
      return {};
  }
}

/** Not of those that the kernel gives by itself: RT_SCOPE_LINK and RT_SCOPE_HOST. */
function isGlobal(bytes: Uint8Array): boolean {
  return bytes[3]! < 253;
}

function addressOf(bytes: Uint8Array): Json {
  const parts = attributes(bytes, ADDRESS_BYTES);
  const local = parts.get(2) ?? parts.get(1);
  const flags = numberOf(parts.get(8));
  return {
    local: local === undefined ? "" : ipOfBytes(local),
    prefixlen: bytes[1],
    scope: `${bytes[3]}`,
    noprefixroute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    deprecated: (flags & IFA_F_DEPRECATED) !== 0,
  };
}

function nested(bytes: Uint8Array | undefined): Attributes {
  return attributes(bytes ?? NOTHING, 0);
}

function macOf(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** An ethertype, in network order. */
function protocolOf(bytes: Uint8Array | undefined): string {
  return bytes?.[0] === 0x88 && bytes[1] === 0xa8 ? "802.1ad" : "802.1Q";
}
