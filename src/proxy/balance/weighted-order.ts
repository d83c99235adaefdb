// The order in which HAProxy's fast weighted round robin (FWRR) hands out servers from a clean start. Each
// server has a next position in a window as wide as the sum of weights and moves on by total/weight when it
// is taken; servers not yet taken in this window wait, heaviest first, and fill the holes. Instead of trees
// that live as long as the backend, one window is run through once and its smallest period kept.

/** Longest order. Above it (many servers with large coprime weights) weights are halved until it fits. */
const ORDER_LENGTH_MAX = 32_768;
/** Weights as HAProxy scales them: 256 × 16 is the largest. */
const WEIGHT_MAX = 4096;
const USER_WEIGHT_RANGE = 256;
const WEIGHT_SCALE = 16;

interface Participant {
  readonly index: number;
  readonly weight: number;
  position: number;
  /** Rest of total/weight that is carried over. */
  remainder: number;
  where: "waiting" | "current" | "next";
  key: number;
  /** Ties keep the order in which they were queued. */
  queuedAt: number;
}

/**
 * Indexes of `weights` (each above 0) in the order of service, to be repeated for ever. Equal weights give 0
 * 1 2 …; each index occurs in proportion to its weight.
 */
export function weightedOrder(weights: Int32Array): Uint16Array {
  if (weights.length === 0) return new Uint16Array(0);
  if (weights.every((weight) => weight === weights[0])) return Uint16Array.from(weights, (_, index) => index);
  let scaled = weights;
  let total = sum(scaled);
  while (total > ORDER_LENGTH_MAX && scaled.some((weight) => weight > 1)) {
    scaled = scaled.map((weight) => Math.max(1, weight >> 1));
    total = sum(scaled);
  }
  return smallestPeriod(runWindow(scaled, total));
}

function runWindow(weights: Int32Array, total: number): Uint16Array {
  let queued = 0;
  const participants = Array.from(weights, (weight, index): Participant => {
    return {
      index,
      weight,
      position: 0,
      remainder: 0,
      where: "waiting",
      key: WEIGHT_MAX - weight,
      queuedAt: queued++,
    };
  });
  const order = new Uint16Array(total);
  // The first window starts at `total`, not at 0: a position of 0 means "never taken".
  let window = total;
  for (let taken = 0; taken < total; ) {
    const next = pick(participants, window);
    if (next === null) {
      for (const participant of participants) if (participant.where === "next") participant.where = "waiting";
      window = total;
      continue;
    }
    if (next.where === "waiting") next.position = next.remainder = 0;
    if (next.position === 0) next.position = window;
    next.position += Math.floor(total / next.weight);
    next.remainder += total % next.weight;
    if (next.remainder >= next.weight) {
      next.remainder -= next.weight;
      next.position++;
    }
    window++;
    order[taken++] = next.index;
    if (next.position >= 2 * total) {
      next.position -= total;
      next.where = "next";
      next.key = WEIGHT_MAX - next.weight;
    } else {
      next.where = "current";
      next.key =
        USER_WEIGHT_RANGE * next.position +
        Math.floor((WEIGHT_MAX + next.remainder - next.weight) / WEIGHT_SCALE);
    }
    next.queuedAt = queued++;
  }
  return order;
}

/** The first one whose time has come, else the first waiting one, else the first whose time will come. */
function pick(participants: readonly Participant[], window: number): Participant | null {
  let current: Participant | null = null;
  let waiting: Participant | null = null;
  for (const participant of participants) {
    if (participant.where === "current") current = earlier(current, participant);
    else if (participant.where === "waiting") waiting = earlier(waiting, participant);
  }
  if (current !== null && current.position <= window) return current;
  return waiting ?? current;
}

function earlier(best: Participant | null, other: Participant): Participant {
  if (best === null || other.key < best.key) return other;
  return other.key === best.key && other.queuedAt < best.queuedAt ? other : best;
}

function smallestPeriod(order: Uint16Array): Uint16Array {
  for (let period = 1; period <= order.length / 2; period++) {
    if (order.length % period === 0 && order.every((index, i) => index === order[i % period]))
      return order.slice(0, period);
  }
  return order;
}

function sum(weights: Int32Array): number {
  return weights.reduce((total, weight) => total + weight, 0);
}
