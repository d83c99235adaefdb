// `balance first`: the server with the lowest id that has room. Made for few busy servers; needs maxconn to
// be useful.
import type { Backend, Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { ServerGroup } from "./server-group.ts";

export class First implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  /** Indexes into the group's servers. */
  #byId: Uint16Array = new Uint16Array(0);

  constructor(backend: Backend, environment: BalanceEnvironment) {
    this.#group = new ServerGroup(backend, environment);
  }

  choose(_stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) {
      const id = (index: number) => group.servers[index]!.definition.id;
      this.#byId = Uint16Array.from(group.servers, (_, index) => index).sort((a, b) => id(a) - id(b));
    }
    if (group.onlyBackup !== null) return group.onlyBackup;
    let avoided: Server | null = null;
    this.areAllFull = false;
    for (let i = 0; i < this.#byId.length; i++) {
      const index = this.#byId[i]!;
      if (!group.hasRoom(index)) continue;
      const server = group.servers[index]!;
      if (server !== avoid) return server;
      avoided = server;
    }
    this.areAllFull = avoided === null && group.servers.length > 0;
    return avoided;
  }
}
