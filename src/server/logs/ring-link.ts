// Sends the events of a ring to one of its servers (manual 3.9), over TCP or TLS, and connects again when
// the connection is gone. It never holds anybody up: what a server does not take stays in the ring until
// newer events take its place, and then it is counted as dropped.
import { lookup } from "node:dns/promises";
import { parseIpAddress } from "../../base/address.ts";
import type { Failure } from "../../base/failure.ts";
import { Timer } from "../../base/timer-wheel.ts";
import type { RingDefinition, RingServer } from "../../model/log-forward.ts";
import { constantServerName } from "../../proxy/health/check-target.ts";
import type { Ring } from "../../proxy/log/ring.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Engine,
  TlsClientContext,
} from "../../transport/contract.ts";

const RETRY_MS = 1000;
/** So much is sent in one piece, and no more is begun while so much is on its way. */
const PIECE_BYTES = 65_536;
const PENDING_BYTES_MAX = 262_144;
/** Most bytes around an event: its length and a space, or a newline. */
const FRAME_BYTES_MAX = 16;
const NEWLINE = 0x0a;

export class RingLink implements ConnectionHandler {
  readonly #engine: Engine;
  readonly #ring: Ring;
  readonly #definition: RingDefinition;
  readonly #server: RingServer;
  readonly #tls: TlsClientContext | null;
  readonly #report: (text: string) => void;
  readonly #retry: Timer;
  readonly #stall: Timer;
  readonly #unwatch: () => void;
  #connection: Connection | null = null;
  #isOpen = false;
  #isScheduled = false;
  #isStalling = false;
  /** Of all connections; and what had been taken of it when the present one began to be waited for. */
  #sentBytes = 0;
  #takenBytes = 0;
  #isClosed = false;
  #wasReported = false;
  /** What is to be sent next. */
  #place: number;
  /** The number of the event there. */
  #number: number;

  constructor(
    engine: Engine,
    ring: Ring,
    definition: RingDefinition,
    server: RingServer,
    tls: TlsClientContext | null,
    report: (text: string) => void,
    unsentCount: number,
  ) {
    this.#engine = engine;
    this.#ring = ring;
    this.#definition = definition;
    this.#server = server;
    this.#tls = tls;
    this.#report = report;
    this.#place = ring.oldest;
    this.#number = ring.oldestNumber;
    for (let sent = ring.count - unsentCount; sent > 0; sent--) this.#skip();
    this.#retry = new Timer({ handleTimeout: () => this.#start() });
    this.#stall = new Timer({ handleTimeout: () => this.#handleStall() });
    this.#unwatch = ring.watch(() => this.#schedule());
    this.#start();
  }

  /** "RING/SERVER". */
  get name(): string {
    return `${this.#definition.name}/${this.#server.server.name}`;
  }

  /** Of what is in the ring. */
  get unsentCount(): number {
    return Math.min(this.#ring.count, this.#ring.oldestNumber + this.#ring.count - this.#number);
  }

  /** Sends what is on its way, and nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#engine.timers.remove(this.#retry);
    this.#stopStall();
    if (this.#isOpen) this.#pump();
    this.#connection?.close();
  }

  handleOpen(_connection: Connection): void {
    this.#isOpen = true;
    this.#wasReported = false;
    this.#pump();
  }

  /** Syslog servers say nothing; whatever they do say is not for us. */
  handleData(_connection: Connection, _chunk: Chunk, _start: number, _end: number): void {}

  handleDrain(_connection: Connection): void {
    this.#stopStall();
    this.#pump();
  }

  handleEnd(connection: Connection): void {
    connection.close();
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    this.#connection = null;
    this.#isOpen = false;
    this.#stopStall();
    this.#tryAgain(failure?.message ?? null);
  }

  #start(): void {
    const { address, source } = this.#server.server;
    if (address.kind === "unix") {
      this.#connect({ kind: "unix", path: address.path }, null);
      return;
    }
    const port = address.port ?? 514;
    if (parseIpAddress(address.host) !== null) {
      this.#connect({ kind: "tcp", host: address.host, port }, source);
      return;
    }
    // Asked for each connection, so that the server may move.
    lookup(address.host).then(
      ({ address: host }) => {
        if (!this.#isClosed) this.#connect({ kind: "tcp", host, port }, source);
      },
      () => this.#tryAgain(`${address.host} has no address`),
    );
  }

  #connect(address: ConnectOptions["address"], source: ConnectOptions["source"]): void {
    const serverName = constantServerName(this.#server.server.tls);
    const tls = this.#tls === null ? null : { context: this.#tls, serverName };
    const timeoutMs = this.#definition.connectMs ?? Number.POSITIVE_INFINITY;
    this.#connection = this.#engine.connect({ address, source, tls, preamble: null, timeoutMs }, this);
  }

  #tryAgain(reason: string | null): void {
    if (this.#isClosed) return;
    const { name, addressText } = this.#server.server;
    if (reason !== null && !this.#wasReported)
      this.#report(`ring ${this.#definition.name}: server ${name} (${addressText}): ${reason}`);
    this.#wasReported = reason !== null;
    this.#engine.timers.arm(this.#retry, this.#engine.nowMs + RETRY_MS);
  }

  #skip(): void {
    this.#place = this.#ring.read(this.#place)?.next ?? this.#place;
    this.#number++;
  }

  /** Events come in bursts: they are sent together, behind what makes them. */
  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    this.#isScheduled = true;
    this.#engine.defer(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === null || !this.#isOpen || connection.isClosed) return;
    while (connection.pendingBytes < PENDING_BYTES_MAX && this.#place < this.#ring.next)
      this.#sendPiece(connection);
    const { serverMs } = this.#definition;
    if (serverMs === null || connection.pendingBytes === 0 || this.#isClosed) return;
    if (this.#isStalling) return;
    this.#isStalling = true;
    this.#takenBytes = this.#sentBytes - connection.pendingBytes;
    this.#engine.timers.arm(this.#stall, this.#engine.nowMs + serverMs);
  }

  /** A server that is slow takes something now and then; one that takes nothing is connected to anew. */
  #handleStall(): void {
    this.#isStalling = false;
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#sentBytes - connection.pendingBytes > this.#takenBytes) this.#pump();
    else connection.reset();
  }

  #stopStall(): void {
    this.#isStalling = false;
    this.#engine.timers.remove(this.#stall);
  }

  #sendPiece(connection: Connection): void {
    const first = this.#ring.read(this.#place);
    if (first === null) return;
    const waiting = Math.min(PIECE_BYTES, this.#ring.next - this.#place);
    const chunk = this.#engine.allocate(Math.max(waiting, first.event.length) + FRAME_BYTES_MAX);
    const { bytes } = chunk;
    let length = 0;
    for (let one: ReturnType<Ring["read"]> = first; one !== null; one = this.#ring.read(this.#place)) {
      if (length + one.event.length + FRAME_BYTES_MAX > bytes.length) break;
      if (one.isGap) {
        this.#ring.droppedCount += this.#ring.oldestNumber - this.#number;
        this.#number = this.#ring.oldestNumber;
      }
      length = this.#put(one.event, bytes, length);
      this.#place = one.next;
      this.#number++;
    }
    connection.send(chunk, 0, length);
    this.#sentBytes += length;
    chunk.release();
  }

  #put(event: Uint8Array, bytes: Uint8Array, at: number): number {
    if (this.#server.protocol === "octet-count")
      for (const character of `${event.length} `) bytes[at++] = character.charCodeAt(0);
    bytes.set(event, at);
    at += event.length;
    if (this.#server.protocol === "legacy") bytes[at++] = NEWLINE;
    return at;
  }
}
