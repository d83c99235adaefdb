// The sockets of the runtime API (`stats socket`), in the master. A line gets its answer and the connection
// ends; after `prompt` it goes on. A client may close its side at once: it still gets the answer. Input
// without newline is nothing.
import { chmodSync, chownSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { failed, type Result, success } from "../../base/failure.ts";
import type { StatsSocket } from "../../model/global-settings.ts";
import { type Following, LINE_BYTES_MAX, PAYLOAD_BYTES_MAX, wantsPayload } from "./command.ts";
import type { ApiSession, RuntimeApi } from "./runtime-api.ts";

/** Clients of one socket at a time; more are turned away. */
const CLIENTS_MAX = 64;
/** What a client that follows something has not taken yet is no more than this. */
const FOLLOWED_BYTES_MAX = 65_536;
/** Only the owner, until the configured mode is set. */
const UMASK_WHILE_BINDING = 0o177;

/** The open sockets of a master; a reload changes only those whose line changed. */
/** `isMaster`: the master CLI's (`-S`). */
export type AdminSocketDefinition = StatsSocket & { readonly isMaster?: true };

export class AdminSockets {
  readonly #api: RuntimeApi;
  readonly #open: Map<string, AdminSocket> = new Map();

  constructor(api: RuntimeApi) {
    this.#api = api;
  }

  /**
   * Opens what is new and changes nothing else, so that it can be undone by `keep` with the list of before.
   * Returns what could not be opened; the others are open.
   */
  async open(
    sockets: readonly AdminSocketDefinition[],
    idleTimeoutMs: number,
  ): Promise<readonly { readonly socket: StatsSocket; readonly message: string }[]> {
    const problems: { readonly socket: StatsSocket; readonly message: string }[] = [];
    for (const socket of sockets) {
      if (this.#open.has(keyOf(socket))) continue;
      const opened = await AdminSocket.open(socket, this.#api, idleTimeoutMs);
      if (opened.ok) this.#open.set(keyOf(socket), opened.value);
      else problems.push({ socket, message: opened.error });
    }
    return problems;
  }

  /**
   * Closes what is not in the list; a command that is being answered there still is. The rest follows its
   * line.
   */
  keep(sockets: readonly AdminSocketDefinition[], idleTimeoutMs: number): void {
    const wanted = new Map(sockets.map((socket) => [keyOf(socket), socket]));
    for (const [key, open] of this.#open) {
      const definition = wanted.get(key);
      if (definition !== undefined) open.follow(definition, idleTimeoutMs);
      else {
        this.#open.delete(key);
        void open.close();
      }
    }
  }

  /** Ends all connections and removes the sockets' files. */
  async close(): Promise<void> {
    const sockets = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** The same place is the same socket, whatever its rights. */
function keyOf({ address }: StatsSocket): string {
  return address.kind === "unix" ? `unix ${address.path}` : JSON.stringify(address);
}

export class AdminSocket {
  readonly #server: Server;
  readonly #inode: number;
  readonly #clients: Map<Socket, LineQueue> = new Map();
  #definition: AdminSocketDefinition;
  #idleTimeoutMs: number;

  private constructor(server: Server, definition: AdminSocketDefinition, idleTimeoutMs: number) {
    this.#server = server;
    this.#definition = definition;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#inode = inodeOf(definition);
  }

  /** The error is a sentence without place. A unix socket takes the place of one that was there. */
  static async open(
    definition: AdminSocketDefinition,
    api: RuntimeApi,
    idleTimeoutMs: number,
  ): Promise<Result<AdminSocket, string>> {
    const { address } = definition;
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = CLIENTS_MAX;
    const path = address.kind === "unix" ? address.path : null;
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      if (path !== null) rmSync(temporary, { force: true });
      await listen(server, listenOptions(definition, temporary));
      if (address.kind === "unix") {
        setRights(address, temporary);
        // Whoever connects meanwhile gets the old socket or the new one, never none.
        renameSync(temporary, address.path);
      }
    } catch (error) {
      server.close();
      if (path !== null) rmSync(temporary, { force: true });
      return failed(`cannot listen on the stats socket: ${(error as Error).message}`);
    }
    const socket = new AdminSocket(server, definition, idleTimeoutMs);
    server.on("connection", (client) => socket.#serve(client, api));
    return success(socket);
  }

  /** For tests and messages: the port of a TCP socket, 0 for others. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** Another line for the same place: new connections have its level, and the file its rights. */
  follow(definition: AdminSocketDefinition, idleTimeoutMs: number): void {
    const before = JSON.stringify(this.#definition.address);
    this.#definition = definition;
    this.#idleTimeoutMs = idleTimeoutMs;
    const { address } = definition;
    if (address.kind !== "unix" || JSON.stringify(address) === before) return;
    try {
      setRights(address, address.path);
    } catch {
      // The file is gone or no longer ours; whoever took it away wants it so.
    }
  }

  /** Idle connections end at once, others with their answer. Resolves when all have. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const lines of this.#clients.values()) lines.finish();
    const { address } = this.#definition;
    // A successor may have put its own socket there.
    if (address.kind === "unix" && inodeOf(this.#definition) === this.#inode)
      rmSync(address.path, { force: true });
    await closed;
  }

  #serve(client: Socket, api: RuntimeApi): void {
    const { level, isMaster = false } = this.#definition;
    const lines = new LineQueue(client, api.openSession(level, isMaster), this.#idleTimeoutMs);
    this.#clients.set(client, lines);
    client.on("close", () => this.#clients.delete(client));
    client.on("error", () => client.destroy());
    client.setTimeout(this.#idleTimeoutMs, () => client.destroy());
    client.on("data", (bytes: Buffer) => lines.receive(bytes));
    client.on("end", () => lines.receiveEnd());
    // Whoever comes before there is anything to tell of waits, as in a listener's backlog.
    client.pause();
    void api.ready.then(() => client.resume());
  }
}

type UnixAddress = Extract<StatsSocket["address"], { kind: "unix" }>;

function setRights({ mode, uid, gid }: UnixAddress, path: string): void {
  chmodSync(path, mode ?? 0o777 & ~process.umask());
  if (uid !== null || gid !== null) chownSync(path, uid ?? -1, gid ?? -1);
}

/** 0 for a socket without file, and when the file is gone. */
function inodeOf({ address }: StatsSocket): number {
  return address.kind === "unix" ? (statSync(address.path, { throwIfNoEntry: false })?.ino ?? 0) : 0;
}

/** Answers the lines of one connection one after the other. */
class LineQueue {
  readonly #client: Socket;
  readonly #session: ApiSession;
  readonly #idleTimeoutMs: number;
  #rest = "";
  readonly #waiting: { readonly line: string; readonly payload: string | null }[] = [];
  /** A line whose payload is still coming. */
  #unfinished: { readonly line: string; payload: string } | null = null;
  #isBusy = false;
  /** Ends the answer that goes on; null: none does. */
  #endFollowing: (() => void) | null = null;
  #hasEnded = false;

  constructor(client: Socket, session: ApiSession, idleTimeoutMs: number) {
    this.#client = client;
    this.#session = session;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  receive(bytes: Buffer): void {
    if (this.#endFollowing !== null) {
      this.#endFollowing();
      return;
    }
    const lines = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#take(line.replace(/\r$/, ""));
    const lineBytes = this.#waiting.reduce((sum, { line }) => sum + line.length, this.#rest.length);
    const payloads = [...this.#waiting, this.#unfinished].map((one) => one?.payload?.length ?? 0);
    const payloadBytes = payloads.reduce((sum, length) => sum + length, 0);
    if (lineBytes > LINE_BYTES_MAX || payloadBytes > PAYLOAD_BYTES_MAX) this.#client.destroy();
    else void this.#answer();
  }

  #take(line: string): void {
    const unfinished = this.#unfinished;
    if (unfinished === null) {
      if (wantsPayload(line)) this.#unfinished = { line, payload: "" };
      else this.#waiting.push({ line, payload: null });
    } else if (line !== "") unfinished.payload += `${line}\n`;
    else {
      this.#waiting.push(unfinished);
      this.#unfinished = null;
    }
  }

  receiveEnd(): void {
    this.#hasEnded = true;
    this.#endFollowing?.();
    if (!this.#isBusy) this.#client.end();
  }

  /** No further commands. */
  finish(): void {
    this.#waiting.length = 0;
    this.#hasEnded = true;
    this.#endFollowing?.();
    if (!this.#isBusy) this.#client.destroy();
  }

  /** Until the client says something, leaves, or is to go. It is sent no more than it takes. */
  async #follow(following: Following, end: string): Promise<void> {
    const client = this.#client;
    if (this.#hasEnded || client.destroyed) return;
    client.setTimeout(0);
    const pump = () => {
      while (!client.destroyed && client.writableLength < FOLLOWED_BYTES_MAX) {
        const text = following.next();
        if (text === "") break;
        client.write(text, "latin1");
      }
    };
    await new Promise<void>((resolve) => {
      const unwatch = following.watch(() => setImmediate(pump));
      this.#endFollowing = () => {
        unwatch();
        client.off("drain", pump);
        client.off("close", this.#endFollowing!);
        this.#endFollowing = null;
        resolve();
      };
      client.on("drain", pump);
      client.once("close", this.#endFollowing);
      pump();
    });
    if (!client.destroyed) client.write(end, "latin1");
  }

  async #answer(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0 && !this.#client.destroyed) {
      const { line, payload } = this.#waiting.shift()!;
      const { answer, isOver, following, end } = await this.#session.receiveLine(line, payload);
      this.#client.write(answer, "latin1");
      if (following !== null) await this.#follow(following, end);
      this.#client.setTimeout(this.#session.idleTimeoutMs ?? this.#idleTimeoutMs);
      if (isOver) this.#waiting.length = 0;
      if (isOver) this.#hasEnded = true;
    }
    this.#isBusy = false;
    if (this.#hasEnded || (!this.#session.isInteractive && this.#unfinished === null)) this.#client.end();
  }
}

function listenOptions({ address }: StatsSocket, temporaryPath: string): ListenOptions {
  switch (address.kind) {
    case "unix":
      return { path: temporaryPath };
    case "abstract":
      return { path: `\0${address.name}` };
    case "tcp":
      // As `bind` does, so that a successor can take over.
      return {
        port: address.port,
        reusePort: true,
        ...(address.host === null ? {} : { host: address.host }),
      };
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
