// The body of a response that is compressed: what comes of it, at which level, and counted. The level starts
// at `tune.comp.maxlevel`, goes down with each piece while all workers together compress more than
// `maxcomprate`, and up again when they do not; at 0 zlib only wraps.

import type { ExchangeContext } from "../exchange/context.ts";
import { rateLimits } from "../rate-limits.ts";
import { COUNTER, countRate, HEADER, readRate } from "../state.ts";
import type { Stream } from "../stream.ts";
import { BodyCompressor } from "./body-compressor.ts";
import { isCompressible, labelCompressed } from "./response-compression.ts";

export class CompressedBody {
  readonly #context: ExchangeContext;
  readonly #stream: Stream;
  readonly #compressor: BodyCompressor;
  #level: number;

  constructor(context: ExchangeContext, stream: Stream) {
    this.#context = context;
    this.#stream = stream;
    this.#compressor = new BodyCompressor(stream.compression!.algorithm);
    this.#level = context.runtime.configuration.global.compression.levelMax;
    const { state } = context;
    state.count(stream.frontend.slot, COUNTER.compRsp);
    if (stream.backend !== null) state.count(stream.backend.slot, COUNTER.compRsp);
  }

  /**
   * What goes to the client for the next parts of the body, framed in chunks; may be empty. Trailers go
   * behind the last ones as they came, as HAProxy passes them on.
   */
  push(parts: readonly Uint8Array[], isLast: boolean, trailers: readonly number[] | null = null): Uint8Array {
    const before = this.#compressor.bytesOut;
    const bytesIn = parts.reduce((sum, part) => sum + part.length, 0);
    this.#adaptLevel();
    const out = this.#compressor.compress(parts, this.#level, isLast, trailers);
    this.#count(bytesIn, this.#compressor.bytesOut - before);
    return out;
  }

  #adaptLevel(): void {
    const { runtime } = this.#context;
    if (rateLimits.compressedBytesPerSecond(runtime) === 0) return;
    const { levelMax } = runtime.configuration.global.compression;
    if (isCompressionOverLimit(this.#context)) this.#level = Math.max(0, this.#level - 1);
    else this.#level = Math.min(levelMax, this.#level + 1);
  }

  #count(bytesIn: number, bytesOut: number): void {
    const { state, engine } = this.#context;
    const { frontend, backend, compression } = this.#stream;
    if (compression!.algorithm === "identity") {
      countBypass(this.#context, this.#stream, bytesIn);
      return;
    }
    for (const { slot } of backend === null ? [frontend] : [frontend, backend]) {
      state.count(slot, COUNTER.compIn, bytesIn);
      state.count(slot, COUNTER.compOut, bytesOut);
    }
    countRate(state, frontend.slot, COUNTER.compInSecond, engine.wallClockMs, bytesIn);
    countRate(state, frontend.slot, COUNTER.compOutSecond, engine.wallClockMs, bytesOut);
  }
}

/** Call when the head of the response is here and no rule has seen it. */
export function decideCompression(context: ExchangeContext, stream: Stream): void {
  if (!isCompressible(stream)) return;
  const isOverLimit = isCompressionOverLimit(context);
  stream.compression!.isApplied = !isOverLimit;
  stream.compression!.isBypassed = isOverLimit;
}

/** Call when the rules have run. Changes the head, and gives what the body goes through; null: nothing. */
export function beginCompression(context: ExchangeContext, stream: Stream): CompressedBody | null {
  const { compression } = stream;
  if (compression?.isApplied !== true) return null;
  labelCompressed(stream.response!, compression.algorithm);
  return new CompressedBody(context, stream);
}

/** Call when the response is over, of whose body so many bytes have come. */
export function endCompression(context: ExchangeContext, stream: Stream, payloadBytes: number): void {
  if (stream.compression!.isBypassed) countBypass(context, stream, payloadBytes);
}

/** All workers together have compressed more in the last second than `maxcomprate` lets them. */
function isCompressionOverLimit({ state, runtime, engine }: ExchangeContext): boolean {
  const limit = rateLimits.compressedBytesPerSecond(runtime);
  if (limit === 0) return false;
  const workerCount = state.header[HEADER.workerCountMax]!;
  let rate = 0;
  for (const { slot } of runtime.frontends)
    rate += readRate(state, slot, COUNTER.compInSecond, engine.wallClockMs, workerCount);
  return rate > limit;
}

/** Bytes of a response that went past compression, by `maxcomprate` or by `identity`. */
function countBypass({ state }: ExchangeContext, stream: Stream, payloadBytes: number): void {
  state.count(stream.frontend.slot, COUNTER.compByp, payloadBytes);
  if (stream.backend !== null) state.count(stream.backend.slot, COUNTER.compByp, payloadBytes);
}
