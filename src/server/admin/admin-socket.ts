// The sockets of the runtime API (`stats socket`), in the master. A line gets its answer and the connection
// ends; after `prompt` it goes on. A client may close its side at once: it still gets the answer. Input
// without newline is nothing.
import { chmodSync, chownSync, renameSync, rmSync } from "node:fs";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import process from "node:process";
import { failed, type Result, success } from "../../base/failure.ts";
import type { StatsSocket } from "../../model/proxy.ts";
import { LINE_BYTES_MAX } from "./command.ts";
import type { ApiSession, RuntimeApi } from "./runtime-api.ts";

/** Clients of one socket at a time; more are turned away. */
const CLIENTS_MAX = 64;
/** Only the owner, until the configured mode is set. */
const UMASK_WHILE_BINDING = 0o177;

/** The open sockets of a master; a reload changes only those whose line changed. */
export class AdminSockets {
  readonly #api: RuntimeApi;
  readonly #open: Map<string, AdminSocket> = new Map();

  constructor(api: RuntimeApi) {
    this.#api = api;
  }

  /** Opens what is new, closes what is gone. Returns what could not be opened; the others are open. */
  async apply(
    sockets: readonly StatsSocket[],
    idleTimeoutMs: number,
  ): Promise<readonly { readonly socket: StatsSocket; readonly message: string }[]> {
    const wanted = new Map(sockets.map((socket) => [JSON.stringify([socket.address, socket.level]), socket]));
    for (const [key, open] of this.#open) {
      if (wanted.has(key)) continue;
      this.#open.delete(key);
      await open.close();
    }
    const problems: { readonly socket: StatsSocket; readonly message: string }[] = [];
    for (const [key, socket] of wanted) {
      const present = this.#open.get(key);
      if (present !== undefined) {
        present.idleTimeoutMs = idleTimeoutMs;
        continue;
      }
      const opened = await AdminSocket.open(socket, this.#api, idleTimeoutMs);
      if (opened.ok) this.#open.set(key, opened.value);
      else problems.push({ socket, message: opened.error });
    }
    return problems;
  }

  /** Ends all connections and removes the sockets' files. */
  async close(): Promise<void> {
    const sockets = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

export class AdminSocket {
  readonly #server: Server;
  readonly #path: string | null;
  readonly #clients: Set<Socket> = new Set();
  idleTimeoutMs: number;

  private constructor(server: Server, path: string | null, idleTimeoutMs: number) {
    this.#server = server;
    this.#path = path;
    this.idleTimeoutMs = idleTimeoutMs;
  }

  /** The error is a sentence without place. A unix socket takes the place of one that was there. */
  static async open(
    definition: StatsSocket,
    api: RuntimeApi,
    idleTimeoutMs: number,
  ): Promise<Result<AdminSocket, string>> {
    const { address, level } = definition;
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = CLIENTS_MAX;
    const path = address.kind === "unix" ? address.path : null;
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      if (path !== null) rmSync(temporary, { force: true });
      await listen(server, listenOptions(definition, temporary));
      if (address.kind === "unix") {
        chmodSync(temporary, address.mode ?? 0o777 & ~process.umask());
        if (address.uid !== null || address.gid !== null)
          chownSync(temporary, address.uid ?? -1, address.gid ?? -1);
        // Whoever connects meanwhile gets the old socket or the new one, never none.
        renameSync(temporary, address.path);
      }
    } catch (error) {
      server.close();
      if (path !== null) rmSync(temporary, { force: true });
      return failed(`cannot listen on the stats socket: ${(error as Error).message}`);
    }
    const socket = new AdminSocket(server, path, idleTimeoutMs);
    server.on("connection", (client) => socket.#serve(client, api.openSession(level)));
    return success(socket);
  }

  /** For tests and messages: the port of a TCP socket, 0 for others. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.destroy();
    if (this.#path !== null) rmSync(this.#path, { force: true });
    await closed;
  }

  #serve(client: Socket, session: ApiSession): void {
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    client.on("error", () => client.destroy());
    client.setTimeout(this.idleTimeoutMs, () => client.destroy());
    const lines = new LineQueue(client, session, this.idleTimeoutMs);
    client.on("data", (bytes: Buffer) => lines.receive(bytes));
    client.on("end", () => lines.receiveEnd());
  }
}

/** Answers the lines of one connection one after the other. */
class LineQueue {
  readonly #client: Socket;
  readonly #session: ApiSession;
  readonly #idleTimeoutMs: number;
  #rest = "";
  readonly #waiting: string[] = [];
  #isBusy = false;
  #hasEnded = false;

  constructor(client: Socket, session: ApiSession, idleTimeoutMs: number) {
    this.#client = client;
    this.#session = session;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  receive(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = lines.pop()!;
    this.#waiting.push(...lines);
    const length = this.#rest.length + this.#waiting.reduce((sum, line) => sum + line.length, 0);
    if (length > LINE_BYTES_MAX) this.#client.destroy();
    else void this.#answer();
  }

  receiveEnd(): void {
    this.#hasEnded = true;
    if (!this.#isBusy) this.#client.end();
  }

  async #answer(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0 && !this.#client.destroyed) {
      const { answer, isOver } = await this.#session.receiveLine(this.#waiting.shift()!.replace(/\r$/, ""));
      this.#client.write(answer, "latin1");
      this.#client.setTimeout(this.#session.idleTimeoutMs ?? this.#idleTimeoutMs);
      if (isOver) this.#waiting.length = 0;
      if (isOver) this.#hasEnded = true;
    }
    this.#isBusy = false;
    if (this.#hasEnded || !this.#session.isInteractive) this.#client.end();
  }
}

function listenOptions({ address }: StatsSocket, temporaryPath: string): ListenOptions {
  switch (address.kind) {
    case "unix":
      return { path: temporaryPath };
    case "abstract":
      return { path: `\0${address.name}` };
    case "tcp":
      return { port: address.port, ...(address.host === null ? {} : { host: address.host }) };
    case "fd":
      // Not in the type of this Node's options, though `listen` has always taken it.
      return { fd: address.fd } as ListenOptions;
  }
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const umask = process.umask(UMASK_WHILE_BINDING);
    try {
      server.listen(options, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}
