// Events of the last period, as HAProxy counts them: those of the present window, and of the one before as
// much as the last period still covers. Three cells: when the window began, its events, those of the one
// before.

export const RATE_CELLS = 3;

export function addToRate(
  cells: Float64Array,
  at: number,
  periodMs: number,
  delta: number,
  nowMs: number,
): void {
  const elapsedMs = nowMs - cells[at]!;
  if (elapsedMs < periodMs) {
    cells[at + 1] = cells[at + 1]! + delta;
    return;
  }
  const isNext = elapsedMs < 2 * periodMs;
  cells[at] = isNext ? cells[at]! + periodMs : nowMs;
  cells[at + 2] = isNext ? cells[at + 1]! : 0;
  cells[at + 1] = delta;
}

/** Rounded down. */
export function readRate(cells: Float64Array, at: number, periodMs: number, nowMs: number): number {
  let remainMs = cells[at]! + periodMs - nowMs;
  let current = cells[at + 1]!;
  let past = cells[at + 2]!;
  if (remainMs < 0) {
    remainMs += periodMs;
    past = remainMs >= 0 ? current : 0;
    current = 0;
  }
  // One event counts for the whole of its period: a part of it would be none.
  if (current === 0 && past <= 1) return past;
  return Math.floor((past * remainMs + current * periodMs) / periodMs);
}

/** As if so many events had come just now. */
export function setRate(cells: Float64Array, at: number, value: number, nowMs: number): void {
  cells[at] = nowMs;
  cells[at + 1] = value;
  cells[at + 2] = 0;
}
