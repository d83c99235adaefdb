// Listening sockets over net.Server. Known wart: Node cannot leave a connection in the kernel's queue, so a
// paused listener takes connections and keeps them aside, at most `backlog` of them, until it is resumed.
import { chmodSync, chownSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { createServer, type ListenOptions as NodeListenOptions, type Server, type Socket } from "node:net";
import type { SocketAddress } from "../../base/address.ts";
import { failed, failure, type Result, success } from "../../base/failure.ts";
import type {
  KeepAlive,
  ListenAddress,
  Listener,
  ListenOptions,
  TlsServerContext,
} from "../../transport/contract.ts";
import { setKeepAlive } from "./keep-alive.ts";
import { listeningAddressOf, unixAddress } from "./socket-addresses.ts";
import { listenFailure } from "./socket-failure.ts";

/** Called for each connection, with the context that is in force for it. */
export type SocketSink = (socket: Socket, local: SocketAddress, tls: TlsServerContext | null) => void;

export function listenPortable(
  options: ListenOptions,
  sink: SocketSink,
  onClosed: (listener: PortableListener) => void,
  done: (result: Result<PortableListener>) => void,
): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  const { address } = options;
  let temporaryPath = "";
  if (address.kind === "tcp" && address.device !== undefined) {
    const what = `listening on interface ${address.device} takes the uring engine`;
    done(failed(failure("unsupported", "proxy", what)));
    return;
  }
  if (address.kind === "unix") {
    const refusal = unixRefusal(address.path);
    if (refusal !== null) {
      done(failed(failure("address-in-use", "proxy", refusal)));
      return;
    }
    temporaryPath = `${address.path}.${process.pid}.tmp`;
  }
  server.once("error", (error) => done(failed(listenFailure(error))));
  try {
    server.listen(nodeOptions(options, temporaryPath), () => {
      server.removeAllListeners("error");
      // A failing accept (too many open files) is tried again by the kernel's next readiness event.
      server.on("error", () => {});
      done(finishListening(server, options, temporaryPath, sink, onClosed));
    });
  } catch (error) {
    done(failed(listenFailure(error)));
  }
}

function nodeOptions(options: ListenOptions, temporaryPath: string): NodeListenOptions & { fd?: number } {
  const { address, backlog } = options;
  // `exclusive` keeps node:cluster out, should the process be one of its workers.
  const common = { backlog, exclusive: true };
  switch (address.kind) {
    case "tcp": {
      const host = address.host ?? (address.isV6Only === true ? "::" : undefined);
      const { reusePort } = options;
      return {
        ...common,
        port: address.port,
        reusePort,
        ipv6Only: address.isV6Only === true,
        ...(host === undefined ? {} : { host }),
      };
    }
    case "unix":
      return { ...common, path: temporaryPath };
    case "abstract":
      return { ...common, path: `\0${address.name}` };
    case "fd":
      return { ...common, fd: address.fd };
  }
}

/** A file that is no socket is not ours to replace. */
function unixRefusal(path: string): string | null {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined || status.isSocket() ? null : `${path} exists and is not a socket`;
}

function finishListening(
  server: Server,
  options: ListenOptions,
  temporaryPath: string,
  sink: SocketSink,
  onClosed: (listener: PortableListener) => void,
): Result<PortableListener> {
  try {
    let inode = 0;
    if (options.address.kind === "unix") inode = moveIntoPlace(options.address, temporaryPath);
    return success(new PortableListener(server, options, inode, sink, onClosed));
  } catch (error) {
    server.close();
    return failed(listenFailure(error));
  }
}

/** Rights are right before the path appears, and a socket left by another process is replaced at once. */
function moveIntoPlace(address: ListenAddress & { kind: "unix" }, temporaryPath: string): number {
  if (address.mode !== null) chmodSync(temporaryPath, address.mode);
  if (address.uid !== null || address.gid !== null)
    chownSync(temporaryPath, address.uid ?? -1, address.gid ?? -1);
  renameSync(temporaryPath, address.path);
  return lstatSync(address.path).ino;
}

export class PortableListener implements Listener {
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #inode: number;
  readonly #sink: SocketSink;
  readonly #onClosed: (listener: PortableListener) => void;
  readonly #aside: Socket[] = [];
  #tls: TlsServerContext | null;
  #keepAlive: KeepAlive | null;
  #acceptedCount = 0;
  #isPaused = false;
  #isClosing = false;

  constructor(
    server: Server,
    options: ListenOptions,
    inode: number,
    sink: SocketSink,
    onClosed: (listener: PortableListener) => void,
  ) {
    this.#server = server;
    this.#options = options;
    this.#inode = inode;
    this.#sink = sink;
    this.#onClosed = onClosed;
    this.#tls = options.tls;
    this.#keepAlive = options.keepAlive ?? null;
    this.#isPaused = options.isPaused ?? false;
    this.address = addressOf(server, options.address);
    server.on("connection", (socket) => this.#take(socket));
  }

  pause(): void {
    if (!this.#isClosing) this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const socket of this.#aside.splice(0))
      setImmediate(() => this.#sink(socket, this.address, this.#tls));
  }

  replaceTls(context: TlsServerContext): void {
    this.#tls = context;
  }

  replaceKeepAlive(keepAlive: KeepAlive | null): void {
    this.#keepAlive = keepAlive;
  }

  /** Node has no call for it. */
  replaceBuffers(): void {}

  close(): void {
    if (this.#isClosing) return;
    this.resume();
    this.#isClosing = true;
    // The first check phase may belong to a turn that had polled before; a whole turn without a new
    // connection means that the kernel's queue is empty.
    setImmediate(() => this.#closeWhenDrained(-1));
  }

  /** When the engine stops. */
  drop(): void {
    this.#isClosing = true;
    this.#closeServer();
    for (const socket of this.#aside.splice(0)) socket.destroy();
  }

  #closeWhenDrained(seenCount: number): void {
    const acceptedCount = this.#acceptedCount;
    if (seenCount === acceptedCount) this.#closeServer();
    else setImmediate(() => this.#closeWhenDrained(acceptedCount));
  }

  #closeServer(): void {
    this.#server.close();
    this.#removePath();
    this.#onClosed(this);
  }

  #take(socket: Socket): void {
    this.#acceptedCount++;
    if (this.#keepAlive !== null && this.address.family !== "unix") setKeepAlive(socket, this.#keepAlive);
    socket.on("error", () => {});
    if (!this.#isPaused) this.#sink(socket, this.address, this.#tls);
    else if (this.#aside.length < this.#options.backlog) this.#aside.push(socket);
    else socket.resetAndDestroy();
  }

  /** Unless somebody else has put a socket of their own there meanwhile. */
  #removePath(): void {
    const { address } = this.#options;
    if (address.kind !== "unix") return;
    const status = lstatSync(address.path, { throwIfNoEntry: false });
    if (status?.ino !== this.#inode) return;
    try {
      unlinkSync(address.path);
    } catch {
      // Without the right to remove it the path stays behind, refusing connections.
    }
  }
}

function addressOf(server: Server, asked: ListenAddress): SocketAddress {
  if (asked.kind === "unix") return unixAddress(asked.path);
  if (asked.kind === "abstract") return unixAddress(`@${asked.name}`);
  return listeningAddressOf(server) ?? unixAddress("");
}
