// Names that kernel objects get: recognisable, within the kernel's limits, and never a word of iproute2 or
// nftables, which take their own keywords for commands (`ip link add br type bridge` is refused).
import { sha256 } from "../../base/sha256.ts";
import type { NamespaceName } from "../../model/network-state.ts";

/** IFNAMSIZ without its closing zero. */
const LINK_NAME_MAX = 15;
/** A file name in /run/netns. */
const NAMESPACE_NAME_MAX = 120;
const HASH_DIGITS = 6;

/** First 16 hexadecimal digits of SHA-256. */
export function contentHash(text: string): string {
  return sha256(text).slice(0, 16);
}

/** "n-org", "p-web-001"; with a hash where that is too long or has other signs. `prefix` without the dash. */
export function linkName(prefix: string, name: string): string {
  return shortened(`${prefix}-`, name, LINK_NAME_MAX);
}

/** "sp.company.web-001": all of a datacentre begin alike. */
export function namespaceName(datacenter: string, name: string): string {
  return shortened(namespacePrefix(datacenter), name.replaceAll("/", "+"), NAMESPACE_NAME_MAX);
}

export function namespacePrefix(datacenter: string): string {
  return `sp.${shortened("", datacenter, 40)}.`;
}

/** What the aliases of all devices of a datacentre begin with. */
export function aliasPrefix(datacenter: string): string {
  return `sallyport:${shortened("", datacenter, 40)} `;
}

/**
 * "sallyport_ports"; among the machine's own tables "sallyport_ports.company", since another datacentre may
 * have its own there.
 */
export function tableName(plain: string, namespace: NamespaceName, datacenter: string): string {
  return namespace === null ? `${plain}.${shortened("", datacenter, 40)}` : plain;
}

/** What `tableName` was given, of a table of that datacentre; null: it is another's. */
export function plainTableName(name: string, namespace: NamespaceName, datacenter: string): string | null {
  const [plain = ""] = name.split(".", 1);
  return tableName(plain, namespace, datacenter) === name ? plain : null;
}

/** Name of a file or of an nft object: letters, digits, dots, dashes and underscores. */
export function safeName(name: string): string {
  return shortened("", name.replaceAll("/", "+"), 60);
}

function shortened(prefix: string, name: string, lengthMax: number): string {
  const isSafe = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name);
  if (isSafe && prefix.length + name.length <= lengthMax) return prefix + name;
  const hash = contentHash(name).slice(0, HASH_DIGITS);
  const room = lengthMax - prefix.length - HASH_DIGITS - 1;
  const start = name
    .replaceAll(/[^A-Za-z0-9_.+-]/g, "_")
    .replace(/^[^A-Za-z0-9_]+/, "")
    .slice(0, room);
  return `${prefix}${start}-${hash}`;
}
