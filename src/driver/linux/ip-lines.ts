// Changes as lines for `ip -batch` and `bridge -batch`. Names come from `kernel-names.ts` or were checked by
// the reader of the file; addresses are canonical text. So no word can be taken for another, and nothing is
// quoted but aliases.
import { familyOfIp, formatSubnet } from "../../base/ip.ts";
import type { BridgePort, LinkState, NamespaceName } from "../../model/network-state.ts";
import { type BondOptions, changedOptions } from "../../network/plan/bond-options.ts";
import type { Change } from "../../network/plan/plan.ts";
import { COS_MAJOR } from "../../network/plan/traffic-rules.ts";

export interface BatchLines {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

const NONE: BatchLines = { ip: [], bridge: [] };

/** `isBond`: whether a device of that name is a bond, whose members must be down when they come in. */
export function linesOf(change: Change, isBond: (name: string) => boolean): BatchLines {
  switch (change.kind) {
    case "add-namespace":
      return ip(`netns add ${change.namespace}`);
    case "delete-namespace":
      return ip(`netns delete ${change.namespace}`);
    case "add-link":
      return ip(addLinkLine(change.link, change.namespace), ...markLines(change.link, change.namespace));
    case "delete-link":
      return ip(`link delete dev ${change.link.name}`);
    case "set-link":
      return setLinkLines(change.link, change.before, isBond);
    case "add-address": {
      const { ip: address, prefix, link, isBare, isDeprecated } = change.address;
      const isV4 = familyOfIp(address) === 4;
      const options = [
        ...(isBare ? ["noprefixroute"] : []),
        ...(isDeprecated ? ["preferred_lft 0"] : []),
        // Addresses are checked before anything is applied; waiting for what the kernel would find takes a
        // second.
        ...(isV4 ? (prefix < 31 ? ["broadcast +"] : []) : ["nodad"]),
      ];
      // Where one is kept while its device is down, it is there already.
      return ip(["address replace", `${address}/${prefix}`, "dev", link, ...options].join(" "));
    }
    case "delete-address":
      return ip(`address delete ${change.address.ip}/${change.address.prefix} dev ${change.address.link}`);
    case "add-route":
    case "delete-route": {
      const { to, via, link, table, source, isOnlink, type } = change.route;
      const words = [
        `route ${change.kind === "add-route" ? "replace" : "delete"}`,
        ...(type === "unicast" ? [] : [type]),
        formatSubnet(to),
        ...(via === null ? [] : ["via", via]),
        // IPv4 takes no device for what goes nowhere.
        ...(type === "unreachable" ? [] : ["dev", link]),
        ...["table", `${table}`],
        ...(source === null ? [] : ["src", source]),
        ...(isOnlink ? ["onlink"] : []),
      ];
      return ip(words.join(" "));
    }
    case "add-rule":
    case "delete-rule": {
      const { priority, inLink, mark, table } = change.rule;
      const words = [
        `rule ${change.kind === "add-rule" ? "add" : "delete"} pref ${priority}`,
        ...(inLink === null ? [] : [`iif ${inLink}`]),
        ...(mark === null ? [] : [`fwmark ${mark}`]),
        `lookup ${table}`,
      ];
      return ip(words.join(" "));
    }
    case "hold-port":
      return { ip: [], bridge: [portState(change.link, BLOCKING)] };
    case "swap-ports":
      // Without a carrier a port may be told nothing but that it is disabled.
      return { ip: [], bridge: [portState(change.from, DISABLED), portState(change.link, FORWARDING)] };
    default:
      return NONE;
  }
}

/** Of the spanning tree, which is not run here (IEEE 802.1D, 17.5). */
const [DISABLED, FORWARDING, BLOCKING] = [0, 3, 4];

function portState({ name }: LinkState, state: number): string {
  return `link set dev ${name} state ${state}`;
}

function ip(...lines: string[]): BatchLines {
  return { ip: lines, bridge: [] };
}

/**
 * Among the machine's own devices ours are known by their alias, which has to be there before the next line
 * may fail: nobody would take away what has none. Cables go with the namespace at their other end.
 */
function markLines({ name, alias, kind }: LinkState, namespace: NamespaceName): string[] {
  if (namespace !== null || alias === null || kind.kind === "veth") return [];
  return [`link set dev ${name} alias "${alias}"`];
}

/** For a batch that runs outside of all namespaces: both ends of a cable are made where they belong. */
function addLinkLine({ name, kind, mac, mtu }: LinkState, namespace: NamespaceName): string {
  const netns = (place: NamespaceName) => (place === null ? [] : ["netns", place]);
  const address = mac === null ? [] : ["address", mac];
  switch (kind.kind) {
    case "veth": {
      const peer = kind.peer!;
      const own = ["link add name", name, ...netns(namespace), ...address, "mtu", mtu, "type veth"];
      return [...own, "peer name", peer.name, ...netns(peer.namespace), "mtu", mtu].join(" ");
    }
    case "bridge": {
      const vlans = kind.isVlanAware
        ? ["vlan_filtering 1 vlan_default_pvid 0 vlan_protocol", kind.protocol]
        : [];
      // Nobody asks who listens, so with snooping nobody would be found after five minutes.
      return ["link add name", name, "type bridge forward_delay 0 mcast_snooping 0", ...vlans].join(" ");
    }
    case "vlan": {
      const tag = `type vlan proto ${kind.protocol} id ${kind.id}`;
      // By these the rules of a port group mark frames with a class of service (traffic-rules.ts).
      const classes = [0, 1, 2, 3, 4, 5, 6, 7].map((cos) => `${COS_MAJOR * 0x10000 + cos}:${cos}`);
      return `link add link ${kind.link} name ${name} ${tag} egress-qos-map ${classes.join(" ")}`;
    }
    case "bond":
      return ["link add name", name, ...address, "type bond", ...kind.options.flat()].join(" ");
    case "macvlan":
      return `link add link ${kind.link} name ${name} type macvlan mode ${kind.mode}`;
    case "tap":
      return `tuntap add dev ${name} mode tap`;
    case "dummy":
    case "physical":
      return `link add name ${name} type dummy`;
  }
}

function setLinkLines(
  link: LinkState,
  before: LinkState | null,
  isBond: (name: string) => boolean,
): BatchLines {
  const { name, mac, mtu, alias, master, isUp, port, kind } = link;
  const lines: string[] = [];
  const joinsBond = master !== null && before?.master !== master && isBond(master);
  if (joinsBond && before?.isUp !== false) lines.push(`link set dev ${name} down`);
  // Before it is up again: some can only be changed while it is down.
  if (kind.kind === "bond" && before?.kind.kind === "bond")
    lines.push(...bondLines(name, kind.options, before.kind.options));
  const words = [
    ...(mac !== null && before?.mac !== mac ? ["address", mac] : []),
    ...(before === null || before.mtu !== mtu ? ["mtu", `${mtu}`] : []),
    ...(alias !== null && before?.alias !== alias ? [`alias "${alias}"`] : []),
    ...(master !== (before?.master ?? null) ? (master === null ? ["nomaster"] : ["master", master]) : []),
    // An address of its own would only answer where nobody should.
    ...(before === null && (kind.kind === "bridge" || master !== null) ? ["addrgenmode none"] : []),
    ...(!joinsBond && (before === null || before.isUp !== isUp) ? [isUp ? "up" : "down"] : []),
  ];
  if (words.length > 0) lines.push(`link set dev ${name} ${words.join(" ")}`);
  // In one line Linux 6.1 would bring it up first, and so refuse it.
  if (joinsBond) lines.push(`link set dev ${name} ${isUp ? "up" : "down"}`);
  // A bond takes down whom it lets go of.
  else if (
    isUp &&
    before !== null &&
    before.master !== master &&
    before.master !== null &&
    isBond(before.master)
  )
    lines.push(`link set dev ${name} up`);
  if (
    kind.kind === "bridge" &&
    before?.kind.kind === "bridge" &&
    kind.isVlanAware !== before.kind.isVlanAware
  )
    lines.push(`link set dev ${name} type bridge vlan_filtering ${kind.isVlanAware ? 1 : 0}`);
  const old = before?.master === master ? (before?.port ?? null) : null;
  if (port !== null && !(old === null ? port.isLearning : port.isLearning === old.isLearning))
    lines.push(`link set dev ${name} type bridge_slave learning ${port.isLearning ? "on" : "off"}`);
  return { ip: lines, bridge: port === null ? [] : vlanLines(name, port, old) };
}

/** All in one line: the kernel takes them in the order in which one needs the other. */
function bondLines(name: string, after: BondOptions, before: BondOptions): string[] {
  const changed = changedOptions(before, after);
  return changed.length === 0 ? [] : [`link set dev ${name} type bond ${changed.flat().join(" ")}`];
}

/** New VLANs first, so that what stays is never without. */
function vlanLines(name: string, after: BridgePort, before: BridgePort | null): string[] {
  const line = (verb: "add" | "del", { first, last, isNative }: BridgePort["vlans"][number]) => {
    const range = first === last ? `${first}` : `${first}-${last}`;
    return `vlan ${verb} dev ${name} vid ${range}${verb === "add" && isNative ? " pvid untagged" : ""}`;
  };
  const key = (vlan: BridgePort["vlans"][number]) => JSON.stringify(vlan);
  const [old, wanted] = [new Set(before?.vlans.map(key)), new Set(after.vlans.map(key))];
  return [
    ...after.vlans.filter((vlan) => !old.has(key(vlan))).map((vlan) => line("add", vlan)),
    ...(before?.vlans ?? [])
      .filter((vlan) => !wanted.has(key(vlan)))
      // The same VLAN, now tagged instead of native, was just set.
      .filter(({ first, last }) => !after.vlans.some((one) => one.first <= first && one.last >= last))
      .map((vlan) => line("del", vlan)),
  ];
}
