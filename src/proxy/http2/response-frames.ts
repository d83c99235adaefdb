// The frames of responses on one connection. Heads go out at once, since no window holds them; data as
// windows and the kernel let it, one frame for each stream in turn. What happens to streams in one turn of
// the engine is gathered and goes out together.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  windowUpdateFrame,
} from "../../protocol/http2/frames.ts";
import { HpackEncoder } from "../../protocol/http2/hpack-encoder.ts";
import { encodeTrailers, ResponseBlockWriter } from "../../protocol/http2/response-block.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { Http2Stream } from "./http2-stream.ts";

const BLOCKS = new ResponseBlockWriter();

export class ResponseFrames {
  readonly encoder: HpackEncoder = new HpackEncoder();
  /** What the client lets us send on all streams together. */
  sendWindow: number = DEFAULT_WINDOW_BYTES;
  /** Of responses, in all: who still takes some is not idle. */
  sentBytes = 0;
  /** What the last head would be in HTTP/1.1. */
  headLength = 0;
  readonly #output: FrameOutput;
  readonly #guard: FloodGuard;
  // Arrays with their counts: to set an array's length is a call of V8's runtime, and frees its storage.
  #due: Http2Stream[] = [];
  #dueCount = 0;
  #serving: Http2Stream[] = [];
  readonly #sending: Http2Stream[] = [];

  constructor(output: FrameOutput, guard: FloodGuard) {
    this.#output = output;
    this.#guard = guard;
  }

  /** Something is to be told to this stream's exchange, or sent for it. */
  note(stream: Http2Stream): void {
    if (stream.isDue) return;
    stream.isDue = true;
    this.#due[this.#dueCount++] = stream;
  }

  /** A response's head, and the beginning of its body. Returns where that goes on: it had to wait. */
  sendHead(stream: Http2Stream, head: MessageHead, body: Uint8Array, start: number, end: number): number {
    const output = this.#output;
    const from = output.beginBlock(ResponseBlockWriter.lengthMax(head));
    const blockEnd = BLOCKS.write(this.encoder, head, stream.method, output.target, from);
    this.headLength = BLOCKS.http1Length;
    this.sentBytes += blockEnd - from;
    this.#guard.credit();
    if (head.status < 200) {
      output.endBlock(stream.streamId, blockEnd, false);
      return start;
    }
    const isTunnel = stream.method === "CONNECT" && head.status < 300;
    stream.output.beginBody(BLOCKS.framing, BLOCKS.contentLength, isTunnel);
    stream.isResponseEnded = stream.output.isComplete;
    output.endBlock(stream.streamId, blockEnd, stream.isResponseEnded);
    return this.#sendWithHead(stream, body, start, end);
  }

  /** Where the body goes on that could not go out at once. */
  #sendWithHead(stream: Http2Stream, body: Uint8Array, start: number, end: number): number {
    const { output } = stream;
    const length = end - start;
    const window = Math.min(stream.sendWindow, this.sendWindow, DEFAULT_FRAME_BYTES);
    if (length === 0 || stream.isResponseEnded || output.isFramed || length > window || this.#output.isFull)
      return start;
    const taken = output.pass(start, end, body);
    if (taken <= 0) return end;
    this.#output.copyData(stream.streamId, body, start, start + taken, output.isComplete);
    this.#account(stream, taken, output.isComplete);
    return end;
  }

  /** `tell`: hands on what is there for the exchange; `settle`: ends what has come to its end. */
  serve(tell: (stream: Http2Stream) => void, settle: (stream: Http2Stream) => void): void {
    const due = this.#due;
    const count = this.#dueCount;
    this.#due = this.#serving;
    this.#dueCount = 0;
    this.#serving = due;
    for (let i = 0; i < count; i++) {
      due[i]!.isDue = false;
      tell(due[i]!);
    }
    this.#sendInTurn(due, count);
    for (let i = 0; i < count; i++) settle(due[i]!);
  }

  /** Each stream that has something to send gets a frame in turn, until windows or the kernel are full. */
  #sendInTurn(due: readonly Http2Stream[], dueCount: number): void {
    const sending = this.#sending;
    let count = 0;
    for (let i = 0; i < dueCount; i++) if (this.#mayGoOn(due[i]!)) sending[count++] = due[i]!;
    while (count > 0) {
      if (this.#output.isFull) {
        // They go on when the kernel has taken what it has.
        for (let i = 0; i < count; i++) this.note(sending[i]!);
        return;
      }
      let left = 0;
      for (let i = 0; i < count; i++) if (this.#sendFrame(sending[i]!)) sending[left++] = sending[i]!;
      count = left;
    }
  }

  #mayGoOn(stream: Http2Stream): boolean {
    if (stream.streamId === 0 || stream.isResponseEnded || !stream.output.isHeadSent) return false;
    return stream.endsWith === null || stream.endsWith === ERROR.none;
  }

  /** True: it has more to send, and may. */
  #sendFrame(stream: Http2Stream): boolean {
    const { output, streamId } = stream;
    const piece = output.firstPiece;
    if (piece === undefined) {
      if (output.isComplete) this.#endResponse(stream);
      return false;
    }
    const window = Math.min(stream.sendWindow, this.sendWindow, DEFAULT_FRAME_BYTES);
    if (window <= 0) return false;
    const { chunk, start, end } = piece;
    const length = Math.min(end - start, window);
    const isEnd = output.isComplete && length === output.waitingBytes && !output.hasTrailers;
    this.#output.writeData(streamId, chunk, start, start + length, isEnd);
    output.take(length);
    this.#account(stream, length, isEnd);
    return !isEnd;
  }

  #account(stream: Http2Stream, length: number, isEnd: boolean): void {
    stream.sendWindow -= length;
    this.sendWindow -= length;
    this.sentBytes += length;
    this.#guard.credit();
    stream.isResponseEnded = isEnd;
    if (stream.output.waitingBytes === 0 && stream.isDrainWanted) stream.isDrainDue = true;
  }

  #endResponse(stream: Http2Stream): void {
    const { streamId, output } = stream;
    const lines = output.takeTrailers();
    const block = lines === null ? null : encodeTrailers(this.encoder, lines);
    if (block === null) this.#output.copyData(streamId, EMPTY, 0, 0, true);
    else this.#output.writeBlock(streamId, block, true);
    stream.isResponseEnded = true;
  }

  /** The client may send so much more on this stream. */
  giveWindow(stream: Http2Stream, byteCount: number): void {
    stream.receiveWindow += byteCount;
    this.#output.write(windowUpdateFrame(stream.streamId, byteCount));
  }
}

const EMPTY = new Uint8Array(0);
