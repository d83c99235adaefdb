// What tells a table of nftables from any other content that it could have, read by netlink: a hash over all
// that the kernel says of it, without what packets change. It is no text that could be loaded again, but it
// takes a few milliseconds where a program takes a hundred (linux/netfilter/nf_tables.h).
import { sha256 } from "../../base/sha256.ts";
import type { NftTable } from "../../model/network-state.ts";
import { LIVE_SET } from "../../network/cluster/member-settings.ts";
import type { AskKernel } from "../../transport/namespace-door.ts";
import { attribute, attributes, concatenated, requestFor, textOf, zeroEnded } from "./netlink-message.ts";

export const NETLINK_NETFILTER = 12;
/** struct nfgenmsg: the family is its first byte. */
export const NFT_BYTES = 4;
/** NFNL_SUBSYS_NFTABLES in the upper byte. */
export const GET_TABLES = 0x0a01;
const [GET_CHAINS, GET_RULES, GET_SETS, GET_ELEMENTS] = [0x0a04, 0x0a07, 0x0a0a, 0x0a0d];

const FAMILIES: Readonly<Record<number, NftTable["family"]>> = {
  1: "inet",
  2: "ip",
  5: "netdev",
  7: "bridge",
  10: "ip6",
};

/** The table that something belongs to is its first attribute, whatever it is. */
const OWNER = 1;
const RULE_EXPRESSIONS = 4;
/** Attributes from which on there are counts: NFTA_CHAIN_COUNTERS, NFTA_SET_COUNT of Linux 6.16. */
const CHANGING: Readonly<Record<number, number>> = { [GET_CHAINS]: 8, [GET_SETS]: 19 };
const [EXPRESSION_NAME, SET_NAME, LISTED_ELEMENTS] = [1, 2, 3];
/** NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS: what an element counts. That it does, its set says. */
const ELEMENT_COUNTS: readonly number[] = [7, 11];

/** By "family name"; null when the kernel does not tell. */
export function tableMarks(ask: AskKernel): Map<string, string> | null {
  const parts = new Map<string, string[]>();
  const add = (bytes: Uint8Array, what: string) => {
    const key = keyOf(bytes);
    parts.set(key, [...(parts.get(key) ?? []), what]);
  };
  for (const type of [GET_TABLES, GET_CHAINS, GET_RULES, GET_SETS]) {
    const answer = ask(NETLINK_NETFILTER, type, "everything", requestFor(NFT_BYTES));
    if (typeof answer === "number") return null;
    for (const bytes of answer) {
      add(bytes, type === GET_RULES ? ruleText(bytes) : attributesText(bytes, CHANGING[type] ?? Infinity));
      if (type !== GET_SETS || isLive(bytes)) continue;
      const elements = elementsText(ask, bytes);
      if (elements === null) return null;
      add(bytes, elements);
    }
  }
  return new Map([...parts].map(([key, list]) => [key, hashOf(list.join("\n"))]));
}

function keyOf(bytes: Uint8Array): string {
  return `${FAMILIES[bytes[0]!] ?? bytes[0]} ${textOf(attributes(bytes, NFT_BYTES).get(OWNER))}`;
}

/** Without those from `end` on. */
function attributesText(bytes: Uint8Array, end: number): string {
  const entries = [...attributes(bytes, NFT_BYTES)].filter(([type]) => type < end);
  return entries.map(([type, value]) => `${type} ${hex(value)}`).join(" ");
}

/** What the agents of clusters take or give up is no change of the table. */
function isLive(set: Uint8Array): boolean {
  return textOf(attributes(set, NFT_BYTES).get(SET_NAME)).startsWith(LIVE_SET);
}

/** Expressions that count say how much; that they are there is what matters. */
function ruleText(bytes: Uint8Array): string {
  return [...attributes(bytes, NFT_BYTES)]
    .map(([type, value]) => {
      if (type !== RULE_EXPRESSIONS) return `${type} ${hex(value)}`;
      return listItems(value)
        .map((item) => {
          const name = textOf(attributes(item, 0).get(EXPRESSION_NAME));
          return name === "counter" ? name : hex(item);
        })
        .join(" ");
    })
    .join(" ");
}

/** In an order of their own: the kernel's changes when a table of hashes grows. */
function elementsText(ask: AskKernel, set: Uint8Array): string | null {
  const parts = attributes(set, NFT_BYTES);
  const body = concatenated([
    requestFor(NFT_BYTES, set[0]),
    attribute(OWNER, zeroEnded(textOf(parts.get(OWNER)))),
    attribute(SET_NAME, zeroEnded(textOf(parts.get(SET_NAME)))),
  ]);
  const answer = ask(NETLINK_NETFILTER, GET_ELEMENTS, "everything", body);
  if (typeof answer === "number") return null;
  const elements = answer.flatMap((bytes) => {
    const listed = attributes(bytes, NFT_BYTES).get(LISTED_ELEMENTS);
    return listed === undefined ? [] : listItems(listed).map(elementText);
  });
  return [...new Set(elements)].sort().join(" ");
}

function elementText(bytes: Uint8Array): string {
  const entries = [...attributes(bytes, 0)].filter(([type]) => !ELEMENT_COUNTS.includes(type));
  return entries.map(([type, value]) => `${type} ${hex(value)}`).join(",");
}

/** The values of attributes that all have one type. */
function listItems(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4) break;
    items.push(bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return items;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function hashOf(text: string): string {
  return sha256(text).slice(0, 32);
}
