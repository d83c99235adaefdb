// How many servers of each backend have an address, so that siblings with one name take another each.
// Counted, because looking through all siblings for each of them would be work for the square of their
// number.
import type { FollowedServer } from "./followed-server.ts";

export class TakenAddresses {
  readonly #counts: Map<string, number> = new Map();

  constructor(servers: Iterable<FollowedServer>) {
    for (const server of servers) this.add(server, 1);
  }

  add({ backend, address: present, replacedAddress }: FollowedServer, count: 1 | -1): void {
    const address = replacedAddress ?? present;
    if (address === "") return;
    const key = `${backend}\n${address}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  has({ backend }: FollowedServer, address: string): boolean {
    return (this.#counts.get(`${backend}\n${address}`) ?? 0) > 0;
  }
}
