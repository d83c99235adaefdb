// One turn of Node's loop as the engine sees it: from the first event after a wait to the check phase. Keeps
// the clock that stands still within a turn, the tasks that were deferred, and the one timeout that drives
// the timer wheel. Invariant: handlers run one after another through `dispatch`, never one inside another.
import { type Timer, TimerWheel } from "../../base/timer-wheel.ts";

/** How often the difference between the monotonic and the wall clock is measured again. */
const WALL_CLOCK_CHECK_MS = 1000;

/** Tells when something was armed, because the deadline may be earlier than the one Node was asked for. */
class WatchedTimerWheel extends TimerWheel {
  readonly #onArm: () => void;

  constructor(nowMs: number, onArm: () => void) {
    super(nowMs);
    this.#onArm = onArm;
  }

  override arm(timer: Timer, deadlineMs: number): void {
    super.arm(timer, deadlineMs);
    this.#onArm();
  }
}

export class Turn {
  readonly timers: TimerWheel;
  readonly #turnEndTasks: (() => void)[] = [];
  readonly #deferred: (() => void)[] = [];
  readonly #flushes: (() => void)[] = [];
  #nowMs: number = performance.now();
  #isOpen = false;
  #isDispatching = false;
  #isStopped = false;
  #hasDrainScheduled = false;
  #timeout: NodeJS.Timeout | null = null;
  #timeoutDeadlineMs = Number.POSITIVE_INFINITY;
  #wallOffsetMs = 0;
  #wallCheckedAtMs = Number.NEGATIVE_INFINITY;

  constructor() {
    this.timers = new WatchedTimerWheel(this.#nowMs, () => this.#open());
  }

  get nowMs(): number {
    this.#open();
    return this.#nowMs;
  }

  get wallClockMs(): number {
    this.#open();
    if (this.#nowMs - this.#wallCheckedAtMs >= WALL_CLOCK_CHECK_MS) {
      this.#wallOffsetMs = Date.now() - performance.now();
      this.#wallCheckedAtMs = this.#nowMs;
    }
    return this.#nowMs + this.#wallOffsetMs;
  }

  /** Runs a handler, then what it deferred. Called while another handler runs, it queues instead. */
  dispatch(event: () => void): void {
    if (this.#isStopped) return;
    if (this.#isDispatching) {
      this.#deferred.push(event);
      return;
    }
    this.#open();
    this.#isDispatching = true;
    try {
      event();
      this.#drain();
    } finally {
      this.#isDispatching = false;
    }
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
    this.#scheduleDrain();
  }

  /** Runs `flush` once, after the present handler and all it deferred: one system call for many sends. */
  flushLater(flush: () => void): void {
    this.#flushes.push(flush);
    this.#scheduleDrain();
  }

  onTurnEnd(task: () => void): void {
    this.#turnEndTasks.push(task);
  }

  /** Nothing is dispatched afterwards. */
  stop(): void {
    this.#isStopped = true;
    this.#deferred.length = 0;
    this.#flushes.length = 0;
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
  }

  #scheduleDrain(): void {
    if (this.#isDispatching || this.#hasDrainScheduled || this.#isStopped) return;
    this.#hasDrainScheduled = true;
    process.nextTick(() => {
      this.#hasDrainScheduled = false;
      this.dispatch(() => {});
    });
  }

  #drain(): void {
    for (;;) {
      // A plain index, because tasks append while they are walked.
      for (let i = 0; i < this.#deferred.length; i++) this.#deferred[i]!();
      this.#deferred.length = 0;
      if (this.#flushes.length === 0) return;
      const flushes = this.#flushes.splice(0);
      for (const flush of flushes) flush();
    }
  }

  #open(): void {
    if (this.#isOpen || this.#isStopped) return;
    this.#isOpen = true;
    this.#nowMs = performance.now();
    setImmediate(() => this.#end());
  }

  #end(): void {
    if (this.#isStopped) return;
    this.dispatch(() => {
      if (this.timers.nextDeadline() <= this.#nowMs) this.timers.advance(this.#nowMs);
    });
    this.dispatch(() => {
      for (const task of this.#turnEndTasks) task();
    });
    this.#isOpen = false;
    this.#scheduleTimeout();
  }

  #scheduleTimeout(): void {
    const deadlineMs = this.timers.nextDeadline();
    if (deadlineMs === this.#timeoutDeadlineMs && this.#timeout !== null) return;
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
    if (deadlineMs === Number.POSITIVE_INFINITY || this.#isStopped) return;
    this.#timeoutDeadlineMs = deadlineMs;
    const delayMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    this.#timeout = setTimeout(() => {
      this.#timeout = null;
      this.#open();
    }, delayMs);
    // Sockets keep the process alive, deadlines alone do not.
    this.#timeout.unref();
  }
}
