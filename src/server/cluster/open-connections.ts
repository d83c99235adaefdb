// How many TCP connections a machine still has at an address, from what the kernel lists: /proc/net/tcp and
// tcp6 of its namespace (proc(5)).
import { bytesOfIp, familyOfIp, type Ip } from "../../base/ip.ts";

/** TIME_WAIT, CLOSE and LISTEN: nothing that anybody would miss. */
const OVER: ReadonlySet<string> = new Set(["06", "07", "0A"]);
/** ::ffff:0:0/96: what a socket of both families has for IPv4. */
const MAPPED = "0000000000000000FFFF0000";
const WORD_BYTES = 4;

/** `tables`: the files' text. */
export function countConnections(tables: readonly string[], address: Ip): number {
  const own = wordsOf(address);
  const places = familyOfIp(address) === 4 ? [own, MAPPED + own] : [own];
  let count = 0;
  for (const line of tables.flatMap((table) => table.split("\n").slice(1))) {
    const [, place = "", , state = ""] = line.trim().split(/\s+/);
    if (places.includes(place.split(":")[0]!) && !OVER.has(state)) count++;
  }
  return count;
}

/** As the kernel prints it: each four bytes as a number of the machine, which is little-endian. */
function wordsOf(address: Ip): string {
  const bytes = bytesOfIp(address);
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += WORD_BYTES)
    for (const byte of bytes.slice(at, at + WORD_BYTES).toReversed())
      words.push(byte.toString(16).padStart(2, "0"));
  return words.join("").toUpperCase();
}
