// `dispatch` and `option transparent`: no choice at all. What nothing binds to one of the backend's servers
// goes to the one address, or to where the client wanted to go.
import type { Server } from "../runtime.ts";
import type { Balancer } from "./balancer.ts";

export class Dispatch implements Balancer {
  readonly areAllFull = false;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  choose(): Server {
    return this.#server;
  }
}
