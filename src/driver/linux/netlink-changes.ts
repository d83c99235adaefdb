// Changes as messages of rtnetlink, the same that `ip` would send for the lines of `ip-lines.ts` (its source
// is the reference for what the manuals leave open). Null for what is better left to the programs: bonds,
// VLANs of bridges, tables.
import { bytesOfIp, familyOfIp, type Ip, ipOfValue, valueOfIp } from "../../base/ip.ts";
import { bytesOfMac } from "../../base/mac.ts";
import type {
  AddressState,
  LinkState,
  RouteState,
  RouteType,
  RoutingRule,
} from "../../model/network-state.ts";
import type { Change } from "../../network/plan/plan.ts";
import {
  ADDRESS_BYTES,
  AF_INET,
  AF_INET6,
  attribute,
  concatenated,
  DELETE_ADDRESS,
  DELETE_LINK,
  DELETE_ROUTE,
  DELETE_RULE,
  LINK_BYTES,
  NEW_ADDRESS,
  NEW_LINK,
  NEW_ROUTE,
  NEW_RULE,
  newLinkRequest,
  ROUTE_BYTES,
  requestFor,
  u32,
  viewOf,
  zeroEnded,
} from "./netlink-message.ts";

export interface NetlinkRequest {
  readonly type: number;
  readonly wanted: "new" | "changed" | "replaced";
  /** Devices are told by numbers, which are known when it is their turn. */
  body(indexOf: (link: string) => number): Uint8Array;
}

const IFF_UP = 1;
const [IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER] = [1, 3, 4, 10];
const [IFLA_LINKINFO, IFLA_IFALIAS, IFLA_AF_SPEC] = [18, 20, 26];
const [IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA, IFLA_BRPORT_LEARNING] = [4, 5, 8];
const [IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE] = [8, 1];
const [IFLA_BR_FORWARD_DELAY, IFLA_BR_MCAST_SNOOPING] = [1, 23];
const [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_CACHEINFO, IFA_FLAGS] = [1, 2, 4, 6, 8];
const FOREVER = 0xffffffff;
const [IFA_F_NODAD, IFA_F_NOPREFIXROUTE] = [0x02, 0x200];
const [RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC, RTA_TABLE] = [1, 4, 5, 7, 15];
const [RTPROT_BOOT, RTNH_F_ONLINK] = [3, 4];
const ROUTE_TYPES: Readonly<Record<RouteType, number>> = { unicast: 1, local: 2, unreachable: 7 };
const [SCOPE_UNIVERSE, SCOPE_LINK, SCOPE_HOST, SCOPE_NOWHERE] = [0, 253, 254, 255];
const [FRA_IIFNAME, FRA_PRIORITY, FRA_FWMARK, FRA_TABLE] = [3, 6, 10, 15];
const FR_ACT_TO_TBL = 1;

export function requestsOf(change: Change, isBond: (name: string) => boolean): NetlinkRequest[] | null {
  switch (change.kind) {
    case "add-link":
      return addLink(change.link);
    case "delete-link":
      return [{ type: DELETE_LINK, wanted: "changed", body: () => linkBody(change.link.name, 0, 0, []) }];
    case "set-link":
      return setLink(change.link, change.before, isBond);
    case "add-address":
    case "delete-address":
      return [address(change.address, change.kind === "add-address")];
    case "add-route":
    case "delete-route":
      return [route(change.route, change.kind === "add-route")];
    case "add-rule":
    case "delete-rule":
      return [rule(change.rule, change.kind === "add-rule")];
    default:
      return null;
  }
}

function addLink({ name, kind }: LinkState): NetlinkRequest[] | null {
  if (kind.kind !== "bridge" || kind.isVlanAware) return null;
  // Nobody asks who listens, so with snooping nobody would be found after five minutes.
  const data = [
    [IFLA_BR_FORWARD_DELAY, u32(0)],
    [IFLA_BR_MCAST_SNOOPING, Uint8Array.of(0)],
  ] as const;
  return [{ type: NEW_LINK, wanted: "new", body: () => newLinkRequest(name, "bridge", data) }];
}

function setLink(
  link: LinkState,
  before: LinkState | null,
  isBond: (name: string) => boolean,
): NetlinkRequest[] | null {
  const { name, mac, mtu, alias, master, isUp, port, kind } = link;
  const isSetTwice =
    kind.kind === "bridge" && before !== null && JSON.stringify(kind) !== JSON.stringify(before.kind);
  const hasVlans = [port, before?.port].some((one) => (one?.vlans.length ?? 0) > 0);
  if (kind.kind === "bond" || (master !== null && isBond(master)) || isSetTwice || hasVlans) return null;
  const changesMaster = master !== (before?.master ?? null);
  const flags = before === null || before.isUp !== isUp ? IFF_UP : 0;
  const body: NetlinkRequest["body"] = (indexOf) =>
    linkBody(name, isUp ? flags : 0, flags, [
      ...(mac !== null && before?.mac !== mac ? [attribute(IFLA_ADDRESS, bytesOfMac(mac))] : []),
      ...(before === null || before.mtu !== mtu ? [attribute(IFLA_MTU, u32(mtu))] : []),
      ...(alias !== null && before?.alias !== alias ? [attribute(IFLA_IFALIAS, Buffer.from(alias))] : []),
      ...(changesMaster ? [attribute(IFLA_MASTER, u32(master === null ? 0 : indexOf(master)))] : []),
      // An address of its own would only answer where nobody should.
      ...(before === null && (kind.kind === "bridge" || master !== null) ? [WITHOUT_OWN_ADDRESS] : []),
    ]);
  const requests: NetlinkRequest[] = [{ type: NEW_LINK, wanted: "changed", body }];
  const wasLearning = (before?.master === master ? before?.port?.isLearning : undefined) ?? true;
  if (port !== null && port.isLearning !== wasLearning)
    requests.push({
      type: NEW_LINK,
      wanted: "changed",
      body: () => linkBody(name, 0, 0, [learning(port.isLearning)]),
    });
  return requests;
}

const WITHOUT_OWN_ADDRESS = attribute(
  IFLA_AF_SPEC,
  attribute(AF_INET6, attribute(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE))),
);

function learning(isLearning: boolean): Uint8Array {
  const data = attribute(IFLA_BRPORT_LEARNING, Uint8Array.of(Number(isLearning)));
  const kind = attribute(IFLA_INFO_SLAVE_KIND, Buffer.from("bridge"));
  return attribute(IFLA_LINKINFO, concatenated([kind, attribute(IFLA_INFO_SLAVE_DATA, data)]));
}

/** struct ifinfomsg: `flags` are those of `change`. The device is told by its name. */
function linkBody(name: string, flags: number, change: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = requestFor(LINK_BYTES);
  viewOf(head).setUint32(8, flags, true);
  viewOf(head).setUint32(12, change, true);
  return concatenated([head, attribute(IFLA_IFNAME, zeroEnded(name)), ...parts]);
}

function address(one: AddressState, isAdded: boolean): NetlinkRequest {
  const { link, ip, prefix, isBare, isDeprecated } = one;
  const isV4 = familyOfIp(ip) === 4;
  const flags = (isBare ? IFA_F_NOPREFIXROUTE : 0) | (isV4 ? 0 : IFA_F_NODAD);
  const body: NetlinkRequest["body"] = (indexOf) => {
    const head = requestFor(ADDRESS_BYTES, familyNumber(ip));
    head[1] = prefix;
    viewOf(head).setUint32(4, indexOf(link), true);
    const own = bytesOfIp(ip);
    return concatenated([
      head,
      attribute(IFA_LOCAL, own),
      attribute(IFA_ADDRESS, own),
      ...(isAdded && isV4 && prefix < 31
        ? [attribute(IFA_BROADCAST, bytesOfIp(broadcastOf(ip, prefix)))]
        : []),
      ...(isAdded ? [attribute(IFA_FLAGS, u32(flags))] : []),
      // Preferred for no time, valid for ever; when it was made is the kernel's to say.
      ...(isAdded && isDeprecated
        ? [attribute(IFA_CACHEINFO, concatenated([u32(0), u32(FOREVER), u32(0), u32(0)]))]
        : []),
    ]);
  };
  return isAdded
    ? { type: NEW_ADDRESS, wanted: "new", body }
    : { type: DELETE_ADDRESS, wanted: "changed", body };
}

function broadcastOf(ip: Ip, prefix: number): Ip {
  return ipOfValue(valueOfIp(ip) | ((1n << BigInt(32 - prefix)) - 1n), 4)!;
}

function route(one: RouteState, isAdded: boolean): NetlinkRequest {
  const { to, via, link, table, source, isOnlink, type } = one;
  const body: NetlinkRequest["body"] = (indexOf) => {
    const head = requestFor(ROUTE_BYTES, familyNumber(to.first));
    head[1] = to.prefix;
    // Numbers above a byte are in the attribute alone.
    head[4] = table < 256 ? table : 0;
    head[5] = isAdded ? RTPROT_BOOT : 0;
    head[6] = isAdded ? scopeOf(one) : to.family === 4 ? SCOPE_NOWHERE : SCOPE_UNIVERSE;
    head[7] = type === "unicast" && !isAdded ? 0 : ROUTE_TYPES[type];
    viewOf(head).setUint32(8, isOnlink ? RTNH_F_ONLINK : 0, true);
    return concatenated([
      head,
      ...(to.prefix === 0 ? [] : [attribute(RTA_DST, bytesOfIp(to.first))]),
      ...(via === null ? [] : [attribute(RTA_GATEWAY, bytesOfIp(via))]),
      // IPv4 takes no device for what goes nowhere.
      ...(type === "unreachable" ? [] : [attribute(RTA_OIF, u32(indexOf(link)))]),
      ...(source === null ? [] : [attribute(RTA_PREFSRC, bytesOfIp(source))]),
      attribute(RTA_TABLE, u32(table)),
    ]);
  };
  return isAdded
    ? { type: NEW_ROUTE, wanted: "replaced", body }
    : { type: DELETE_ROUTE, wanted: "changed", body };
}

function scopeOf({ to, via, type }: RouteState): number {
  if (to.family === 6) return SCOPE_UNIVERSE;
  if (type === "local") return SCOPE_HOST;
  return via === null && type === "unicast" ? SCOPE_LINK : SCOPE_UNIVERSE;
}

/** Of IPv4: only fences have any. */
function rule({ priority, inLink, mark, table }: RoutingRule, isAdded: boolean): NetlinkRequest {
  const body = () => {
    const head = requestFor(ROUTE_BYTES, AF_INET);
    head[4] = table < 256 ? table : 0;
    head[7] = FR_ACT_TO_TBL;
    return concatenated([
      head,
      attribute(FRA_PRIORITY, u32(priority)),
      attribute(FRA_TABLE, u32(table)),
      ...(inLink === null ? [] : [attribute(FRA_IIFNAME, zeroEnded(inLink))]),
      ...(mark === null ? [] : [attribute(FRA_FWMARK, u32(mark))]),
    ]);
  };
  return isAdded ? { type: NEW_RULE, wanted: "new", body } : { type: DELETE_RULE, wanted: "changed", body };
}

function familyNumber(ip: Ip): number {
  return familyOfIp(ip) === 4 ? AF_INET : AF_INET6;
}
