// A change in words, as plans, progress and drift show it.
import { formatSubnet } from "../../base/ip.ts";
import type { LinkState, NamespaceName, NftTable, RouteState } from "../../model/network-state.ts";
import { changedOptions } from "./bond-options.ts";
import type { Change } from "./plan.ts";

export function changeWords(change: Change): string {
  switch (change.kind) {
    case "add-namespace":
      return `add namespace ${change.namespace}: ${change.words}`;
    case "delete-namespace":
      return `remove namespace ${change.namespace}: ${change.words}`;
    case "add-link":
      return `add ${linkWords(change.link)} in ${placeWords(change.namespace)}`;
    case "delete-link":
      return `remove ${linkWords(change.link)} in ${placeWords(change.namespace)}`;
    case "set-link": {
      const reason = change.reason === undefined ? "" : `: ${change.reason}`;
      return `set ${settingWords(change.link, change.before)} in ${placeWords(change.namespace)}${reason}`;
    }
    case "await-bond":
      return `wait until ${change.link.name} carries frames, before the rest of its cards come to it`;
    case "hold-port":
      return `hold ${change.link.name} back in ${change.link.master}`;
    case "swap-ports":
      return `let ${change.link.name} carry in ${change.link.master} instead of ${change.from.name}`;
    case "add-address":
    case "delete-address": {
      const { ip, prefix, link } = change.address;
      const verb = change.kind === "add-address" ? "add" : "remove";
      return `${verb} address ${ip}/${prefix} on ${link} in ${placeWords(change.namespace)}`;
    }
    case "add-route":
      return `set route ${routeWords(change.route)} in ${placeWords(change.namespace)}`;
    case "delete-route":
      return `remove route ${routeWords(change.route)} in ${placeWords(change.namespace)}`;
    case "add-rule":
    case "delete-rule": {
      const { priority, inLink, mark, table } = change.rule;
      const verb = change.kind === "add-rule" ? "add" : "remove";
      const from = inLink === null ? "" : ` from ${inLink}`;
      const marked = mark === null ? "" : ` with mark ${mark}`;
      return `${verb} routing rule ${priority}${from}${marked} to table ${table} in ${placeWords(change.namespace)}`;
    }
    case "set-sysctl":
      return `set ${change.sysctl.key.replaceAll("/", ".")} to ${change.sysctl.value} in ${placeWords(change.namespace)}`;
    case "put-table":
      return `load ${tableWords(change.table)} in ${placeWords(change.namespace)}`;
    case "delete-table":
      return `remove ${tableWords(change.table)} in ${placeWords(change.namespace)}`;
    case "start-process":
      return `start ${change.process.words}`;
    case "stop-process":
      return `stop ${change.process.words}`;
    case "reload-process":
      return `reload ${change.process.words}`;
  }
}

/** "sp.company.web-001", or "this machine". */
export function placeWords(namespace: NamespaceName): string {
  return namespace ?? "this machine";
}

function tableWords({ family, name }: NftTable): string {
  return `nftables table ${family} ${name}`;
}

function linkWords({ name, kind }: LinkState): string {
  switch (kind.kind) {
    case "physical":
      return name;
    case "veth":
      return kind.peer === null
        ? `cable ${name}`
        : `cable ${name} to ${kind.peer.name} in ${placeWords(kind.peer.namespace)}`;
    case "vlan":
      return `VLAN ${kind.id} of ${kind.link} as ${name}`;
    case "bridge":
      return `${kind.isVlanAware ? "VLAN-aware bridge" : "bridge"} ${name}`;
    case "bond":
    case "tap":
    case "dummy":
    case "macvlan":
      return `${kind.kind} ${name}`;
  }
}

/** Only what differs. */
function settingWords(link: LinkState, before: LinkState | null): string {
  const { name, mac, mtu, isUp, master } = link;
  if (before === null) return `up ${name}${master === null ? "" : ` as a port of ${master}`}`;
  const parts = [
    ...(mac !== null && before.mac !== mac
      ? [`MAC ${mac}${before.mac === null ? "" : ` instead of ${before.mac}`}`]
      : []),
    ...(before.mtu !== mtu ? [`MTU ${mtu} instead of ${before.mtu}`] : []),
    ...(before.isUp !== isUp ? [isUp ? "up" : "down"] : []),
    ...optionWords(link, before),
    ...(before.master !== master
      ? [master === null ? `out of ${before.master}` : `as a port of ${master}`]
      : []),
    ...(link.port !== null && JSON.stringify(link.port) !== JSON.stringify(before.port)
      ? ["VLANs and learning of its port"]
      : []),
    ...(before.alias !== link.alias ? ["alias"] : []),
  ];
  return `${name} ${parts.length === 0 ? "options" : parts.join(", ")}`;
}

function optionWords({ kind }: LinkState, before: LinkState): string[] {
  if (kind.kind !== "bond" || before.kind.kind !== "bond") return [];
  const has = new Map(before.kind.options);
  return changedOptions(before.kind.options, kind.options).map(
    ([name, value]) => `${name} ${value}${has.has(name) ? ` instead of ${has.get(name)}` : ""}`,
  );
}

function routeWords({ to, via, link, table, type }: RouteState): string {
  const where = type === "unreachable" ? "to nowhere" : via === null ? `on ${link}` : `via ${via}`;
  const to_ = to.prefix === 0 ? "default" : formatSubnet(to);
  const own = type === "local" ? "to itself: " : "";
  return `${own}${to_} ${where}${table === 254 ? "" : ` in table ${table}`}`;
}
