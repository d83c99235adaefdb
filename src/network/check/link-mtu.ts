// The MTU of a host's links by name, and what raising it takes.

import type { Span } from "../../diagnostic/span.ts";
import type { Host } from "../../model/datacenter.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import { setValue } from "./rule.ts";

export const MTU_DEFAULT = 1500;

export interface LinkMtu {
  readonly mtu: number;
  readonly span: Span;
}

/** A bond sets its members' MTU, so what it says counts for them. Null when the host has no such link. */
export function mtuOfLink(host: Host, name: string): LinkMtu | null {
  const link = [...host.bonds, ...host.interfaces, ...host.vlans, ...host.bridges].find(
    (one) => one.name === name,
  );
  if (link === undefined) return null;
  return { mtu: link.mtu?.value ?? MTU_DEFAULT, span: (link.mtu ?? link).span };
}

/**
 * Edits that give a link, and all below it, at least this MTU; null when something below is not in the file.
 */
export function raiseMtu(host: Host, name: string, mtu: number): DocumentEdit[] {
  for (const [key, links] of [
    ["bonds", host.bonds],
    ["interfaces", host.interfaces],
    ["vlans", host.vlans],
    ["bridges", host.bridges],
  ] as const) {
    const link = links.find((one) => one.name === name);
    if (link === undefined) continue;
    const below =
      "links" in link ? link.links.map(({ value }) => value) : "link" in link ? [link.link.value] : [];
    const isEnough = (link.mtu?.value ?? MTU_DEFAULT) >= mtu;
    const own = isEnough ? [] : [setValue(host.span, ["hosts", host.name, key, name, "mtu"], mtu)];
    return [...own, ...below.flatMap((one) => (one === name ? [] : raiseMtu(host, one, mtu)))];
  }
  return [];
}
