// What a worker logs to rings, on its way to the master, which keeps them. Lines are collected until the turn
// of the loop ends: a message for each would cost a request more than all else that is done for it. When the
// master does not keep up, lines are lost, never requests held up.
import type { Engine } from "../../transport/contract.ts";
import type { RingWriter } from "../log-sinks.ts";
import type { FromWorker } from "../messages.ts";

/** So much is collected at most, and as much may be on its way. */
const BATCH_BYTES = 65_536;
const PENDING_BYTES_MAX = 4 * 1024 * 1024;

interface Batch {
  readonly bytes: Uint8Array;
  length: number;
  lengths: number[];
}

export class RingOutbox implements RingWriter {
  readonly #engine: Engine;
  readonly #send: (message: FromWorker) => void;
  readonly #control: { pendingBytes(): number };
  readonly #batches: Map<string, Batch> = new Map();

  constructor(engine: Engine, send: (message: FromWorker) => void, control: { pendingBytes(): number }) {
    this.#engine = engine;
    this.#send = send;
    this.#control = control;
  }

  write(ring: string, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#control.pendingBytes() > PENDING_BYTES_MAX) return false;
    const batch = this.#batches.get(ring) ?? this.#begin(ring);
    const length = Math.min(end - start, BATCH_BYTES);
    if (batch.length + length > BATCH_BYTES) this.#flush(ring, batch);
    batch.bytes.set(bytes.subarray(start, start + length), batch.length);
    batch.length += length;
    batch.lengths.push(length);
    return true;
  }

  #begin(ring: string): Batch {
    const batch: Batch = { bytes: new Uint8Array(BATCH_BYTES), length: 0, lengths: [] };
    this.#batches.set(ring, batch);
    this.#engine.onTurnEnd(() => this.#flush(ring, batch));
    return batch;
  }

  #flush(ring: string, batch: Batch): void {
    if (batch.lengths.length === 0) return;
    const { lengths } = batch;
    const bytes = batch.bytes.slice(0, batch.length);
    batch.length = 0;
    batch.lengths = [];
    this.#send({ kind: "ring-events", ring, bytes, lengths });
  }
}
