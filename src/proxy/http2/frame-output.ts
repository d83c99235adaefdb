// What goes out on an HTTP/2 connection in one turn, gathered: small frames are written behind one another
// into one chunk, since each send costs more than the copy; larger data goes out where it lies.

import { copyBytes } from "../../protocol/http1/bytes.ts";
import {
  DEFAULT_FRAME_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  writeFrameHead,
} from "../../protocol/http2/frames.ts";
import type { Chunk, Connection, Engine } from "../../transport/contract.ts";

const GATHER_BYTES = 16 * 1024;
const COPY_BYTES_MAX = 4 * 1024;
/** No more data is framed while this much waits for the kernel, and nothing is read. */
export const OUTPUT_BYTES_MAX: number = 128 * 1024;

export class FrameOutput {
  readonly #engine: Pick<Engine, "allocate">;
  readonly #connection: Connection;
  #gathered: Chunk | null = null;
  #length = 0;
  /** Sent since it was last asked how much of it waits: to ask means to be told when nothing does. */
  #sentBytes = 0;

  constructor(engine: Pick<Engine, "allocate">, connection: Connection) {
    this.#engine = engine;
    this.#connection = connection;
  }

  /** The kernel has to take some of what it was given before there is more. A drain follows. */
  get isFull(): boolean {
    if (this.#sentBytes <= OUTPUT_BYTES_MAX) return false;
    this.#sentBytes = this.#connection.pendingBytes;
    return this.#sentBytes > OUTPUT_BYTES_MAX;
  }

  write(bytes: Uint8Array): void {
    const gathered = this.#reserve(bytes.length);
    this.#length = copyBytes(bytes, 0, bytes.length, gathered.bytes, this.#length);
  }

  /** Where a header block of up to so many bytes may be written: to `target`, from what is returned on. */
  beginBlock(byteCountMax: number): number {
    this.#reserve(FRAME_HEAD_BYTES + byteCountMax);
    return this.#length + FRAME_HEAD_BYTES;
  }

  get target(): Uint8Array {
    return this.#gathered!.bytes;
  }

  /** It ends there: puts its head before it, and parts it where it is more than a frame can hold. */
  endBlock(streamId: number, end: number, isEndOfStream: boolean): void {
    const start = this.#length + FRAME_HEAD_BYTES;
    const length = end - start;
    if (length > DEFAULT_FRAME_BYTES) {
      this.writeBlock(streamId, this.target.slice(start, end), isEndOfStream);
      return;
    }
    const flags = FLAG.endHeaders | (isEndOfStream ? FLAG.endStream : 0);
    writeFrameHead(length, FRAME.headers, flags, streamId, this.target, this.#length);
    this.#length = end;
  }

  /** A header block, with as many CONTINUATION frames as it takes. */
  writeBlock(streamId: number, block: Uint8Array, isEndOfStream: boolean): void {
    let at = 0;
    do {
      const length = Math.min(DEFAULT_FRAME_BYTES, block.length - at);
      const type = at === 0 ? FRAME.headers : FRAME.continuation;
      const isLast = at + length === block.length;
      const flags = (isLast ? FLAG.endHeaders : 0) | (at === 0 && isEndOfStream ? FLAG.endStream : 0);
      this.#writeHead(length, type, flags, streamId, length);
      this.#length = copyBytes(block, at, at + length, this.target, this.#length);
      at += length;
    } while (at < block.length);
  }

  /** A DATA frame of bytes that are copied. */
  copyData(streamId: number, bytes: Uint8Array, start: number, end: number, isEndOfStream: boolean): void {
    const length = end - start;
    this.#writeHead(length, FRAME.data, isEndOfStream ? FLAG.endStream : 0, streamId, length);
    this.#length = copyBytes(bytes, start, end, this.target, this.#length);
  }

  /** A DATA frame; a large one goes out from where it lies. */
  writeData(streamId: number, chunk: Chunk, start: number, end: number, isEndOfStream: boolean): void {
    const length = end - start;
    if (length <= COPY_BYTES_MAX) {
      this.copyData(streamId, chunk.bytes, start, end, isEndOfStream);
      return;
    }
    this.#writeHead(length, FRAME.data, isEndOfStream ? FLAG.endStream : 0, streamId, 0);
    this.flush();
    this.#sentBytes += length;
    this.#connection.send(chunk, start, end);
  }

  flush(): void {
    const gathered = this.#gathered;
    if (gathered === null) return;
    this.#sentBytes += this.#length;
    if (!this.#connection.isClosed) this.#connection.send(gathered, 0, this.#length);
    this.drop();
  }

  drop(): void {
    this.#gathered?.release();
    this.#gathered = null;
    this.#length = 0;
  }

  #writeHead(length: number, type: number, flags: number, streamId: number, behindBytes: number): void {
    const { bytes } = this.#reserve(FRAME_HEAD_BYTES + behindBytes);
    this.#length = writeFrameHead(length, type, flags, streamId, bytes, this.#length);
  }

  #reserve(byteCount: number): Chunk {
    if (this.#gathered !== null && this.#length + byteCount > this.#gathered.bytes.length) this.flush();
    this.#gathered ??= this.#engine.allocate(Math.max(GATHER_BYTES, byteCount));
    return this.#gathered;
  }
}
