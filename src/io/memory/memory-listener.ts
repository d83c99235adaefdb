// A listening address in a memory network, with the queue that a kernel would keep for it.
import type { SocketAddress } from "../../base/address.ts";
import type { Acceptor, Listener, ListenOptions, TlsServerContext } from "../../transport/contract.ts";
import type { MemoryConnection } from "./memory-connection.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import { listenerKey } from "./memory-network.ts";

export class MemoryListener implements Listener {
  readonly address: SocketAddress;
  readonly options: ListenOptions;
  readonly engine: MemoryEngine;
  readonly #acceptor: Acceptor;
  readonly #queue: MemoryConnection[] = [];
  #tls: TlsServerContext | null;
  #isPaused = false;
  #isClosed = false;

  constructor(engine: MemoryEngine, options: ListenOptions, address: SocketAddress, acceptor: Acceptor) {
    this.engine = engine;
    this.options = options;
    this.address = address;
    this.#acceptor = acceptor;
    this.#tls = options.tls;
    this.#isPaused = options.isPaused ?? false;
  }

  get isFull(): boolean {
    return this.#queue.length >= Math.max(1, this.options.backlog);
  }

  /** A connection that is established as far as the client is concerned. */
  enqueue(connection: MemoryConnection): void {
    this.#queue.push(connection);
    this.engine.network.schedule(this.engine, 0, () => this.#acceptQueued());
  }

  pause(): void {
    if (!this.#isClosed) this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.engine.network.schedule(this.engine, 0, () => this.#acceptQueued());
  }

  /** Connections in memory do not die unseen. */
  replaceKeepAlive(): void {}

  replaceBuffers(): void {}

  replaceTls(context: TlsServerContext): void {
    this.#tls = context;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { listeners } = this.engine.network;
    const key = listenerKey(this.address);
    const others = (listeners.get(key) ?? []).filter((listener) => listener !== this);
    if (others.length === 0) listeners.delete(key);
    else listeners.set(key, others);
    this.engine.listeners.delete(this);
    this.resume();
  }

  #acceptQueued(): void {
    if (this.#isPaused) return;
    for (const connection of this.#queue.splice(0)) {
      // Reset while it was queued: nobody is there to tell.
      if (connection.isClosed) continue;
      this.engine.defer(() => {
        if (connection.isClosed) return;
        const handler = this.#acceptor.accept(connection);
        if (handler === null) connection.reset();
        else {
          connection.handler = handler;
          connection.beginServing(this.options, this.#tls);
        }
      });
    }
  }
}
