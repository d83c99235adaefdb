// Streams that wait because servers are at their maxconn: at one server (persistence) or at the backend (any
// server will do). First come, first served. The slots are shared by all workers, so a slot that another
// worker frees is found by looking again every few milliseconds while somebody waits.
import { Timer, type TimerTarget, type TimerWheel } from "../../base/timer-wheel.ts";
import type { Backend, Server } from "../runtime.ts";
import { CELL, COUNTER } from "../state.ts";

const POLL_MS = 10;

export interface Waiter {
  /** Null: any server of the backend will do. */
  readonly waitsFor: Server | null;
  /** A slot may be free: try again. Returns false when it got none and must go on waiting. */
  tryAgain(server: Server | null): boolean;
}

export class BackendQueue implements TimerTarget {
  readonly #waiters: Waiter[] = [];
  readonly #backend: Backend;
  readonly #timers: TimerWheel;
  readonly #timer = new Timer(this);

  constructor(backend: Backend, timers: TimerWheel) {
    this.#backend = backend;
    this.#timers = timers;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Appends and returns how many were waiting before at the same place, all workers. */
  add(waiter: Waiter, nowMs: number): number {
    this.#waiters.push(waiter);
    if (this.#waiters.length === 1) this.#timers.arm(this.#timer, nowMs + POLL_MS);
    const slot = (waiter.waitsFor ?? this.#backend).slot;
    this.#backend.state.enter(slot, COUNTER.qcur, COUNTER.qmax);
    return this.#backend.state.add(slot, CELL.queued, 1);
  }

  remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#removeAt(index);
  }

  /** A slot of `server` came free. */
  wake(server: Server): void {
    for (let i = 0; i < this.#waiters.length; i++) {
      const waiter = this.#waiters[i]!;
      if (waiter.waitsFor !== null && waiter.waitsFor.slot !== server.slot) continue;
      if (waiter.waitsFor === null && !server.isBalanced) continue;
      if (server.isFull) return;
      if (this.#attempt(i, server)) return;
    }
  }

  handleTimeout(nowMs: number): void {
    // A waiter that is served is removed, so the index only moves past those that go on waiting.
    for (let i = 0; i < this.#waiters.length; ) if (!this.#attempt(i, this.#waiters[i]!.waitsFor)) i++;
    if (this.#waiters.length > 0) this.#timers.arm(this.#timer, nowMs + POLL_MS);
  }

  #attempt(index: number, server: Server | null): boolean {
    const waiter = this.#waiters[index]!;
    this.#removeAt(index);
    if (waiter.tryAgain(server)) return true;
    this.#waiters.splice(index, 0, waiter);
    const slot = (waiter.waitsFor ?? this.#backend).slot;
    this.#backend.state.count(slot, COUNTER.qcur);
    this.#backend.state.add(slot, CELL.queued, 1);
    return false;
  }

  #removeAt(index: number): void {
    const waiter = this.#waiters.splice(index, 1)[0]!;
    const slot = (waiter.waitsFor ?? this.#backend).slot;
    this.#backend.state.leave(slot, COUNTER.qcur);
    this.#backend.state.add(slot, CELL.queued, -1);
  }
}
