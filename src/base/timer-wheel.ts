// Deadlines of connections and checks. A hashed wheel with lazy re-arming: moving a deadline further away,
// which every request does, is one store; the timer is looked at again when its old slot comes up. Knows no
// clock: `now` comes in. All times are milliseconds on the engine's monotonic clock.

const SLOT_COUNT = 1024;
const SLOT_MASK = SLOT_COUNT - 1;
/** Width of a slot. A timer fires at most this much late. */
const SLOT_MS = 8;

export interface TimerTarget {
  /** Called once per expiry, with the timer disarmed. It may arm again. */
  handleTimeout(nowMs: number, timer: Timer): void;
}

/** A deadline that belongs to one target. Create once, arm as often as you like. */
export class Timer {
  readonly target: TimerTarget;
  /** Infinity while disarmed. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** The tick of the slot that holds this timer, -1 when none does. Owned by the wheel. */
  slotTick = -1;
  next: Timer | null = null;
  previous: Timer | null = null;

  constructor(target: TimerTarget) {
    this.target = target;
  }
}

export class TimerWheel {
  readonly #slots: (Timer | null)[] = new Array(SLOT_COUNT).fill(null);
  #tick: number;
  #count = 0;
  /** No queued timer waits in a slot before this tick, so looking for the first one starts here. */
  #earliestTick = 0;

  constructor(nowMs: number) {
    this.#tick = Math.floor(nowMs / SLOT_MS);
  }

  /** Sets the deadline, replacing an earlier one. Infinity disarms. */
  arm(timer: Timer, deadlineMs: number): void {
    timer.deadlineMs = deadlineMs;
    // Waiting in an earlier slot is enough: it is re-queued when that slot comes up. Nearly every call ends
    // here.
    if (timer.slotTick >= 0 && timer.slotTick * SLOT_MS <= deadlineMs) return;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const tick = Math.max(this.#tick, Math.floor(deadlineMs / SLOT_MS)) + 1;
    if (timer.slotTick >= 0) {
      if (timer.slotTick <= tick) return;
      this.#unlink(timer);
    }
    // A deadline beyond one turn waits in the slot of the last tick of this turn and is re-queued from there.
    this.#link(timer, Math.min(tick, this.#tick + SLOT_COUNT - 1));
  }

  /**
   * Cheap: the timer leaves its slot only when the slot comes up. Use `remove` to let the target be
   * collected.
   */
  disarm(timer: Timer): void {
    timer.deadlineMs = Number.POSITIVE_INFINITY;
  }

  remove(timer: Timer): void {
    timer.deadlineMs = Number.POSITIVE_INFINITY;
    if (timer.slotTick >= 0) this.#unlink(timer);
  }

  /** Fires everything whose deadline is not after `nowMs`. */
  advance(nowMs: number): void {
    const until = Math.floor(nowMs / SLOT_MS);
    if (until - this.#tick > SLOT_COUNT) this.#tick = until - SLOT_COUNT;
    while (this.#tick < until) {
      this.#tick++;
      this.#fireSlot(nowMs);
    }
  }

  /** The earliest time at which `advance` may have something to do; Infinity when nothing waits. */
  nextDeadline(): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    for (let tick = Math.max(this.#tick + 1, this.#earliestTick); tick <= this.#tick + SLOT_COUNT; tick++) {
      if (this.#slots[tick & SLOT_MASK] === null) continue;
      this.#earliestTick = tick;
      return tick * SLOT_MS;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** How many timers are queued, disarmed ones that were not yet swept included. */
  get count(): number {
    return this.#count;
  }

  #fireSlot(nowMs: number): void {
    let timer = this.#slots[this.#tick & SLOT_MASK] ?? null;
    // Timers armed while firing go to later slots, so this walk ends. A fired target may remove the next
    // timer in the list, so the walk always starts again from the head.
    while (timer !== null) {
      this.#unlink(timer);
      if (timer.deadlineMs <= nowMs) {
        timer.deadlineMs = Number.POSITIVE_INFINITY;
        timer.target.handleTimeout(nowMs, timer);
      } else if (timer.deadlineMs !== Number.POSITIVE_INFINITY) {
        this.arm(timer, timer.deadlineMs);
      }
      timer = this.#slots[this.#tick & SLOT_MASK] ?? null;
    }
  }

  #link(timer: Timer, tick: number): void {
    const slot = tick & SLOT_MASK;
    const head = this.#slots[slot] ?? null;
    timer.slotTick = tick;
    if (tick < this.#earliestTick) this.#earliestTick = tick;
    timer.next = head;
    timer.previous = null;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
    this.#count++;
  }

  #unlink(timer: Timer): void {
    if (timer.previous === null) this.#slots[timer.slotTick & SLOT_MASK] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    timer.slotTick = -1;
    this.#count--;
  }
}
