// What has passed each port of the switches, as the kernel has counted it: frames that its machine sent,
// frames that it was sent, and what rules of the ports have dropped. And what has passed the cards and bonds
// by which they reach the world.
import type { NamespaceName, NamespaceState, NetworkState } from "../../model/network-state.ts";
import { aliasPrefix, plainTableName } from "../../network/plan/kernel-names.ts";
import { PORT_TABLE } from "../../network/plan/port-security.ts";
import { TRAFFIC_TABLE } from "../../network/plan/traffic-rules.ts";
import { runCommand } from "./command.ts";
import { parseJson } from "./records.ts";

export interface PortCounters {
  readonly link: string;
  /** "web-001/eth0". */
  readonly owner: string;
  readonly sent: Count;
  readonly received: Count;
}

export interface Count {
  readonly packets: number;
  readonly bytes: number;
  /** By the port itself: no memory, or nobody at the other end. */
  readonly dropped: number;
}

export interface CardCounters {
  readonly link: string;
  /** By this machine. */
  readonly sent: Count;
  readonly received: Count;
}

export interface RuleDrops {
  /** In the words of the file: "forged-transmits", "filters". */
  readonly words: string;
  readonly packets: number;
}

/** Where the rules of ports drop, by table and chain. */
const DROPPING: Readonly<Record<string, string>> = {
  [`${PORT_TABLE} sp_from_port`]: "forged-transmits",
  [`${PORT_TABLE} sp_to_port`]: "promiscuous",
  [`${TRAFFIC_TABLE} sp_from_machine`]: "bpdu-filter",
};

export interface CountedPorts {
  readonly ports: readonly PortCounters[];
  readonly cards: readonly CardCounters[];
  readonly drops: readonly RuleDrops[];
}

/** Of what was applied of that datacentre; a sentence when the kernel does not tell. */
export async function readPortCounters(
  { namespaces }: NetworkState,
  datacenter: string,
): Promise<CountedPorts | string> {
  const ports: PortCounters[] = [];
  const cards: CardCounters[] = [];
  const drops = new Map<string, number>();
  const prefix = aliasPrefix(datacenter);
  for (const one of namespaces.filter(hasPorts)) {
    const enter = one.name === null ? [] : ["nsenter", `--net=/run/netns/${one.name}`];
    const shown = await runCommand([...enter, "ip", "-s", "-json", "link", "show"]);
    const listed = await runCommand([...enter, "nft", "-j", "list", "ruleset", "bridge"]);
    if (shown.status !== 0) return shown.errors.split("\n")[0] ?? "";
    const namesOf = (links: NamespaceState["links"]) => new Set(links.map(({ name }) => name));
    const portNames = namesOf(one.links.filter(isPort));
    const cardNames = namesOf(cardsOf(one));
    for (const link of parseJson<readonly ShownLink[]>(shown.output)) {
      const name = link.ifname.split("@")[0]!;
      if (portNames.has(name)) ports.push(countersOf(name, link, prefix));
      if (cardNames.has(name)) cards.push(cardOf(name, link));
    }
    if (listed.status !== 0) continue;
    for (const [words, packets] of dropsIn(listed.output, one.name, datacenter))
      drops.set(words, (drops.get(words) ?? 0) + packets);
  }
  return { ports, cards, drops: [...drops].map(([words, packets]) => ({ words, packets })) };
}

function hasPorts(one: NamespaceState): boolean {
  return one.links.some(isPort) || cardsOf(one).length > 0;
}

/** The machine's own: both a bond and its members, where each frame is counted twice. */
function cardsOf({ name: namespace, links }: NamespaceState): NamespaceState["links"] {
  if (namespace !== null) return [];
  return links.filter(
    ({ name, kind }) => name !== "lo" && (kind.kind === "physical" || kind.kind === "bond"),
  );
}

/** A cable from a bridge of a switch to somebody, by the name that `wiring.ts` gives it. */
function isPort({ name, kind, master }: NamespaceState["links"][number]): boolean {
  return kind.kind === "veth" && master !== null && name.startsWith("p-");
}

interface ShownLink {
  readonly ifname: string;
  readonly ifalias?: string;
  readonly stats64?: { readonly rx: Count; readonly tx: Count };
}

const NOTHING: Count = { packets: 0, bytes: 0, dropped: 0 };

/** What the port receives is what its machine sends. */
function countersOf(name: string, shown: ShownLink, prefix: string): PortCounters {
  const { ifalias = "" } = shown;
  const owner = ifalias.startsWith(prefix) ? ifalias.slice(prefix.length) : name;
  const { sent, received } = cardOf(name, shown);
  return { link: name, owner, sent: received, received: sent };
}

function cardOf(name: string, { stats64 }: ShownLink): CardCounters {
  const pick = ({ packets, bytes, dropped }: Count) => ({ packets, bytes, dropped });
  return { link: name, sent: pick(stats64?.tx ?? NOTHING), received: pick(stats64?.rx ?? NOTHING) };
}

interface ListedRule {
  readonly rule?: {
    readonly table: string;
    readonly chain: string;
    readonly expr: readonly { readonly counter?: { readonly packets: number }; readonly drop?: null }[];
  };
}

function* dropsIn(
  json: string,
  namespace: NamespaceName,
  datacenter: string,
): Generator<readonly [string, number]> {
  for (const { rule } of parseJson<{ readonly nftables: readonly ListedRule[] }>(json).nftables) {
    if (rule === undefined || !rule.expr.some((one) => "drop" in one)) continue;
    const table = plainTableName(rule.table, namespace, datacenter);
    const isGroup = table === TRAFFIC_TABLE && rule.chain.startsWith("sp_group_");
    const words = isGroup ? "filters" : DROPPING[`${table} ${rule.chain}`];
    const packets = rule.expr.find(({ counter }) => counter !== undefined)?.counter?.packets;
    if (words !== undefined && packets !== undefined) yield [words, packets];
  }
}
