// How many TCP connections a machine still has at an address, from what the kernel lists: /proc/net/tcp and
// tcp6 of its namespace (proc(5)).
import { bytesOfIp, type Ip } from "../../base/ip.ts";

/** TIME_WAIT, CLOSE and LISTEN: nothing that anybody would miss. */
const OVER: ReadonlySet<string> = new Set(["06", "07", "0A"]);
/** ::ffff:0:0/96: what a socket of both families has for IPv4. */
const MAPPED = "0000000000000000FFFF0000";

/** `tables`: the files' text. `address`: IPv4. */
export function countConnections(tables: readonly string[], address: Ip): number {
  // Words of the address in the byte order of the machine, which is little-endian.
  const local = Array.from(bytesOfIp(address).toReversed(), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  const places = [local.toUpperCase(), MAPPED + local.toUpperCase()];
  let count = 0;
  for (const line of tables.flatMap((table) => table.split("\n").slice(1))) {
    const [, place = "", , state = ""] = line.trim().split(/\s+/);
    if (places.includes(place.split(":")[0]!) && !OVER.has(state)) count++;
  }
  return count;
}
