// What is set at links once they are made: up, MTU, master, options of bonds, each only where it differs from
// what is, and in an order that costs frames as little as it can.
import type { LinkState, NamespaceState } from "../../model/network-state.ts";
import {
  forgottenPorts,
  leavingLast,
  leavingReason,
  stopBond,
  withMacOf,
  withoutGone,
} from "./bond-changes.ts";
import { changedOptions } from "./bond-options.ts";
import { type HandOver, handOverChanges, unconnected } from "./hand-over.ts";
import type { Change } from "./plan.ts";

export interface LinkSettings {
  readonly configure: readonly Change[];
  readonly handOver: readonly Change[];
  /** What comes behind that. */
  readonly follow: readonly Change[];
  /** The names of the bonds that go down for a moment. */
  readonly stopped: ReadonlySet<string>;
}

/** `made`: what shall be there, in dependency order; `gone`: the names of what has been removed by then. */
export function settingsOf(
  before: NamespaceState,
  after: NamespaceState,
  made: readonly LinkState[],
  gone: ReadonlySet<string>,
  handOvers: readonly HandOver[],
): LinkSettings {
  const namespace = after.name;
  const configure: Change[] = [];
  const isLate = (name: string) => handOvers.some(({ others }) => others.has(name));
  const late = new Map<string, Change>();
  const present = new Map(withoutGone(before.links, gone).map((link) => [link.name, link]));
  const stopped = new Set<string>();
  const order = leavingLast(made, present);
  for (const link of order) {
    const old = present.get(link.name);
    const stop = old === undefined ? null : stopBond(namespace, old, link, [...present.values()]);
    configure.push(...(stop?.changes ?? []));
    for (const one of stop?.links ?? []) present.set(one.name, one);
    if (stop !== null) stopped.add(link.name);
    const now = present.get(link.name) ?? null;
    const isArriving = handOvers.some(({ arriving }) => arriving.has(link.name));
    const wanted = isArriving ? unconnected(link) : stop === null ? link : withMacOf(old!, link);
    if (now !== null && isSameSetting(now, wanted)) continue;
    const reason = now === null ? null : leavingReason(now, wanted, present);
    const change: Change = {
      kind: "set-link",
      namespace,
      link: wanted,
      before: now,
      ...(reason === null ? {} : { reason }),
    };
    if (isLate(link.name)) late.set(link.name, change);
    else configure.push(change);
  }
  for (const { card, free } of forgottenPorts(before, after))
    configure.push({ kind: "set-link", namespace, link: free, before: card });
  const changes = handOvers.map((one) => {
    const cards = [...one.others].flatMap((name) => late.get(name) ?? []);
    return handOverChanges(one, after, cards);
  });
  const handOver = changes.flatMap(({ swap }) => swap);
  return { configure, handOver, follow: changes.flatMap(({ follow }) => follow), stopped };
}

function isSameSetting(a: LinkState, b: LinkState): boolean {
  if (a.kind.kind === "bond" && b.kind.kind === "bond") {
    if (changedOptions(a.kind.options, b.kind.options).length > 0) return false;
  }
  if (a.kind.kind === "bridge" && b.kind.kind === "bridge" && a.kind.isVlanAware !== b.kind.isVlanAware)
    return false;
  return (
    (b.mac === null || a.mac === b.mac) &&
    a.mtu === b.mtu &&
    a.isUp === b.isUp &&
    a.alias === b.alias &&
    a.master === b.master &&
    (b.port === null || JSON.stringify(a.port) === JSON.stringify(b.port))
  );
}
