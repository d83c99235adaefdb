// Reads what the kernel has: by netlink where a namespace can be entered for the length of a call, else with
// one process for each of `ip` and `nft` in each namespace, driven by one script. What a table says is
// compared with what it said right after it was loaded, so that a rule changed by hand is found.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import type {
  NamespaceName,
  NamespaceState,
  NetworkState,
  NftTable,
  Sysctl,
} from "../../model/network-state.ts";
import { LIVE_SET } from "../../network/cluster/member-settings.ts";
import { contentHash } from "../../network/plan/kernel-names.ts";
import { ownPart } from "../../network/plan/own-part.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import { runCommand } from "./command.ts";
import { addressesOf, linksOf, routesOf, rulesOf, vlansOf } from "./ip-json.ts";
import { listNamespaces } from "./namespaces.ts";
import { readInside } from "./read-inside.ts";
import { type LoadedTables, type Recognised, recogniseTables } from "./recognised-tables.ts";

/** `index namespace how` a line on its input. */
const READ_EACH = `
while read -r index namespace how; do
  echo "@@ $index"
  if [ "$namespace" = - ]; then sh ./one "$index"
  elif [ "$how" = devices ]; then nsenter --net="/run/netns/$namespace" ip -N -d -json -batch show
  else nsenter --net="/run/netns/$namespace" sh ./one "$index"; fi || exit 1
done
`;

const READ_ONE = `
ip -N -d -json -batch show || exit 1
echo "@nft"
[ ! -f "$1.tables" ] || nft -s list ruleset || exit 1
echo "@sysctl"
keys=$PWD/$1.keys
(cd /proc/sys && xargs -r grep -sH "" < "$keys") || :
[ ! -f "$1.vlans" ] || { echo "@vlan"; bridge -json vlan show; }
`;
const SHOW = "address show\nroute show table all\nrule show\n";

/** What tables said when they were loaded: "namespace family name" -> the listing's hash and the text's. */
export type Listings = Map<string, { readonly listing: string; readonly hash: string }>;

export interface Reading {
  readonly known: NetworkState;
  readonly aliasPrefix: string;
  readonly listings: Listings;
  readonly loaded: LoadedTables;
  /** Null: namespaces are entered by processes only. */
  readonly door: NamespaceDoor | null;
  readonly recognised: Recognised;
}

export async function readNamespaces(
  reading: Reading,
  parent: string,
): Promise<readonly NamespaceState[] | { readonly message: string }> {
  const there = new Set(listNamespaces());
  const mentioned = [...new Set(reading.known.namespaces.map(({ name }) => name))];
  const all = mentioned.filter((name) => name === null || there.has(name));
  const { found, knownTables } = await readQuickly(all, reading);
  const names = all.filter((name) => !found.has(name));
  const inOrder = () => all.map((name) => found.get(name)!);
  if (names.length === 0) return inOrder();
  const directory = mkdtempSync(join(parent, "read-"));
  try {
    const texts = await readTexts(names, reading.known, directory);
    if ("message" in texts) return texts;
    names.forEach((name, index) => {
      found.set(name, parseNamespace(name, texts.texts[index] ?? "", reading, knownTables));
    });
    return inOrder();
  } catch (error) {
    // What `ip` or `nft` say is theirs to choose.
    return { message: `what the kernel said was not understood: ${(error as Error).message}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Namespaces between two pauses, so that a progress display goes on. */
const WITHOUT_PAUSE = 50;

interface QuicklyRead {
  readonly found: Map<NamespaceName, NamespaceState>;
  /** By "namespace family name": of namespaces where others are not known. */
  readonly knownTables: ReadonlyMap<string, NftTable>;
}

/** Those that need no process: whose tables are recognised, and of which nothing else has to be asked. */
async function readQuickly(
  names: readonly NamespaceName[],
  { door, known, recognised, loaded, aliasPrefix }: Reading,
): Promise<QuicklyRead> {
  const found = new Map<NamespaceName, NamespaceState>();
  const knownTables = new Map<string, NftTable>();
  if (door === null) return { found, knownTables };
  const byName = Map.groupBy(known.namespaces, ({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (index % WITHOUT_PAUSE === WITHOUT_PAUSE - 1) await pause();
    const states = byName.get(name) ?? [];
    if (name === null || isVlanAware(states)) continue;
    const hasTables = states.some(({ tables }) => tables.length > 0);
    const inside = readInside(door, name, new Set(states.flatMap(sysctlKeys)), hasTables);
    if (inside === null) continue;
    const { signature, shown, routes, rules, sysctls } = inside;
    if (hasTables && signature === null) continue;
    const { tables, known: some } = hasTables
      ? recogniseTables(door, name, signature!, recognised, loaded)
      : { tables: [], known: [] };
    for (const table of some) knownTables.set(`${name} ${table.family} ${table.name}`, table);
    if (tables === null) continue;
    const state = stateOf(name, states[0]?.words ?? "", shown, routes, rules, sysctls, tables);
    found.set(name, ownPart(state, states, aliasPrefix));
  }
  return { found, knownTables };
}

function isVlanAware(states: readonly NamespaceState[]): boolean {
  return states.some(({ links }) => links.some(({ kind }) => kind.kind === "bridge" && kind.isVlanAware));
}

function sysctlKeys({ sysctls }: NamespaceState): string[] {
  return sysctls.map(({ key }) => key);
}

type Json = Readonly<Record<string, unknown>>;

/** Of what `ip -json` says. */
function stateOf(
  name: NamespaceName,
  words: string,
  shown: readonly Json[],
  routes: readonly Json[],
  rules: readonly Json[],
  sysctls: readonly Sysctl[],
  tables: readonly NftTable[],
): NamespaceState {
  const [links, addresses] = [linksOf(shown), addressesOf(shown)];
  return {
    ...{ name, words, links, addresses, sysctls, tables },
    ...{ routes: routesOf(routes), rules: rulesOf(rules) },
  };
}

async function readTexts(
  names: readonly NamespaceName[],
  known: NetworkState,
  directory: string,
): Promise<{ readonly texts: readonly string[] } | { readonly message: string }> {
  writeFileSync(join(directory, "each"), READ_EACH);
  writeFileSync(join(directory, "one"), READ_ONE);
  writeFileSync(join(directory, "show"), SHOW);
  const byName = Map.groupBy(known.namespaces, ({ name }) => name);
  const lines = names.map((name, index) => {
    const states = byName.get(name) ?? [];
    const keys = new Set(states.flatMap(sysctlKeys));
    writeFileSync(join(directory, `${index}.keys`), [...keys].map((key) => `${key}\n`).join(""));
    const hasVlans = isVlanAware(states);
    if (hasVlans) writeFileSync(join(directory, `${index}.vlans`), "");
    const hasTables = states.some(({ tables }) => tables.length > 0);
    if (hasTables) writeFileSync(join(directory, `${index}.tables`), "");
    // Most namespaces are of machines, where nothing else of ours is: two programs less for each.
    const isPlain = !hasTables && !hasVlans && keys.size === 0;
    return `${index} ${name ?? "-"} ${isPlain ? "devices" : "all"}\n`;
  });
  const share = Math.min(availableParallelism(), Math.max(1, lines.length));
  const results = await Promise.all(
    Array.from({ length: share }, (_, at) =>
      runCommand(["sh", "./each"], {
        directory,
        input: lines.filter((_line, index) => index % share === at).join(""),
      }),
    ),
  );
  const failure = results.find(({ status }) => status !== 0);
  if (failure !== undefined)
    return { message: `the present state cannot be read: ${failure.errors.split("\n")[0] ?? ""}` };
  const texts: string[] = [];
  for (const { output } of results) {
    for (const part of output.split(/^@@ /m).slice(1)) {
      const end = part.indexOf("\n");
      texts[Number(part.slice(0, end))] = part.slice(end + 1);
    }
  }
  return { texts };
}

function parseNamespace(
  name: NamespaceName,
  text: string,
  reading: Reading,
  knownTables: ReadonlyMap<string, NftTable>,
): NamespaceState {
  const mine = reading.known.namespaces.filter((one) => one.name === name);
  const [ip = "", ...sections] = text.split(/^@(?=(?:nft|sysctl|vlan)$)/m);
  const section = (wanted: string) =>
    (sections.find((one) => one.startsWith(`${wanted}\n`)) ?? "").slice(wanted.length + 1);
  const [shown = [], routes = [], rules = []] = jsonLists(ip);
  const vlans = vlansOf(jsonLists(section("vlan"))[0] ?? []);
  const words = mine[0]?.words ?? "";
  const tables = tablesOf(name, section("nft"), reading, knownTables);
  const state = stateOf(name, words, shown, routes, rules, sysctlsOf(section("sysctl")), tables);
  const links = state.links.map((link) =>
    link.port === null || !vlans.has(link.name)
      ? link
      : { ...link, port: { ...link.port, vlans: vlans.get(link.name)! } },
  );
  return ownPart({ ...state, links }, mine, reading.aliasPrefix);
}

/** A batch prints one list after the other, some with line feeds inside. */
function jsonLists(text: string): Readonly<Record<string, unknown>>[][] {
  return text
    .split(/(?<=\])\s*\n(?=\[)/)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as Readonly<Record<string, unknown>>[]);
}

function sysctlsOf(text: string): Sysctl[] {
  return text.split("\n").flatMap((line): Sysctl[] => {
    const [, key, value] = /^(net\/[^:\s]+):(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value: value.replaceAll("\t", " ") }];
  });
}

/** What the agents of clusters take or give up is no change of the table. */
function withoutLiveElements(body: string): string {
  const sets = new RegExp(
    `^(\\tset ${LIVE_SET}\\w+ \\{\\n(?:\\t\\t(?!elements).*\\n)*)\\t\\telements = \\{[^}]*\\}\\n`,
    "gm",
  );
  return body.replaceAll(sets, "$1");
}

function tablesOf(
  namespace: NamespaceName,
  text: string,
  { listings, loaded }: Reading,
  knownTables: ReadonlyMap<string, NftTable>,
): NftTable[] {
  const tables: NftTable[] = [];
  for (const [body, family, name] of text.matchAll(/^table (\w+) (\S+) \{\n.*?^\}$/gms)) {
    const key = `${namespace ?? ""} ${family} ${name}`;
    const listing = contentHash(withoutLiveElements(body));
    const justLoaded = loaded.get(key)?.hash;
    if (justLoaded !== undefined) {
      listings.set(key, { listing, hash: justLoaded });
      loaded.delete(key);
    }
    const known = knownTables.get(key);
    if (known !== undefined) listings.set(key, { listing, hash: known.hash });
    const entry = listings.get(key);
    const head = `table ${family} ${name}`;
    tables.push({
      family: family as NftTable["family"],
      name: name!,
      // What nft says, it also takes.
      text: `${head}\ndelete ${head}\n${body}\n`,
      hash: entry?.listing === listing ? entry.hash : `listing ${listing}`,
    });
  }
  return tables;
}
