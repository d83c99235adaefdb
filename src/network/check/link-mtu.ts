// The MTU of a host's links by name, and what raising it takes.

import type { Span } from "../../diagnostic/span.ts";
import type { Host } from "../../model/datacenter.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import { linkOf } from "./cables.ts";
import type { CheckContext } from "./context.ts";
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
 * Edits that give a link, and all below it, at least this MTU; null when the other end of a cable takes less,
 * for that is to be changed in a physical switch first.
 */
export function raiseMtu(
  { cables }: CheckContext,
  host: Host,
  name: string,
  mtu: number,
): readonly DocumentEdit[] | null {
  const edits: DocumentEdit[] = [];
  let isPossible = true;
  // VLANs may name each other in a circle.
  const seen = new Set<string>();
  const raise = (link: string): void => {
    if (seen.has(link)) return;
    seen.add(link);
    const end = cables.get(`${host.name}/${link}`);
    const limit = end === undefined ? null : linkOf(end).mtu;
    if (limit !== null && limit.value < mtu) isPossible = false;
    for (const { key, links } of linksOf(host)) {
      const found = links.find((one) => one.name === link);
      if (found === undefined) continue;
      if ((found.mtu?.value ?? MTU_DEFAULT) < mtu)
        edits.push(setValue(host.span, ["hosts", host.name, key, link, "mtu"], mtu));
      const below = "links" in found ? found.links.map(({ value }) => value) : [];
      if ("link" in found) below.push(found.link.value);
      for (const one of below) raise(one);
    }
  };
  raise(name);
  return isPossible ? edits : null;
}

function linksOf({ bonds, interfaces, vlans, bridges }: Host) {
  return [
    { key: "bonds", links: bonds },
    { key: "interfaces", links: interfaces },
    { key: "vlans", links: vlans },
    { key: "bridges", links: bridges },
  ] as const;
}
