// How long streams took, as buckets of a histogram: which bucket a time falls into, and what time a bucket
// stands for. Each stream asks once or twice, so it is done by the bits of a float, in some nanoseconds.

/**
 * Buckets of how long streams took, of frontends and backends: eight for each doubling, from 1/16 ms to 18
 * hours, so that a quantile read from them is wrong by 6 % at most. What is shorter or longer is in the first
 * or last.
 */
export const LATENCY_BUCKETS = 240;
const LATENCY_BUCKETS_PER_DOUBLING = 8;
const LATENCY_FIRST_EXPONENT = -4;

/** One number as a float and as its bits: exponent and leading digits are the bucket, without a logarithm. */
const FLOAT = new Float32Array(1);
const FLOAT_BITS = new Int32Array(FLOAT.buffer);
/** Of a Float32: 23 digits behind the point, three of which count, and an exponent that is 127 for 1. */
const BUCKET_SHIFT = 20;
const FIRST_BUCKET = (127 + LATENCY_FIRST_EXPONENT) * LATENCY_BUCKETS_PER_DOUBLING;

export function latencyBucket(ms: number): number {
  FLOAT[0] = ms;
  const bucket = (FLOAT_BITS[0]! >> BUCKET_SHIFT) - FIRST_BUCKET;
  return bucket <= 0 ? 0 : bucket >= LATENCY_BUCKETS ? LATENCY_BUCKETS - 1 : bucket;
}

/** The geometric middle of what a bucket holds, in milliseconds. */
export function latencyOfBucket(bucket: number): number {
  const doubling = Math.floor(bucket / LATENCY_BUCKETS_PER_DOUBLING);
  const low = 1 + (bucket % LATENCY_BUCKETS_PER_DOUBLING) / LATENCY_BUCKETS_PER_DOUBLING;
  const high = low + 1 / LATENCY_BUCKETS_PER_DOUBLING;
  return 2 ** (doubling + LATENCY_FIRST_EXPONENT) * Math.sqrt(low * high);
}
