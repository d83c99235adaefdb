// The table that `static-rr` walks and map-based hashing indexes: each server as often as its weight says,
// spread out, the first server first. Built by adding every server's weight to its score per place and taking
// the highest level, which is how HAProxy 2.6 fills it; place by place it has to be the same, or keys would
// move to other servers.

/** Indexes of `weights` (each above 0), one per place; the sum of the weights is the length. */
export function buildServerMap(weights: Int32Array): Uint16Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const map = new Uint16Array(total);
  if (total <= 1) return map;
  const scores = new Int32Array(weights.length);
  for (let place = 0; place < total; place++) {
    let best = -1;
    let bestLevel = 0;
    for (let i = 0; i < weights.length; i++) {
      scores[i] = scores[i]! + weights[i]!;
      const level = Math.trunc((scores[i]! + total) / total);
      if (best < 0 || level > bestLevel) {
        bestLevel = level;
        best = i;
      }
    }
    map[place] = best;
    scores[best] = scores[best]! - total;
  }
  return map;
}

/**
 * Static weights are reduced by the greatest common divisor of all configured ones, weights of 0 left aside.
 */
export function commonDivisor(weights: readonly number[]): number {
  let divisor = 0;
  for (const weight of weights) divisor = greatestCommonDivisor(weight, divisor);
  return Math.max(1, divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
