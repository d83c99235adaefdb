// What goes out on an HTTP/2 connection in one turn, gathered: small frames are copied behind one another
// into one chunk, since each send costs more than the copy; larger data goes out where it lies.

import { copyBytes } from "../../protocol/http1/bytes.ts";
import { FLAG, FRAME, FRAME_HEAD_BYTES, writeFrameHead } from "../../protocol/http2/frames.ts";
import type { Chunk, Connection, Engine } from "../../transport/contract.ts";

const GATHER_BYTES = 16 * 1024;
const COPY_BYTES_MAX = 4 * 1024;

export class FrameOutput {
  readonly #engine: Pick<Engine, "allocate">;
  readonly #connection: Connection;
  #gathered: Chunk | null = null;
  #length = 0;

  constructor(engine: Pick<Engine, "allocate">, connection: Connection) {
    this.#engine = engine;
    this.#connection = connection;
  }

  write(bytes: Uint8Array): void {
    const gathered = this.#reserve(bytes.length);
    this.#length = copyBytes(bytes, 0, bytes.length, gathered.bytes, this.#length);
  }

  /** A header block, with as many CONTINUATION frames as the client's limit on frames asks for. */
  writeBlock(streamId: number, block: Uint8Array, isEndOfStream: boolean, frameBytesMax: number): void {
    let at = 0;
    do {
      const length = Math.min(frameBytesMax, block.length - at);
      const type = at === 0 ? FRAME.headers : FRAME.continuation;
      const isLast = at + length === block.length;
      const flags = (isLast ? FLAG.endHeaders : 0) | (at === 0 && isEndOfStream ? FLAG.endStream : 0);
      this.#writeHead(length, type, flags, streamId, length);
      this.#length = copyBytes(block, at, at + length, this.#gathered!.bytes, this.#length);
      at += length;
    } while (at < block.length);
  }

  writeData(streamId: number, chunk: Chunk | null, start: number, end: number, isEndOfStream: boolean): void {
    const length = end - start;
    const isCopied = length <= COPY_BYTES_MAX;
    this.#writeHead(length, FRAME.data, isEndOfStream ? FLAG.endStream : 0, streamId, isCopied ? length : 0);
    if (chunk === null || length === 0) return;
    if (isCopied) {
      this.#length = copyBytes(chunk.bytes, start, end, this.#gathered!.bytes, this.#length);
      return;
    }
    this.flush();
    this.#connection.send(chunk, start, end);
  }

  flush(): void {
    const gathered = this.#gathered;
    if (gathered === null) return;
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
