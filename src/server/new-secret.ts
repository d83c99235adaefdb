// Clients choose what tables and caches are looked up by, so their hashes have a secret.
import type { HashSecret } from "../base/half-sip-hash.ts";

export function newSecret(): HashSecret {
  const [low = 0, high = 0] = crypto.getRandomValues(new Int32Array(2));
  return [low, high];
}
