// Text of nftables tables. A table is always replaced as a whole, in one transaction with what was there
// before: no packet meets half a table, and connections that are known stay known. Generated names have a
// prefix, since words such as `fwd` and `mark` are nft's own.
import type { IpRange } from "../../base/ip.ts";
import type { PortRange } from "../../model/datacenter.ts";
import type { NftTable } from "../../model/network-state.ts";
import { contentHash } from "./kernel-names.ts";

export interface NftMap {
  readonly name: string;
  /** "ipv4_addr . inet_service : verdict" */
  readonly type: string;
  readonly isInterval: boolean;
  /** Elements may end by themselves. */
  readonly hasTimeouts?: boolean;
  /** Rules put elements into it, which end so many seconds after the last time. */
  readonly learnsForSeconds?: number;
  /** Each element counts the packets that have met it. */
  readonly isCounted?: boolean;
  /** "192.0.2.1 . 80 : accept"; of a set without the part behind the colon. */
  readonly elements: readonly string[];
}

export interface NftChain {
  readonly name: string;
  /** "type filter hook forward priority filter; policy drop;"; null for one that is jumped to. */
  readonly hook: string | null;
  readonly rules: readonly string[];
}

export interface NftTableContent {
  readonly sets?: readonly NftMap[];
  readonly maps: readonly NftMap[];
  readonly chains: readonly NftChain[];
}

/** Chains that are jumped to must stand before those that jump. */
export function nftTable(family: NftTable["family"], name: string, content: NftTableContent): NftTable {
  const body = [
    ...(content.sets ?? []).map((set) => setText("set", set)),
    ...content.maps.map((map) => setText("map", map)),
    ...content.chains.map(chainText),
  ].join("\n");
  const head = `table ${family} ${name}`;
  // nft 1.0.6 has no `destroy`: the first line makes sure that there is one to delete.
  const text = `${head}\ndelete ${head}\n${head} {\n${body}\n}\n`;
  return { family, name, text, hash: contentHash(text) };
}

/** Between quotes, as nft takes names of devices; they have no quotes in them. */
export function quoted(text: string): string {
  return `"${text}"`;
}

/** "{ 192.0.2.1, 192.0.2.8-192.0.2.9 }", or without braces when it is one. */
export function addressesText(ranges: readonly IpRange[]): string {
  return setOf(ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)));
}

export function portsText(ports: readonly PortRange[]): string {
  return setOf(ports.map(portRangeText));
}

export function portRangeText({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

export function setOf(elements: readonly string[]): string {
  return elements.length === 1 ? elements[0]! : `{ ${elements.join(", ")} }`;
}

/** What a flood of forged frames can make the kernel hold, 100 bytes each. */
const LEARNT_MAX = 4096;

function setText(kind: "set" | "map", set: NftMap): string {
  const { name, type, isInterval, hasTimeouts, learnsForSeconds, isCounted, elements } = set;
  const learns = `flags dynamic,timeout\n    timeout ${learnsForSeconds}s\n    size ${LEARNT_MAX}`;
  const words =
    learnsForSeconds !== undefined
      ? learns
      : isInterval
        ? "flags interval"
        : hasTimeouts === true
          ? "flags timeout"
          : "";
  const flags = words === "" ? "" : `\n    ${words}`;
  const counter = isCounted === true ? "\n    counter" : "";
  const list = elements.length === 0 ? "" : `\n    elements = { ${elements.join(",\n      ")} }`;
  return `  ${kind} ${name} {\n    type ${type}${flags}${counter}${list}\n  }`;
}

function chainText({ name, hook, rules }: NftChain): string {
  const lines = hook === null ? rules : [hook, ...rules];
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join("")}  }`;
}
