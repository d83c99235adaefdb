// The difference of what is and what should be, as steps in an order that works: nothing is made before what
// it hangs on, nothing new takes a name or address that something old still has. Equal states make an empty
// plan. Pure.
import { familyOfIp, formatSubnet } from "../../base/ip.ts";
import type {
  AddressState,
  LinkState,
  NamespaceName,
  NamespaceState,
  NetworkState,
  NftTable,
  ProcessState,
  RouteState,
  RoutingRule,
} from "../../model/network-state.ts";
import { standingOn } from "./bond-changes.ts";
import { type HandOver, handOversOf, heldPorts, unconnected } from "./hand-over.ts";
import { settingsOf } from "./link-settings.ts";
import { quoted } from "./nft-table.ts";
import { type Change, type Plan, STAGES, type Stage, type Step } from "./plan.ts";
import { changeWords } from "./plan-words.ts";

export function planChanges(present: NetworkState, desired: NetworkState): Plan {
  const steps = new StepList();
  planProcesses(present.processes, desired.processes, steps);
  const presentByName = new Map(present.namespaces.map((one) => [one.name, one]));
  const desiredNames = new Set(desired.namespaces.map(({ name }) => name));
  for (const one of present.namespaces) if (!desiredNames.has(one.name)) planRemoval(one, steps);
  const isNew = (name: NamespaceName) => name !== null && !presentByName.has(name);
  const fresh = connectionsOf(present, desired);
  for (const one of desired.namespaces) {
    const before = presentByName.get(one.name) ?? emptyNamespace(one);
    if (one.name !== null && isNew(one.name))
      steps.add("add-namespaces", { kind: "add-namespace", namespace: one.name, words: one.words });
    planNamespace(before, one, fresh, steps);
  }
  return { steps: steps.inOrder() };
}

/** Nothing is different afterwards. */
const IN_BETWEEN: ReadonlySet<Change["kind"]> = new Set(["await-bond", "hold-port", "swap-ports"]);

/** How many steps of a plan add, change and remove something. */
export function countSteps({ steps }: Plan): { added: number; changed: number; removed: number } {
  const count = { added: 0, changed: 0, removed: 0 };
  for (const { change } of steps) {
    if (/^(add|start)/.test(change.kind)) count.added++;
    else if (/^(delete|stop)/.test(change.kind)) count.removed++;
    // Just made: that it is set up is no change of its own.
    else if (change.kind === "set-link" ? change.before !== null : !IN_BETWEEN.has(change.kind))
      count.changed++;
  }
  return count;
}

class StepList {
  readonly #byStage = new Map<Stage, Step[]>(STAGES.map((stage) => [stage, []]));
  readonly #removedCables = new Set<string>();

  add(stage: Stage, change: Change): void {
    this.#byStage.get(stage)!.push({ stage, words: changeWords(change), change });
  }

  /** The other end of a cable goes with the first, and could not be removed again. */
  addRemoval(namespace: NamespaceName, link: LinkState, stage: Stage): void {
    const cable = link.kind.kind === "veth" ? link.alias : null;
    if (cable !== null && this.#removedCables.has(cable)) return;
    if (cable !== null) this.#removedCables.add(cable);
    this.add(stage, { kind: "delete-link", namespace, link });
  }

  inOrder(): Step[] {
    return [...this.#byStage.values()].flat();
  }
}

// ---- Namespaces and links ----

function emptyNamespace({ name, words }: NamespaceState): NamespaceState {
  // Every namespace is born with a loopback device that is down.
  const loopback: LinkState = {
    name: "lo",
    kind: { kind: "physical" },
    mac: null,
    mtu: 65536,
    isUp: false,
    alias: null,
    master: null,
    port: null,
    isDhcpClient: false,
  };
  return {
    name,
    words,
    links: name === null ? [] : [loopback],
    addresses: [],
    routes: [],
    rules: [],
    sysctls: [],
    tables: [],
  };
}

/** A namespace that goes takes all with it; of the host's own each thing goes by itself. */
function planRemoval(one: NamespaceState, steps: StepList): void {
  if (one.name !== null) {
    steps.add("remove-namespaces", { kind: "delete-namespace", namespace: one.name, words: one.words });
    return;
  }
  planNamespace(one, { ...emptyNamespace(one), links: physicalOf(one) }, new Set(), steps);
}

/** Network cards stay; they are only let go of. */
function physicalOf({ links }: NamespaceState): LinkState[] {
  return links
    .filter(({ kind }) => kind.kind === "physical")
    .map((link) => ({ ...link, master: null, port: null }));
}

/** "namespace device" of every link that has to be made. */
type Fresh = ReadonlySet<string>;

/** A cable has two ends: when one of them is missing or different, both are made anew. */
function connectionsOf(present: NetworkState, desired: NetworkState): Fresh {
  const before = new Map(
    present.namespaces.flatMap(({ name, links }) => links.map((link) => [placeOf(name, link.name), link])),
  );
  const fresh = new Set<string>();
  for (const { name, links } of desired.namespaces) {
    for (const link of links) {
      const place = placeOf(name, link.name);
      const old = before.get(place);
      if (old !== undefined && isSameDevice(old, link)) continue;
      if (link.kind.kind === "physical") continue;
      fresh.add(place);
      if (link.kind.kind === "veth" && link.kind.peer !== null)
        fresh.add(placeOf(link.kind.peer.namespace, link.kind.peer.name));
    }
  }
  return fresh;
}

function placeOf(namespace: NamespaceName, link: string): string {
  return `${namespace ?? ""} ${link}`;
}

/** Whether one can become the other by being set, or must be made anew. */
function isSameDevice(a: LinkState, b: LinkState): boolean {
  // Its alias says what a cable connects; the kernel only tells that it is one.
  if (a.kind.kind === "veth" || b.kind.kind === "veth")
    return a.kind.kind === b.kind.kind && a.alias === b.alias;
  if (a.kind.kind === "vlan" || a.kind.kind === "macvlan")
    return JSON.stringify(a.kind) === JSON.stringify(b.kind);
  return a.kind.kind === b.kind.kind;
}

function planNamespace(before: NamespaceState, after: NamespaceState, fresh: Fresh, steps: StepList): void {
  const namespace = after.name;
  const wanted = new Map(after.links.map((link) => [link.name, link]));
  const gone = new Set<string>();
  const handOvers = handOversOf(before, after);
  const leaving = handOvers.flatMap((one) => one.leaving);
  for (const link of before.links) {
    if (leaving.includes(link)) continue;
    const isRemoved = !wanted.has(link.name) || fresh.has(placeOf(namespace, link.name));
    if (!isRemoved || link.kind.kind === "physical") continue;
    gone.add(link.name);
    // A bridge whose name is wanted again is in the way of the new one, and one with addresses of those.
    const isFree = !wanted.has(link.name) && !before.addresses.some((one) => one.link === link.name);
    steps.addRemoval(namespace, link, link.kind.kind === "bridge" && isFree ? "remove-bridges" : "remove");
  }
  const links = new Map(before.links.map((link) => [link.name, link]));
  const made = inDependencyOrder(after.links);
  for (const link of made) {
    const old = links.get(link.name);
    const isNew = old === undefined || gone.has(link.name);
    if (isNew && link.kind.kind !== "physical" && isMaker(namespace, link)) {
      const stage = link.kind.kind === "veth" ? "connect" : "configure";
      steps.add(stage, { kind: "add-link", namespace, link });
    }
  }
  planSysctls(before, after, steps);
  const isFresh = (name: string) => fresh.has(placeOf(namespace, name));
  planTables(before.tables, after, isFresh, steps);
  const stopped = planSettings(before, after, made, gone, handOvers, steps);
  for (const link of leaving) steps.addRemoval(namespace, link, "remove-bridges");
  planAddresses(before, after, gone, standingOn(stopped, after.links), steps);
}

/** The names of the bonds that go down for a moment. */
function planSettings(
  before: NamespaceState,
  after: NamespaceState,
  made: readonly LinkState[],
  gone: ReadonlySet<string>,
  handOvers: readonly HandOver[],
  steps: StepList,
): ReadonlySet<string> {
  const held = heldPorts(before, after);
  for (const link of held)
    steps.add("remove", { kind: "set-link", namespace: after.name, link: unconnected(link), before: link });
  const links = before.links.map((link) => (held.includes(link) ? unconnected(link) : link));
  const settings = settingsOf({ ...before, links }, after, made, gone, handOvers);
  for (const change of settings.configure) steps.add("configure", change);
  for (const change of settings.handOver) steps.add("hand-over", change);
  for (const change of settings.follow) steps.add("follow", change);
  return settings.stopped;
}

/** Of the two ends of a cable one makes both. */
function isMaker(namespace: NamespaceName, { name, kind }: LinkState): boolean {
  if (kind.kind !== "veth" || kind.peer === null) return true;
  return placeOf(namespace, name) < placeOf(kind.peer.namespace, kind.peer.name);
}

/** Bridges, bonds and what VLANs lie on before what hangs on them. */
function inDependencyOrder(links: readonly LinkState[]): LinkState[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  const done = new Set<string>();
  const order: LinkState[] = [];
  const visit = (link: LinkState) => {
    if (done.has(link.name)) return;
    done.add(link.name);
    const { kind, master } = link;
    const below = kind.kind === "vlan" || kind.kind === "macvlan" ? [kind.link] : [];
    for (const name of [...below, ...(master === null ? [] : [master])]) {
      const other = byName.get(name);
      if (other !== undefined) visit(other);
    }
    order.push(link);
  };
  for (const link of links) visit(link);
  return order;
}

// ---- Addresses, routes, rules ----

function planAddresses(
  before: NamespaceState,
  after: NamespaceState,
  gone: ReadonlySet<string>,
  stopped: ReadonlySet<string>,
  steps: StepList,
): void {
  const namespace = after.name;
  const dynamic = new Set(after.links.filter(({ isDhcpClient }) => isDhcpClient).map(({ name }) => name));
  const isOurs = ({ link }: { readonly link: string }) => !dynamic.has(link);
  // What was on a device that is made anew went with it.
  const stays = ({ link }: { readonly link: string }) => !gone.has(link) && isOurs({ link });
  const rules = difference(before.rules, after.rules, ruleKey);
  const routes = difference(
    before.routes.filter((one) => stays(one) && !stopped.has(one.link)),
    after.routes.filter(isOurs),
    routeKey,
  );
  const addresses = difference(
    before.addresses.filter((one) => stays(one) && !(stopped.has(one.link) && familyOfIp(one.ip) === 6)),
    after.addresses.filter(isOurs),
    addressKey,
  );
  // Routes that only change are replaced in one go; those of a deleted address go by themselves.
  const replaced = new Set(routes.added.map(destinationKey));
  for (const rule of rules.removed) steps.add("remove", { kind: "delete-rule", namespace, rule });
  for (const route of routes.removed)
    if (!replaced.has(destinationKey(route))) steps.add("remove", { kind: "delete-route", namespace, route });
  for (const address of addresses.removed)
    steps.add("remove", { kind: "delete-address", namespace, address });
  for (const address of addresses.added) steps.add("configure", { kind: "add-address", namespace, address });
  for (const route of [...routes.added].sort(byReach))
    steps.add("configure", { kind: "add-route", namespace, route });
  for (const rule of rules.added) steps.add("configure", { kind: "add-rule", namespace, rule });
}

/** Routes without router first: the others need them. */
function byReach(a: RouteState, b: RouteState): number {
  return Number(a.via !== null) - Number(b.via !== null);
}

function ruleKey({ priority, inLink, mark, table }: RoutingRule): string {
  return `${priority} ${inLink ?? ""} ${mark ?? ""} ${table}`;
}

function routeKey(route: RouteState): string {
  const { via, link, source, type } = route;
  return `${destinationKey(route)} ${via ?? ""} ${link} ${source ?? ""} ${type}`;
}

function destinationKey({ to, table }: RouteState): string {
  return `${formatSubnet(to)} ${table}`;
}

function addressKey({ link, ip, prefix, isBare, isDeprecated }: AddressState): string {
  return `${link} ${ip}/${prefix} ${isBare} ${isDeprecated}`;
}

function difference<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (one: T) => string,
): { readonly added: readonly T[]; readonly removed: readonly T[] } {
  const [oldKeys, wantedKeys] = [before.map(keyOf), after.map(keyOf)];
  const [old, wanted] = [new Set(oldKeys), new Set(wantedKeys)];
  return {
    added: after.filter((_one, index) => !old.has(wantedKeys[index]!)),
    removed: before.filter((_one, index) => !wanted.has(oldKeys[index]!)),
  };
}

// ---- Settings, tables, processes ----

/** Settings that nobody wants any more stay as they are: what they were before us is not known. */
function planSysctls(before: NamespaceState, after: NamespaceState, steps: StepList): void {
  const values = new Map(before.sysctls.map(({ key, value }) => [key, value]));
  for (const sysctl of after.sysctls) {
    if (values.get(sysctl.key) !== sysctl.value)
      steps.add("configure", { kind: "set-sysctl", namespace: after.name, sysctl });
  }
}

/**
 * Rules of family netdev hang on the devices that they name, and are gone or dangling when those are new.
 */
function planTables(
  before: readonly NftTable[],
  { name: namespace, links, tables }: NamespaceState,
  isFresh: (link: string) => boolean,
  steps: StepList,
): void {
  const keyOf = ({ family, name }: NftTable) => `${family} ${name}`;
  const hashes = new Map(before.map((table) => [keyOf(table), table.hash]));
  const wanted = new Set(tables.map(keyOf));
  const freshNames = links.filter(({ name }) => isFresh(name)).map(({ name }) => quoted(name));
  for (const table of before)
    if (!wanted.has(keyOf(table))) steps.add("remove", { kind: "delete-table", namespace, table });
  for (const table of tables) {
    const hangs = table.family === "netdev" && freshNames.some((name) => table.text?.includes(name));
    if (hangs || hashes.get(keyOf(table)) !== table.hash)
      steps.add("configure", { kind: "put-table", namespace, table });
  }
}

function planProcesses(
  before: readonly ProcessState[],
  after: readonly ProcessState[],
  steps: StepList,
): void {
  const running = new Map(before.map((one) => [one.name, one]));
  const wanted = new Set(after.map(({ name }) => name));
  for (const process of before)
    if (!wanted.has(process.name)) steps.add("stop", { kind: "stop-process", process });
  for (const process of after) {
    const old = running.get(process.name);
    if (old === undefined) steps.add("start", { kind: "start-process", process });
    else if (startKey(old) !== startKey(process)) {
      steps.add("stop", { kind: "stop-process", process: old });
      steps.add("start", { kind: "start-process", process });
    } else if (old.reload?.hash !== process.reload?.hash)
      steps.add("start", { kind: "reload-process", process });
  }
}

/**
 * What cannot change while it runs; with a reload, the first file is its configuration, the rest is read
 * again.
 */
function startKey({ command, namespace, workingDirectory, isIsolated, files, reload }: ProcessState): string {
  const fixed = reload === null ? files : files.slice(0, 1);
  return JSON.stringify([command, namespace, workingDirectory, isIsolated, fixed]);
}
