// How a bond that is running becomes another. Most options change while frames pass. For some it has to be
// down, which takes a few milliseconds; for its mode it has to be empty as well, and then the members come
// back at once, with the MAC that the others know it by. Nothing on it is made anew; but what the kernel
// takes away from a device that goes down is put back.
import type { LinkState, NamespaceName, NamespaceState } from "../../model/network-state.ts";
import { bondStop } from "./bond-options.ts";
import type { Change } from "./plan.ts";

/** A bond's way to a stop, and what is the case from then on. */
export interface StoppedBond {
  readonly changes: readonly Change[];
  /** Bond and members as they are then, for what follows to start from. */
  readonly links: readonly LinkState[];
}

/** Null: it is no bond, or need not stop. `present`: all that is there. */
export function stopBond(
  namespace: NamespaceName,
  before: LinkState,
  after: LinkState,
  present: readonly LinkState[],
): StoppedBond | null {
  if (before.kind.kind !== "bond" || after.kind.kind !== "bond") return null;
  const stop = bondStop(before.kind.options, after.kind.options);
  if (stop === null) return null;
  const { isEmptied, reason } = stop;
  const down: LinkState = { ...before, isUp: false };
  const changes: Change[] = [];
  if (before.isUp) changes.push({ kind: "set-link", namespace, link: down, before, reason });
  if (!isEmptied) return { changes, links: [down] };
  const members = present.filter(({ master }) => master === before.name);
  // The kernel takes a member that it lets go of down by itself.
  const free = members.map((member): LinkState => ({ ...member, master: null, isUp: false }));
  members.forEach((member, index) => {
    changes.push({ kind: "set-link", namespace, link: free[index]!, before: member });
  });
  // An empty bond gets a MAC by chance. What has been learnt of the old one shall stay true.
  return { changes, links: [{ ...down, mac: null }, ...free] };
}

/** As it shall be, when its MAC was the members' and is not said: that stays. */
export function withMacOf(before: LinkState, after: LinkState): LinkState {
  return after.mac === null ? { ...after, mac: before.mac } : after;
}

/** What is left when some are removed: the kernel takes a bond's members down as it lets go of them. */
export function withoutGone(links: readonly LinkState[], gone: ReadonlySet<string>): LinkState[] {
  const bonds = new Set(links.filter(({ name, kind }) => kind.kind === "bond" && gone.has(name)).map(nameOf));
  return links
    .filter(({ name }) => !gone.has(name))
    .map((link) =>
      link.master !== null && bonds.has(link.master) ? { ...link, master: null, isUp: false } : link,
    );
}

function nameOf({ name }: LinkState): string {
  return name;
}

/** A bond and what is stacked on it: their routes, and addresses of IPv6, go when it goes down. */
export function standingOn(bonds: ReadonlySet<string>, links: readonly LinkState[]): Set<string> {
  const names = new Set(bonds);
  // Links have no order here, so it is looked through until nothing is added.
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const { name, kind } of links)
      if ((kind.kind === "vlan" || kind.kind === "macvlan") && names.has(kind.link)) names.add(name);
  }
  return names;
}

/**
 * The others first: a bond gets a new member before it loses an old one. What hangs on a card that leaves
 * comes behind it, as it was. `links` are in dependency order.
 */
export function leavingLast(
  links: readonly LinkState[],
  present: ReadonlyMap<string, LinkState>,
): LinkState[] {
  const late = new Set<string>();
  for (const { name, kind, master } of links) {
    const was = present.get(name)?.master ?? null;
    const leaves = was !== null && was !== master && present.get(was)?.kind.kind === "bond";
    const below = kind.kind === "vlan" || kind.kind === "macvlan" ? kind.link : null;
    if (leaves || (below !== null && late.has(below)) || (master !== null && late.has(master)))
      late.add(name);
  }
  return [...links.filter(({ name }) => !late.has(name)), ...links.filter(({ name }) => late.has(name))];
}

/** What a card that leaves a bond without LACP means for frames; null: nothing, or it does not. */
export function leavingReason(
  before: LinkState,
  after: LinkState,
  present: ReadonlyMap<string, LinkState>,
): string | null {
  const bond = before.master === null || before.master === after.master ? null : present.get(before.master);
  if (bond?.kind.kind !== "bond") return null;
  const mode = new Map(bond.kind.options).get("mode") ?? "";
  // By LACP the other end is told, and the modes that need no LAG have taught it where to send.
  if (mode !== "balance-xor" && mode !== "balance-rr") return null;
  return "the other end, without LACP, sends to it until it is out of the LAG there, too";
}

/**
 * Cards of a bond or bridge that stays, of which the file says nothing any more, as they are and as they are
 * let go of. Those of a bond stay down, as the kernel leaves them, so that the other end sends nothing there.
 */
export function forgottenPorts(
  before: NamespaceState,
  after: NamespaceState,
): { readonly card: LinkState; readonly free: LinkState }[] {
  const wanted = new Map(after.links.map((link) => [link.name, link]));
  return before.links.flatMap((card) => {
    const master = card.master === null ? undefined : wanted.get(card.master);
    if (card.kind.kind !== "physical" || wanted.has(card.name) || master === undefined) return [];
    const isUp = card.isUp && master.kind.kind !== "bond";
    return [{ card, free: { ...card, master: null, port: null, isUp } }];
  });
}
