// The connections of a `peers` section: listens for the others, connects to those that have not come by
// themselves, and keeps one connection with each: the last one wins, as the protocol wants it. The master has
// them, for it sees the tables of all workers.
import { createServer, connect as netConnect, type Server, type Socket } from "node:net";
import type { PeersSection } from "../../model/stick-table.ts";
import { type PeerGroup, PeerSession } from "../../proxy/peers/peer-session.ts";
import type { StickTable } from "../../proxy/stick-table/stick-table.ts";

/**
 * How often it is looked whether a table was used, which is one number of each and takes half a percent of a
 * core: a client that is sent on to another machine is to be known there.
 */
const LOOK_MS = 2;
/** How often it is looked at all else: who is silent, and who is missing. */
const TICK_MS = 50;
/** Two that connect to each other at the same time end both, and must not do so again. */
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2050;
/** Who has heard of nobody for so long has all that there is. */
const LEARN_MS_MAX = 5000;
/** So many more connections than there are peers may be about to say who they are. */
const STRANGERS_MAX = 32;
/** No more is told while so much is on its way. */
const PENDING_BYTES_MAX = 262_144;

interface Link {
  readonly socket: Socket;
  readonly session: PeerSession;
}

export class PeerLinks {
  readonly #section: PeersSection;
  readonly #group: PeerGroup;
  readonly #report: (text: string) => void;
  readonly #links: Set<Link> = new Set();
  /** By name: when it may be tried again. */
  readonly #retryAtMs: Map<string, number> = new Map();
  readonly #timer: NodeJS.Timeout;
  readonly #learnUntilMs = performance.now() + LEARN_MS_MAX;
  #server: Server | null = null;
  #useCount = 0;
  #tickAtMs = 0;

  constructor(section: PeersSection, tables: readonly StickTable[], report: (text: string) => void) {
    this.#section = section;
    this.#report = report;
    this.#group = {
      localName: section.localName,
      remoteNames: section.peers.map(({ name }) => name).filter((name) => name !== section.localName),
      tables,
      processId: process.pid,
      isUpToDate: false,
      isAsking: false,
      confirmed: new Map(),
    };
    this.#listen();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server?.close();
    for (const link of this.#links) this.#end(link);
  }

  #listen(): void {
    const { local } = this.#section;
    if (local === null) return;
    const linkCountMax = this.#group.remoteNames.length + STRANGERS_MAX;
    const server = createServer((socket) => {
      if (this.#links.size < linkCountMax) this.#adopt(socket, null);
      else socket.destroy();
    });
    server.on("error", (error) =>
      this.#report(`the peers ${this.#section.name} cannot be listened for: ${error.message}`),
    );
    if ("fd" in local) server.listen({ fd: local.fd });
    else server.listen({ host: local.host, port: local.port });
    server.unref();
    this.#server = server;
  }

  #adopt(socket: Socket, remote: string | null): void {
    const link = { socket, session: new PeerSession(this.#group, remote, performance.now()) };
    this.#links.add(link);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      const wasOpen = link.session.state === "open";
      link.session.receive(bytes, performance.now());
      if (!wasOpen && link.session.state === "open") this.#endOthers(link);
      this.#flush(link);
    });
    socket.on("error", () => this.#end(link));
    socket.on("close", () => this.#end(link));
    socket.on("connect", () => this.#flush(link));
    if (remote === null) this.#flush(link);
  }

  /** The last connection with a peer is the one that stays. */
  #endOthers(link: Link): void {
    for (const other of this.#links)
      if (other !== link && other.session.remote === link.session.remote) this.#end(other);
  }

  #end(link: Link): void {
    if (!this.#links.delete(link)) return;
    link.session.close();
    const { remote } = link.session;
    const delayMs = RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS);
    if (remote !== null) this.#retryAtMs.set(remote, performance.now() + delayMs);
    // What was said last, such as a status, is still to arrive.
    link.socket.end();
    link.socket.destroySoon();
  }

  #flush(link: Link): void {
    const output = link.session.takeOutput();
    if (output !== null && link.socket.writable) link.socket.write(output);
    if (link.session.state === "closed") this.#end(link);
  }

  #look(): void {
    const nowMs = performance.now();
    const useCount = this.#group.tables.reduce((sum, table) => sum + table.useCount, 0);
    if (useCount === this.#useCount && nowMs < this.#tickAtMs) return;
    this.#useCount = useCount;
    this.#tickAtMs = nowMs + TICK_MS;
    this.#tick(nowMs);
  }

  #tick(nowMs: number): void {
    if (nowMs >= this.#learnUntilMs) this.#group.isUpToDate = true;
    for (const link of this.#links) {
      if (link.socket.writableLength < PENDING_BYTES_MAX) link.session.handleTimeout(nowMs);
      this.#flush(link);
    }
    for (const { name, endpoint } of this.#section.peers) {
      if (name === this.#section.localName || endpoint === null) continue;
      const isThere = [...this.#links].some(({ session }) => session.remote === name);
      if (isThere || nowMs < (this.#retryAtMs.get(name) ?? 0)) continue;
      this.#adopt(netConnect({ host: endpoint.host, port: endpoint.port }), name);
    }
  }
}
