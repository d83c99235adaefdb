// Settings of devices that the kernel tells with the device itself. Each read as a file of /proc/sys takes as
// long as asking for all devices (linux/ip.h, linux/ipv6.h: their numbers are part of the kernel's contract).
import { type Attributes, attributes, LINK_BYTES, textOf, viewOf } from "./netlink-message.ts";

const [IFLA_IFNAME, IFLA_AF_SPEC] = [3, 26];

interface Family {
  /** AF_INET, AF_INET6. */
  readonly number: number;
  /** IFLA_INET_CONF, IFLA_INET6_CONF: 32-bit numbers. */
  readonly attribute: number;
  /** The place of each among them. IPv4 counts from one in linux/ip.h, and leaves that place out. */
  readonly places: Readonly<Record<string, number>>;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  ipv4: {
    number: 2,
    attribute: 1,
    places: { proxy_arp: 2, send_redirects: 5, rp_filter: 7, promote_secondaries: 19 },
  },
  ipv6: { number: 10, attribute: 2, places: { disable_ipv6: 26 } },
};

const KEY = /^net\/(ipv[46])\/conf\/([^/]+)\/(\w+)$/;

/** What the key of /proc/sys has, from the list of all devices; null: it has to be read. */
export type SettingOf = (key: string) => string | null;

export function linkSettings(links: readonly Uint8Array[]): SettingOf {
  const byName = new Map<string, Attributes>();
  for (const bytes of links) {
    const parts = attributes(bytes, LINK_BYTES);
    byName.set(textOf(parts.get(IFLA_IFNAME)), parts);
  }
  return (key) => {
    const [, familyName = "", device = "", setting = ""] = KEY.exec(key) ?? [];
    const family = FAMILIES[familyName];
    const place = family?.places[setting];
    const ofFamilies = byName.get(device)?.get(IFLA_AF_SPEC);
    if (family === undefined || place === undefined || ofFamilies === undefined) return null;
    const ofFamily = attributes(ofFamilies, 0).get(family.number);
    const values = ofFamily && attributes(ofFamily, 0).get(family.attribute);
    if (values === undefined || values.length < 4 * (place + 1)) return null;
    return `${viewOf(values).getInt32(4 * place, true)}`;
  };
}
