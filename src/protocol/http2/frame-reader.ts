// Takes the bytes of an HTTP/2 connection apart into frames (RFC 9113 chapters 4 and 6). Data is passed on as
// the pieces in which it comes, where it lies; everything else is given whole. A header block is given
// together with its CONTINUATION frames, of which nothing else may come in between (section 6.10). What the
// frames mean, and which streams there are, is not known here.
import { DEFAULT_FRAME_BYTES, ERROR, FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE, readUint32 } from "./frames.ts";

/** The most that a header block may have as it is sent; more is an attack. */
const BLOCK_BYTES_MAX = 64 * 1024;
/** And the most frames, since these can be empty (CONTINUATION flood, CVE-2024-27316 and its like). */
const BLOCK_FRAME_COUNT_MAX = 32;

/** Each returns 0, or the error that ends the connection. */
export interface FrameSink {
  /**
   * The next piece of a DATA frame, bytes[start, end). `windowBytes` of the window go with it, padding
   * included. `isLast`: the end of the frame. The piece is empty where there is padding only.
   */
  receiveData(
    streamId: number,
    start: number,
    end: number,
    windowBytes: number,
    isLast: boolean,
    isEndOfStream: boolean,
  ): number;
  /** block[start, end) is whole. `dependency`: the stream that it says to depend on, -1 for none. */
  receiveHeaders(
    streamId: number,
    block: Uint8Array,
    start: number,
    end: number,
    isEndOfStream: boolean,
    dependency: number,
  ): number;
  /** PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE: payload[start, end) is whole. */
  receiveControl(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): number;
}

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  #prefaceBytes = 0;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headBytes = 0;
  // Of the present frame.
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of its payload that have not come yet. */
  #left = 0;
  #payload: Uint8Array = EMPTY;
  #payloadBytes = 0;
  /** Of a DATA frame: -1 while its length of padding has not come. */
  #paddingBytes = 0;
  // Of a header block that is not complete.
  #blockStreamId = 0;
  #block: Uint8Array[] = [];
  #blockBytes = 0;
  #isBlockEndOfStream = false;
  #blockDependency = -1;

  /** `frameBytesMax`: what we have announced as SETTINGS_MAX_FRAME_SIZE. */
  constructor(sink: FrameSink, frameBytesMax: number = DEFAULT_FRAME_BYTES) {
    this.#sink = sink;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Takes all of bytes[start, end). Returns 0, or the error that ends the connection. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    let pos = start;
    while (pos < end && this.#prefaceBytes < PREFACE.length) {
      if (bytes[pos++] !== PREFACE[this.#prefaceBytes++]) return ERROR.protocol;
    }
    while (pos < end) {
      if (this.#headBytes < FRAME_HEAD_BYTES) {
        const taken = Math.min(FRAME_HEAD_BYTES - this.#headBytes, end - pos);
        for (let i = 0; i < taken; i++) this.#head[this.#headBytes++] = bytes[pos++]!;
        if (this.#headBytes < FRAME_HEAD_BYTES) return 0;
        const error = this.#beginFrame();
        if (error !== 0) return error;
        if (this.#left > 0) continue;
      }
      const taken = Math.min(this.#left, end - pos);
      const error =
        this.#type === FRAME.data
          ? this.#takeData(bytes, pos, pos + taken)
          : this.#takePayload(bytes, pos, pos + taken);
      if (error !== 0) return error;
      pos += taken;
      if (this.#left === 0) this.#headBytes = 0;
    }
    return 0;
  }

  #beginFrame(): number {
    const head = this.#head;
    this.#left = (head[0]! << 16) | (head[1]! << 8) | head[2]!;
    this.#type = head[3]!;
    this.#flags = head[4]!;
    this.#streamId = readUint32(head, 5) & 0x7fff_ffff;
    this.#payloadBytes = 0;
    if (this.#left > this.#frameBytesMax) return ERROR.frameSize;
    const isContinuation = this.#type === FRAME.continuation;
    if (isContinuation !== (this.#blockStreamId !== 0)) return ERROR.protocol;
    if (isContinuation && this.#streamId !== this.#blockStreamId) return ERROR.protocol;
    switch (this.#type) {
      case FRAME.data:
      case FRAME.headers:
        if (this.#streamId === 0) return ERROR.protocol;
        this.#paddingBytes = (this.#flags & FLAG.padded) === 0 ? 0 : -1;
        return this.#left === 0 && this.#paddingBytes < 0 ? ERROR.frameSize : 0;
      // Clients cannot push (section 8.4).
      case FRAME.pushPromise:
        return ERROR.protocol;
      default:
        return 0;
    }
  }

  #takeData(bytes: Uint8Array, start: number, end: number): number {
    let windowBytes = end - start;
    this.#left -= windowBytes;
    let pos = start;
    if (this.#paddingBytes < 0 && pos < end) {
      this.#paddingBytes = bytes[pos++]!;
      if (this.#paddingBytes > this.#left + end - pos) return ERROR.protocol;
    }
    const isLast = this.#left === 0;
    if (pos === end && !isLast) {
      // Only the length of padding: it counts with what follows.
      this.#payloadBytes = windowBytes;
      return 0;
    }
    windowBytes += this.#payloadBytes;
    this.#payloadBytes = 0;
    const dataEnd = Math.max(pos, end - Math.max(0, this.#paddingBytes - this.#left));
    const isEndOfStream = isLast && (this.#flags & FLAG.endStream) !== 0;
    return this.#sink.receiveData(this.#streamId, pos, dataEnd, windowBytes, isLast, isEndOfStream);
  }

  #takePayload(bytes: Uint8Array, start: number, end: number): number {
    const isWhole = this.#payloadBytes === 0 && end - start === this.#left;
    this.#left -= end - start;
    if (isWhole) return this.#complete(bytes, start, end);
    if (!isKnown(this.#type)) return 0;
    if (this.#payloadBytes === 0) this.#payload = new Uint8Array(end - start + this.#left);
    this.#payload.set(bytes.subarray(start, end), this.#payloadBytes);
    this.#payloadBytes += end - start;
    if (this.#left > 0) return 0;
    const payload = this.#payload;
    this.#payload = EMPTY;
    return this.#complete(payload, 0, payload.length);
  }

  #complete(payload: Uint8Array, start: number, end: number): number {
    if (this.#type === FRAME.headers) return this.#completeHeaders(payload, start, end);
    if (this.#type === FRAME.continuation) return this.#addToBlock(payload, start, end);
    // Frames of unknown kinds are ignored (section 4.1).
    if (!isKnown(this.#type)) return 0;
    return this.#sink.receiveControl(this.#type, this.#flags, this.#streamId, payload, start, end);
  }

  #completeHeaders(payload: Uint8Array, start: number, end: number): number {
    let pos = start;
    const paddingBytes = (this.#flags & FLAG.padded) === 0 ? 0 : payload[pos++]!;
    this.#blockDependency = -1;
    if ((this.#flags & FLAG.priority) !== 0) {
      if (end - pos < 5) return ERROR.frameSize;
      this.#blockDependency = readUint32(payload, pos) & 0x7fff_ffff;
      pos += 5;
    }
    if (paddingBytes > end - pos) return ERROR.protocol;
    this.#blockStreamId = this.#streamId;
    this.#isBlockEndOfStream = (this.#flags & FLAG.endStream) !== 0;
    return this.#addToBlock(payload, pos, end - paddingBytes);
  }

  #addToBlock(payload: Uint8Array, start: number, end: number): number {
    const isEnd = (this.#flags & FLAG.endHeaders) !== 0;
    if (isEnd && this.#block.length === 0) return this.#endBlock(payload, start, end);
    this.#blockBytes += end - start;
    if (this.#blockBytes > BLOCK_BYTES_MAX || this.#block.length >= BLOCK_FRAME_COUNT_MAX)
      return ERROR.enhanceYourCalm;
    this.#block.push(payload.slice(start, end));
    if (!isEnd) return 0;
    const block = Buffer.concat(this.#block);
    this.#block = [];
    this.#blockBytes = 0;
    return this.#endBlock(block, 0, block.length);
  }

  #endBlock(block: Uint8Array, start: number, end: number): number {
    const streamId = this.#blockStreamId;
    this.#blockStreamId = 0;
    return this.#sink.receiveHeaders(
      streamId,
      block,
      start,
      end,
      this.#isBlockEndOfStream,
      this.#blockDependency,
    );
  }
}

function isKnown(type: number): boolean {
  return type <= FRAME.continuation;
}

const EMPTY = new Uint8Array(0);
