// How cards go from a bond to a new one that takes its place, as when a switch gets another LAG for its
// uplink: one card leaves, and the new bond begins with it; when that carries frames, what was connected to
// the old bond is connected to the new one, and the other cards follow. So the uplink never is without a
// cable. Two bonds that carry in one bridge would be a loop, so the old one stops just before.
import type { LinkState, NamespaceState } from "../../model/network-state.ts";
import { standingOn } from "./bond-changes.ts";
import type { Change } from "./plan.ts";

export interface HandOver {
  readonly to: LinkState;
  /** The card that goes ahead. */
  readonly first: string;
  readonly others: ReadonlySet<string>;
  /** The old bond and what stands on it, as far as nobody wants them any more: they go last. */
  readonly leaving: readonly LinkState[];
  /** The new bond, or VLANs on it, that get into a bridge once it carries frames. */
  readonly arriving: ReadonlySet<string>;
}

/** None for a bond that somebody addresses: an address cannot be at two places meanwhile. */
export function handOversOf(before: NamespaceState, after: NamespaceState): HandOver[] {
  const bonds = after.links.filter(({ kind }) => kind.kind === "bond");
  if (bonds.length === 0) return [];
  const present = new Map(before.links.map((link) => [link.name, link]));
  const wanted = new Map(after.links.map((link) => [link.name, link]));
  return bonds.flatMap((to): HandOver[] => {
    if (present.has(to.name)) return [];
    const cards = after.links.filter(({ name, master }) => master === to.name && present.has(name));
    const from = present.get(present.get(cards[0]?.name ?? "")?.master ?? "");
    if (from?.kind.kind !== "bond" || cards.length < 2) return [];
    const had = before.links.filter(({ master }) => master === from.name);
    // Where one stays with the old bond, that carries on anyway.
    if (had.some(({ name }) => wanted.get(name)?.master === from.name)) return [];
    if (cards.some(({ name }) => present.get(name)!.master !== from.name)) return [];
    const old = standingOn(new Set([from.name]), before.links);
    if (before.addresses.some(({ link }) => old.has(link))) return [];
    const leaving = before.links.filter(({ name }) => old.has(name) && !wanted.has(name));
    const isBond = ({ kind }: LinkState) => kind.kind === "bond";
    const fresh = standingOn(new Set([to.name]), after.links);
    const arriving = after.links.filter(({ name, master }) => fresh.has(name) && master !== null);
    const [first, ...others] = cards.map(({ name }) => name).reverse();
    return [
      {
        to,
        first: first!,
        others: new Set(others),
        // The last VLAN first: with what it stands on the kernel takes it away by itself.
        leaving: [...leaving].reverse().sort((a, b) => Number(isBond(a)) - Number(isBond(b))),
        arriving: new Set(arriving.map(({ name }) => name)),
      },
    ];
  });
}

export interface HandOverChanges {
  /** Behind the first card. */
  readonly swap: readonly Change[];
  /** Behind that: what the other cards do. */
  readonly follow: readonly Change[];
}

/** `cards`: the settings of the others. */
export function handOverChanges(
  { to, leaving, arriving }: HandOver,
  { name: namespace, links }: NamespaceState,
  cards: readonly Change[],
): HandOverChanges {
  const awaited: Change = { kind: "await-bond", namespace, link: to };
  const old = leaving.filter(({ master }) => master !== null);
  const out = old.map(
    (before): Change => ({ kind: "set-link", namespace, link: unconnected(before), before }),
  );
  const fresh = links.filter(({ name }) => arriving.has(name));
  const arrivals = fresh.map(
    (link): Change => ({ kind: "set-link", namespace, link, before: unconnected(link) }),
  );
  const from = old.find(({ name, master }) => name !== to.name && master === to.master);
  const hasVlans = (to.port?.vlans ?? []).length > 0;
  if (from === undefined || !hasVlans) return { swap: [awaited, ...out, ...arrivals], follow: cards };
  // Without a VLAN it passes nothing on. These, thousands perhaps, are not added in a moment: it is held
  // back.
  const bare = { ...to, port: null };
  const swap: Change[] = [
    awaited,
    { kind: "set-link", namespace, link: bare, before: unconnected(to) },
    { kind: "hold-port", namespace, link: to },
    { kind: "set-link", namespace, link: to, before: bare },
    { kind: "swap-ports", namespace, link: to, from },
  ];
  return { swap, follow: [...out, ...cards] };
}

/** As it is until then. */
export function unconnected(link: LinkState): LinkState {
  return { ...link, master: null, port: null };
}

/**
 * Bonds that an interrupted hand-over may have left in their bridge without carrying: another one is there
 * beside them. Out of it and in again, a port carries.
 */
export function heldPorts(before: NamespaceState, after: NamespaceState): LinkState[] {
  const bonds = before.links.filter(({ kind, master }) => kind.kind === "bond" && master !== null);
  if (bonds.length < 2) return [];
  const wanted = new Map(after.links.map((link) => [link.name, link]));
  return bonds.filter(
    ({ name, master }) =>
      wanted.get(name)?.master === master &&
      bonds.some((other) => other.master === master && !wanted.has(other.name)),
  );
}
