// A simulated client of the frontend in tcp mode: sends a line, bytes and its FIN, and wants the origin's
// bytes and FIN, all of them and nothing else.
import type { Failure } from "../src/base/failure.ts";
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import type { Chunk, Connection, ConnectionHandler } from "../src/transport/contract.ts";
import type { ClientWatch } from "./client.ts";
import { contentOf, differenceBetween, isPrefix } from "./content.ts";
import { sendText } from "./outgoing.ts";

export interface TcpScript {
  readonly name: string;
  readonly upLength: number;
  readonly downLength: number;
  readonly pieceCount: number;
  readonly pauseMs: number;
  /** Resets after this share of its bytes; null: behaves. */
  readonly resetShare: number | null;
}

export class TcpScriptClient implements ConnectionHandler {
  readonly #engine: MemoryEngine;
  readonly #script: TcpScript;
  readonly #watch: ClientWatch;
  readonly #onDone: () => void;
  readonly #connection: Connection;
  readonly #received: Buffer[] = [];
  #lastProgressMs: number;
  #hasEnded = false;
  #isOver = false;

  constructor(engine: MemoryEngine, script: TcpScript, watch: ClientWatch, onDone: () => void) {
    this.#engine = engine;
    this.#script = script;
    this.#watch = watch;
    this.#onDone = onDone;
    this.#lastProgressMs = engine.nowMs;
    this.#connection = engine.connect(
      {
        address: { kind: "tcp", host: "10.0.0.1", port: 9000 },
        source: null,
        tls: null,
        preamble: null,
        timeoutMs: Number.POSITIVE_INFINITY,
      },
      this,
    );
    this.#watchProgress();
  }

  handleOpen(_connection: Connection): void {
    const { name, upLength, downLength, pieceCount, resetShare } = this.#script;
    this.#watch.statistics.requestsSent++;
    const line = Buffer.from(`${name} ${upLength} ${downLength}\n`);
    const bytes = Buffer.concat([line, contentOf(`up ${name}`, upLength)]);
    const end = resetShare === null ? bytes.length : Math.floor(bytes.length * resetShare);
    const size = Math.max(1, Math.ceil(end / pieceCount));
    const sendFrom = (at: number) => {
      if (this.#isOver || this.#connection.isClosed) return;
      sendText(this.#engine, this.#connection, bytes.subarray(at, Math.min(end, at + size)));
      this.#lastProgressMs = this.#engine.nowMs;
      if (at + size < end)
        this.#engine.network.schedule(this.#engine, this.#script.pauseMs, () => sendFrom(at + size));
      else if (resetShare === null) this.#connection.shutdown();
      else this.#connection.reset();
    };
    sendFrom(0);
  }

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.#lastProgressMs = this.#engine.nowMs;
    this.#received.push(Buffer.from(chunk.bytes.subarray(start, end)));
    this.#watch.statistics.bytesReceived += end - start;
  }

  handleDrain(_connection: Connection): void {}

  handleEnd(connection: Connection): void {
    this.#hasEnded = true;
    connection.close();
  }

  handleClose(_connection: Connection, _failure: Failure | null): void {
    this.#isOver = true;
    const { name, downLength, resetShare } = this.#script;
    const received = Buffer.concat(this.#received);
    const wanted = contentOf(`down ${name}`, downLength);
    const { rules } = this.#watch;
    if (!isPrefix(wanted, received)) this.#watch.violation(`stream ${name} differs`);
    else if (rules.isClean && resetShare === null && !(this.#watch.isStopping() && received.length === 0)) {
      const difference = differenceBetween(wanted, received);
      if (difference !== null || !this.#hasEnded)
        this.#watch.violation(`stream ${name}: ${difference ?? "no orderly end"}`);
      else this.#watch.statistics.responses++;
    } else this.#watch.statistics.cuts++;
    this.#onDone();
  }

  #watchProgress(): void {
    const { patienceMs } = this.#watch;
    this.#engine.network.schedule(this.#engine, patienceMs / 2, () => {
      if (this.#isOver) return;
      if (this.#engine.nowMs - this.#lastProgressMs > patienceMs) {
        this.#watch.violation(
          `hang: stream ${this.#script.name} waits since ${this.#lastProgressMs.toFixed(0)} ms`,
        );
        this.#connection.reset();
        return;
      }
      this.#watchProgress();
    });
  }
}
