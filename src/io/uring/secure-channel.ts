// TLS between a connection's socket and its handler. Plain bytes wait in `plain` and are encrypted only when
// the socket can take them, so small ones share a record and no ciphertext piles up. Received bytes are
// decrypted in place from the chunk that the kernel filled; where the handler pauses, the rest of the chunk
// is kept as it is.
import { failure } from "../../base/failure.ts";
import { GATHER_BYTES, type OpenSsl } from "../openssl/library.ts";
import { READ_ENDED, READ_FAILED, READ_WANTS_INPUT, type TlsSession } from "../openssl/session.ts";
import { HEADROOM, type UringChunk } from "./chunk-pool.ts";
import type { UringConnection } from "./connection.ts";
import type { UringEngine } from "./engine.ts";
import { SendQueue } from "./send-queue.ts";
import { setQuickAck } from "./socket.ts";

/** Most plain bytes encrypted for one send: with the records' overhead they fit a large chunk. */
const ENCRYPT_BYTES_MAX = 262144;
/** A range of at least this size becomes a record without being copied. */
const DIRECT_BYTES = 4096;
/** Most ciphertext that surely fits a small chunk as plain text. */
const SMALL_BYTES = 4096;
const RECORD_BYTES_MAX = 16384;
/** Most time for an alert to leave after the connection has failed. */
const ALERT_TIMEOUT_MS = 1000;

export class SecureChannel {
  readonly plain: SendQueue;
  readonly #engine: UringEngine;
  readonly #openSsl: OpenSsl;
  readonly #connection: UringConnection;
  readonly #session: TlsSession;
  readonly #wantsCertificate: boolean;
  #isReady = false;
  #isEnded = false;
  #hasFailed = false;
  #hasSentEnd = false;
  /** What a paused handler has left of a received chunk. */
  #rest: UringChunk | null = null;
  #restStart = 0;
  #restEnd = 0;
  /** OpenSSL holds decrypted bytes that did not fit the last chunk. */
  #hasDecrypted = false;

  constructor(
    engine: UringEngine,
    openSsl: OpenSsl,
    connection: UringConnection,
    session: TlsSession,
    wantsCertificate: boolean,
  ) {
    this.#engine = engine;
    this.plain = new SendQueue(engine.pools.small);
    this.#openSsl = openSsl;
    this.#connection = connection;
    this.#session = session;
    this.#wantsCertificate = wantsCertificate;
  }

  /** Received bytes that have not been delivered: nothing more is to be received before. */
  get hasUnread(): boolean {
    return this.#rest !== null || this.#hasDecrypted;
  }

  /** The connection is there: a client speaks first. */
  start(output: SendQueue): void {
    if (this.#connection.side === "server") {
      this.#openSsl.setInput(0, 0);
      this.#handshake(output);
    }
  }

  /** Takes bytes of the socket. */
  receive(chunk: UringChunk, start: number, end: number, output: SendQueue): void {
    if (this.#isEnded || this.#hasFailed) return;
    this.#openSsl.setInput(chunk.address + start, end - start);
    if (!this.#isReady) {
      this.#handshake(output);
      if (!this.#isReady || this.#connection.isClosed) return;
    }
    this.#deliver(chunk, end, output);
  }

  /** Goes on with what was left when the handler paused. */
  resume(output: SendQueue): void {
    const chunk = this.#rest;
    this.#rest = null;
    if (chunk === null) {
      this.#openSsl.setInput(0, 0);
      this.#deliver(null, 0, output);
      return;
    }
    this.#openSsl.setInput(chunk.address + this.#restStart, this.#restEnd - this.#restStart);
    this.#deliver(chunk, this.#restEnd, output);
    chunk.release();
  }

  /** Encrypts queued plain bytes, as many as make a good send. Called when the socket is free. */
  encryptInto(output: SendQueue): void {
    if (!this.#isReady || this.#hasFailed || this.plain.count === 0) return;
    const { plain } = this;
    let room = ENCRYPT_BYTES_MAX;
    while (plain.count > 0 && room > 0) {
      const length = this.#encryptFront(room);
      if (length < 0) {
        this.#fail(output);
        return;
      }
      plain.consume(length);
      room -= length;
    }
    this.#takeOutput(output);
  }

  /** Queues close_notify, once. True if that gave something to send. */
  queueCloseNotify(output: SendQueue): boolean {
    if (!this.#isReady || this.#hasFailed || this.#hasSentEnd) return false;
    this.#hasSentEnd = true;
    this.#session.endWriting();
    this.#takeOutput(output);
    return output.count > 0;
  }

  free(): void {
    this.#session.free();
    this.plain.clear();
    this.#rest?.release();
    this.#rest = null;
    this.#hasDecrypted = false;
  }

  /** Returns the number of bytes encrypted, -1 on failure. */
  #encryptFront(room: number): number {
    const { plain } = this;
    const start = plain.startAt(0);
    const length = Math.min(plain.endAt(0) - start, room);
    if (length >= DIRECT_BYTES || plain.count === 1) {
      return this.#session.write(plain.chunkAt(0).pointerAt(start), length) ? length : -1;
    }
    const gathered = plain.gatherInto(this.#openSsl.gatherBytes, Math.min(room, GATHER_BYTES));
    return this.#session.write(this.#openSsl.gather.pointer, gathered) ? gathered : -1;
  }

  #handshake(output: SendQueue): void {
    const step = this.#session.handshake();
    this.#takeOutput(output);
    if (step === "failed") this.#fail(output);
    if (step !== "done") return;
    const connection = this.#connection;
    this.#isReady = true;
    connection.tls = this.#session.facts(this.#wantsCertificate);
    // The client's first request otherwise waits for an acknowledgement that TCP delays by 40 ms.
    if (connection.remote.family !== "unix") setQuickAck(this.#engine.native, connection.fd);
    connection.open();
    connection.mark();
  }

  /** Decrypts all input and delivers it; `end` is where the input ends in `chunk`. */
  #deliver(chunk: UringChunk | null, end: number, output: SendQueue): void {
    const openSsl = this.#openSsl;
    const connection = this.#connection;
    while ((openSsl.inputLength > 0 || this.#hasDecrypted) && !connection.isClosed && !this.#isEnded) {
      if (connection.isPaused) {
        this.#keepRest(chunk, end);
        break;
      }
      const left = openSsl.inputLength;
      const target =
        left <= SMALL_BYTES && !this.#hasDecrypted
          ? this.#engine.pools.small.acquire()
          : this.#engine.pools.acquire(
              left > RECORD_BYTES_MAX * 2 ? ENCRYPT_BYTES_MAX : RECORD_BYTES_MAX + HEADROOM,
            );
      const length = this.#decryptInto(target);
      // What OpenSSL has left of the input is in the way of nobody: no handler touches OpenSSL's input.
      if (length > 0) connection.handler.handleData(connection, target, HEADROOM, HEADROOM + length);
      target.release();
      if (this.#hasFailed) {
        if (!connection.isClosed) this.#fail(output);
        break;
      }
      if (this.#isEnded && !connection.isClosed) connection.deliverEnd();
      if (length === 0) break;
    }
    if (openSsl.outputLength > 0 && !connection.isClosed) this.#takeOutput(output);
  }

  /** Fills the chunk as far as whole records go. Notes an end or failure behind the bytes that it returns. */
  #decryptInto(target: UringChunk): number {
    const openSsl = this.#openSsl;
    const capacity = target.bytes.length - HEADROOM;
    let length = 0;
    do {
      const pointer = target.pointerAt(HEADROOM + length);
      const count = this.#session.read(pointer, capacity - length);
      this.#hasDecrypted = count === capacity - length && this.#session.pendingLength > 0;
      if (count === READ_ENDED) this.#isEnded = true;
      if (count === READ_FAILED) this.#hasFailed = true;
      if (count <= READ_WANTS_INPUT) break;
      length += count;
    } while (openSsl.inputLength > 0 && capacity - length >= RECORD_BYTES_MAX);
    return length;
  }

  #keepRest(chunk: UringChunk | null, end: number): void {
    const length = this.#openSsl.inputLength;
    if (chunk === null || length === 0) return;
    chunk.retain();
    this.#rest = chunk;
    this.#restStart = end - length;
    this.#restEnd = end;
  }

  /** Sends the alert that OpenSSL has made, then closes. */
  #fail(output: SendQueue): void {
    this.#hasFailed = true;
    this.plain.clear();
    this.#takeOutput(output);
    const connection = this.#connection;
    const what = this.#isReady ? "TLS" : "TLS handshake";
    connection.startTimer(ALERT_TIMEOUT_MS, "the TLS alert could not be sent");
    connection.closeBecause(failure("tls", connection.side, `${what} failed: ${this.#session.error}`));
  }

  #takeOutput(output: SendQueue): void {
    const length = this.#openSsl.outputLength;
    if (length === 0) return;
    const chunk = this.#engine.pools.acquire(length);
    this.#openSsl.takeOutput(chunk.pointer);
    output.push(chunk, 0, length);
    this.#connection.mark();
  }
}
