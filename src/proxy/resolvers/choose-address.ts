// Which of several addresses a server takes: the preferred family before the preferred networks, those that
// no other server of its kind has before those that one has, and what it has now before others (manual 5.2,
// `resolve-…`).
import { type IpNetwork, networkContains, parseIpAddress, parseIpNetwork } from "../../base/address.ts";
import type { KnownAddress } from "./answer.ts";

export interface AddressWishes {
  readonly family: 4 | 6;
  readonly networks: readonly IpNetwork[];
  readonly allowsDuplicates: boolean;
}

const WORTH = { family: 8, network: 4, unused: 2, present: 1 } as const;

export function wishesOf(settings: {
  readonly family: 4 | 6;
  readonly networks: readonly string[];
  readonly allowsDuplicates: boolean;
}): AddressWishes {
  return { ...settings, networks: settings.networks.flatMap((text) => parseIpNetwork(text) ?? []) };
}

/**
 * Null: none is left. `present`: what it has now. Of equals the first one is taken.
 */
export function chooseAddress(
  candidates: readonly KnownAddress[],
  wishes: AddressWishes,
  present: string,
  isTakenBySibling: (address: string) => boolean,
): string | null {
  let best: string | null = null;
  let bestWorth = -1;
  for (const { family, address } of candidates) {
    const isTaken = isTakenBySibling(address);
    if (isTaken && !wishes.allowsDuplicates) continue;
    const worth =
      (family === wishes.family ? WORTH.family : 0) +
      (isInside(wishes.networks, address) ? WORTH.network : 0) +
      (isTaken ? 0 : WORTH.unused) +
      (address === present ? WORTH.present : 0);
    if (worth <= bestWorth) continue;
    best = address;
    bestWorth = worth;
  }
  return best;
}

function isInside(networks: readonly IpNetwork[], text: string): boolean {
  if (networks.length === 0) return false;
  const address = parseIpAddress(text);
  return address !== null && networks.some((network) => networkContains(network, address));
}
