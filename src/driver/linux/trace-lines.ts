// What `nft monitor` says of traced packets, and `nft -j` of maps, as values. A rule that looks addresses up
// in a map is told without the element that it found; that is found here by the packet as the kernel shows
// it.
import type { TracedPacket, TracedStep } from "../../network/explain/compare-rules.ts";

export interface MapElement {
  /** Names of devices, addresses, protocol, port. */
  readonly parts: readonly string[];
  readonly comment: string | null;
}

/** By "family table map". */
export type MapElements = ReadonlyMap<string, readonly MapElement[]>;

type Json = Readonly<Record<string, unknown>>;

/** Empty for what is no JSON of nft. */
export function mapElements(json: string): MapElements {
  const found = new Map<string, MapElement[]>();
  for (const { map } of rulesetOf(json)) {
    if (map === undefined) continue;
    const { family, table, name, elem } = map;
    const pairs: readonly unknown[] = Array.isArray(elem) ? elem : [];
    const elements = pairs.flatMap((pair) => (Array.isArray(pair) ? elementOf(pair[0]) : []));
    found.set(`${family} ${table} ${name}`, elements);
  }
  return found;
}

function rulesetOf(json: string): { readonly map?: Json }[] {
  try {
    const { nftables } = JSON.parse(json) as { readonly nftables?: unknown };
    return Array.isArray(nftables) ? nftables : [];
  } catch {
    return [];
  }
}

/** `{ elem: { val, comment, … } }`, or the value alone. */
function elementOf(json: unknown): MapElement {
  const whole = (json as { readonly elem?: Json } | null)?.elem;
  const value = whole === undefined ? json : whole["val"];
  // A string has a method of that name.
  const concat = typeof value === "object" ? (value as { readonly concat?: unknown } | null)?.concat : null;
  const comment = typeof whole?.["comment"] === "string" ? whole["comment"] : null;
  return { parts: (Array.isArray(concat) ? concat : [value]).map(String), comment };
}

const EVENT = /^trace id (\w+) (\w+) (\S+) (\S+) (packet:|rule|unknown rule|policy|verdict) ?(.*)$/;
const RULE = /^(.*?) ?(?:# )?handle \d+ \(verdict (.*)\)$/;
/** What a rule had counted before is no part of it. */
const COUNTS = / packets \d+ bytes \d+/g;

/** All packets that were told of, in the order of their first lines. Other lines are left out. */
export function tracedPackets(text: string, elements: MapElements): TracedPacket[] {
  const packets = new Map<string, { packet: TracedPacket; steps: TracedStep[]; words: string }>();
  for (const line of text.split("\n")) {
    const [, id = "", family, table = "", chain = "", what, rest = ""] = EVENT.exec(line) ?? [];
    if (what === "packet:") {
      const known = packets.get(id);
      const begun = known ?? begunPacket(rest);
      if (begun === null) continue;
      begun.words = rest;
      packets.set(id, begun);
      continue;
    }
    const entry = packets.get(id);
    if (entry === undefined) continue;
    const { steps, words } = entry;
    if (what === "policy") steps.push({ table, chain, rule: null, verdict: rest.trim(), comment: null });
    const [, rule, verdict] = (what?.endsWith("rule") && RULE.exec(rest)) || [];
    if (rule === undefined || verdict === undefined) continue;
    const comment = commentOf(rule, words, (name) => elements.get(`${family} ${table} ${name}`) ?? []);
    steps.push({ table, chain, rule: rule.replaceAll(COUNTS, ""), verdict, comment });
  }
  return [...packets.values()].map(({ packet }) => packet);
}

function begunPacket(words: string): { packet: TracedPacket; steps: TracedStep[]; words: string } | null {
  const [, source, destination] = /(?:tcp|udp) sport (\d+) (?:tcp|udp) dport (\d+)/.exec(words) ?? [];
  const identifier = echoIdentifier(words);
  if (source === undefined && identifier === null) return null;
  // Questions come from ports above those that are asked.
  const isAnswer = identifier === null ? Number(source) < Number(destination) : words.includes("echo-reply");
  const key = Number(identifier ?? (isAnswer ? destination : source));
  const steps: TracedStep[] = [];
  return { packet: { key, isAnswer, steps }, steps, words };
}

/** nft 1.0.6 shows identifier and number of an ICMPv6 echo as one number of another kind of message. */
function echoIdentifier(words: string): number | null {
  const [, identifier] = /icmp(?:v6)? id (\d+)/.exec(words) ?? [];
  if (identifier !== undefined) return Number(identifier);
  const [, both] = /icmpv6 type echo-\w+ .*icmpv6 parameter-problem (\d+)/.exec(words) ?? [];
  return both === undefined ? null : Number(both) >>> 16;
}

function commentOf(
  rule: string,
  packetWords: string,
  elementsOf: (map: string) => readonly MapElement[],
): string | null {
  const [, own] = /comment "([^"]*)"/.exec(rule) ?? [];
  if (own !== undefined) return own;
  const [, map] = / map @(\S+)/.exec(rule) ?? [];
  if (map === undefined) return null;
  const facts = new Set(packetWords.match(/[^\s"]+/g));
  if (facts.has("icmpv6")) facts.add("ipv6-icmp");
  return elementsOf(map).find(({ parts }) => parts.every((part) => facts.has(part)))?.comment ?? null;
}
