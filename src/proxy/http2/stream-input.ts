// The body of one request on its way from DATA frames to the exchange, which is given a body of HTTP/1.1: as
// it is where the length was announced, in chunks where not. What the exchange does not take yet waits here;
// the stream's window bounds it, since a client gets window back only for what was taken.

import { CHUNK_TAIL, writeChunkHead } from "../../protocol/http1/body.ts";
import { copyBytes, writeLatin1 } from "../../protocol/http1/bytes.ts";
import { CHUNK_OVERHEAD_BYTES } from "../../protocol/http2/request-head.ts";
import type { Chunk, Engine } from "../../transport/contract.ts";
import { HeldInput } from "../exchange/held-input.ts";

/** A piece of chunked data up to this size is copied between its size and its line's end. */
const COPY_BYTES_MAX = 4 * 1024;

type Receiver = (chunk: Chunk, start: number, end: number) => void;

export class StreamInput {
  readonly #engine: Pick<Engine, "allocate">;
  readonly #held: HeldInput;
  readonly #receive: Receiver;
  #isChunked = false;
  #contentLeft = -1;
  isPaused = false;
  /** Bytes of window that are to be given back once what is held has been taken. */
  #windowBytes = 0;

  constructor(engine: Pick<Engine, "allocate">, receive: Receiver) {
    this.#engine = engine;
    this.#held = new HeldInput(engine);
    this.#receive = receive;
  }

  begin(isChunked: boolean, contentLength: number): void {
    this.#isChunked = isChunked;
    this.#contentLeft = contentLength;
    this.#windowBytes = 0;
  }

  /** False: more than was announced. */
  addData(chunk: Chunk, start: number, end: number, windowBytes: number): boolean {
    this.#windowBytes += windowBytes;
    if (this.#contentLeft >= 0) {
      this.#contentLeft -= end - start;
      if (this.#contentLeft < 0) return false;
    }
    if (start === end) return true;
    if (this.#isChunked) this.#addChunk(chunk, start, end);
    else this.#add(chunk, start, end);
    return true;
  }

  /** False: less than was announced. `trailers`: lines, each with its end. */
  addEnd(trailers: string): boolean {
    if (this.#contentLeft > 0) return false;
    if (!this.#isChunked) return true;
    const text = `0\r\n${trailers}\r\n`;
    const chunk = this.#engine.allocate(text.length);
    this.#add(chunk, 0, writeLatin1(text, chunk.bytes, 0));
    chunk.release();
    return true;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Hands over what is held as long as it is taken. */
  deliver(): void {
    if (this.isPaused || this.#held.length === 0) return;
    const pieces = this.#held.takeAll();
    for (const { chunk, start, end } of pieces) {
      if (this.isPaused) this.#held.add(chunk, start, end);
      else this.#receive(chunk, start, end);
      chunk.release();
    }
  }

  /** The window that can be given back to the client; 0 while that is less than so much. */
  takeWindowBytes(byteCountMin: number): number {
    if (this.#held.length > 0 || this.#windowBytes < byteCountMin) return 0;
    const bytes = this.#windowBytes;
    this.#windowBytes = 0;
    return bytes;
  }

  drop(): void {
    this.#held.releaseAll();
    this.isPaused = false;
    this.#windowBytes = 0;
  }

  #add(chunk: Chunk, start: number, end: number): void {
    if (this.isPaused || this.#held.length > 0) this.#held.add(chunk, start, end);
    else this.#receive(chunk, start, end);
  }

  #addChunk(data: Chunk, start: number, end: number): void {
    const isCopied = end - start <= COPY_BYTES_MAX;
    const frame = this.#engine.allocate(CHUNK_OVERHEAD_BYTES + (isCopied ? end - start : 0));
    let at = writeChunkHead(end - start, frame.bytes, 0);
    if (isCopied) at = copyBytes(data.bytes, start, end, frame.bytes, at);
    else {
      this.#add(frame, 0, at);
      this.#add(data, start, end);
    }
    const tailStart = isCopied ? 0 : at;
    at = copyBytes(CHUNK_TAIL, 0, CHUNK_TAIL.length, frame.bytes, at);
    this.#add(frame, tailStart, at);
    frame.release();
  }
}
