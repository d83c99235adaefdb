// The probes of a live change, all port groups together: waits until they are answered, tells what was lost
// since, and which have fallen silent. It decides by answers and by the clock, and has more patience with a
// machine on which nothing at all has been answered yet than with one port group of which others hear.
import { setTimeout as sleep } from "node:timers/promises";
import type { Probe } from "../../network/plan/probe-state.ts";

/** What it needs of a `ProbeStream`. */
export interface WatchedStream {
  readonly probe: Probe;
  /** How many were answered, or lost before one that was, since it began. */
  readonly sent: number;
  readonly perSecond: number;
  readonly lost: number;
  readonly unanswered: number;
  readonly isOver: boolean;
  /** What its program has said besides answers. */
  readonly complaint: string | null;
  begin(): void;
  stop(): void;
}

export interface ProbeReport {
  readonly switch: string;
  readonly portGroup: string;
  readonly sent: number;
  readonly perSecond: number;
  readonly lost: number;
  /** Null, or why nothing is known of it. */
  readonly unwatched: string | null;
}

export interface Clock {
  nowMs(): number;
  pause(timeMs: number): Promise<void>;
}

const CLOCK: Clock = { nowMs: () => performance.now(), pause: (timeMs) => sleep(timeMs) };

/** So many show that a stream is on its way: the first ones may have waited for a neighbour to be found. */
const ANSWERS_BEFORE = 25;
/** A cable that was just plugged in may take a second until it carries frames. */
const PATIENCE_MS = 5000;
/** Where nothing has been answered the machine may just be slow: starting ping can take it seconds. */
const PATIENCE_FIRST_MS = 30_000;
const POLL_MS = 20;

export class ProbeWatch {
  readonly #streams: readonly WatchedStream[];
  readonly #clock: Clock;
  readonly #watched = new Set<WatchedStream>();
  /** Those of the watched that nothing has answered for as long as patience lasts. */
  readonly #silent = new Set<WatchedStream>();
  #waitedMs = 0;

  constructor(streams: readonly WatchedStream[], clock: Clock = CLOCK) {
    this.#streams = streams;
    this.#clock = clock;
  }

  /** Until answers have come of all that give some; from then on each counts. Null, or why there are none. */
  async begin(signal: AbortSignal): Promise<string | null> {
    const startMs = this.#clock.nowMs();
    let firstMs = startMs;
    const waiting = () => this.#streams.filter((stream) => !this.#watched.has(stream) && !stream.isOver);
    const isDone = () => {
      for (const stream of waiting().filter(({ sent }) => sent >= ANSWERS_BEFORE)) {
        if (this.#watched.size === 0) firstMs = this.#clock.nowMs();
        stream.begin();
        this.#watched.add(stream);
      }
      return waiting().length === 0 || signal.aborted;
    };
    const endMs = () => {
      // Who has had an answer will have more.
      const isSlow = this.#watched.size === 0 || waiting().some(({ sent }) => sent > 0);
      return isSlow ? startMs + PATIENCE_FIRST_MS : firstMs + PATIENCE_MS;
    };
    await this.#until(isDone, endMs);
    this.#waitedMs = this.#clock.nowMs() - startMs;
    const [stream] = this.#streams;
    if (stream === undefined || this.#watched.size > 0) return null;
    return `no probe came through any port group: ${this.#reasonOf(stream)}`;
  }

  /** Until each has been answered again, or is silent. */
  async settle(): Promise<void> {
    const marks = new Map([...this.#watched].map((stream) => [stream, stream.sent]));
    const waiting = () => [...this.#watched].filter((stream) => stream.sent <= marks.get(stream)!);
    const endMs = this.#clock.nowMs() + PATIENCE_MS;
    await this.#until(
      () => waiting().length === 0,
      () => endMs,
    );
    this.#silent.clear();
    for (const stream of waiting()) this.#silent.add(stream);
  }

  get lost(): number {
    return [...this.#watched].reduce((sum, stream) => sum + this.#lostOf(stream), 0);
  }

  /** Port groups in which probes were lost, each with what its program has said of it. */
  get placesOfLoss(): string[] {
    return [...this.#watched]
      .filter((stream) => this.#lostOf(stream) > 0)
      .map(({ probe, complaint }) => `${probe.portGroup}${complaint === null ? "" : ` (${complaint})`}`);
  }

  reports(): ProbeReport[] {
    return this.#streams.map((stream) => ({
      switch: stream.probe.switch,
      portGroup: stream.probe.portGroup,
      sent: stream.sent,
      perSecond: Math.round(stream.perSecond),
      lost: this.#lostOf(stream),
      unwatched: this.#watched.has(stream) ? null : this.#reasonOf(stream),
    }));
  }

  stop(): void {
    for (const stream of this.#streams) stream.stop();
  }

  /** Looks once more when it is late: a machine that was busy elsewhere has read nothing meanwhile. */
  async #until(isDone: () => boolean, endMs: () => number): Promise<void> {
    for (let isLate = false; !isDone() && !isLate; ) {
      isLate = this.#clock.nowMs() >= endMs();
      await this.#clock.pause(POLL_MS);
    }
  }

  #lostOf(stream: WatchedStream): number {
    return stream.lost + (this.#silent.has(stream) ? stream.unanswered : 0);
  }

  #reasonOf({ sent, complaint }: WatchedStream): string {
    const seconds = `${(this.#waitedMs / 1000).toFixed(1)} s`;
    const answers = sent === 0 ? `no answer in ${seconds}` : `only ${sent} answered in ${seconds}`;
    return complaint === null ? answers : `${answers}; ${complaint}`;
  }
}
