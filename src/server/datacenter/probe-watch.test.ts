import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../base/ip.ts";
import { type Clock, ProbeWatch, type WatchedStream } from "./probe-watch.ts";

const NEVER = new AbortController().signal;

/** Time that passes only while it is waited for. */
class Time implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  async pause(timeMs: number): Promise<void> {
    this.#nowMs += timeMs;
  }
}

/** Answered so many times a second from `fromMs` to `untilMs`. */
class Stream implements WatchedStream {
  readonly probe: WatchedStream["probe"];
  readonly #time: Time;
  readonly #answers: { readonly perSecond: number; readonly fromMs: number; readonly untilMs: number };
  isOver = false;
  complaint: string | null = null;
  lost = 0;
  #begun = 0;

  constructor(time: Time, portGroup: string, perSecond: number, fromMs = 0, untilMs = 1e9) {
    this.probe = { switch: "dvs0", portGroup, namespace: "", address: "fd00::2" as Ip };
    this.#time = time;
    this.#answers = { perSecond, fromMs, untilMs };
  }

  get #answered(): number {
    const { perSecond, fromMs, untilMs } = this.#answers;
    return Math.floor((Math.max(0, Math.min(this.#time.nowMs(), untilMs) - fromMs) * perSecond) / 1000);
  }

  get sent(): number {
    return this.#answered - this.#begun;
  }

  get perSecond(): number {
    return this.#answers.perSecond;
  }

  get unanswered(): number {
    return Math.max(0, this.#time.nowMs() - this.#answers.untilMs) / 5;
  }

  begin(): void {
    this.#begun = this.#answered;
  }

  stop(): void {}
}

test("a machine on which nothing has been answered yet gets half a minute", async () => {
  const time = new Time();
  const watch = new ProbeWatch([new Stream(time, "voice", 100, 28_000)], time);
  assert.equal(await watch.begin(NEVER), null);
  assert.equal(watch.reports()[0]!.unwatched, null);
});

test("a stream of few answers is watched as soon as they are enough, however few come a second", async () => {
  const time = new Time();
  const watch = new ProbeWatch([new Stream(time, "voice", 100), new Stream(time, "data", 1)], time);
  assert.equal(await watch.begin(NEVER), null);
  assert.deepEqual(
    watch.reports().map(({ unwatched }) => unwatched),
    [null, null],
  );
  assert.ok(time.nowMs() < 26_000);
});

test("a port group without an answer is waited for five seconds when others have some", async () => {
  const time = new Time();
  const silent = new Stream(time, "data", 0);
  silent.complaint = 'ping says "Network is unreachable"';
  const watch = new ProbeWatch([new Stream(time, "voice", 100), silent], time);
  assert.equal(await watch.begin(NEVER), null);
  assert.ok(time.nowMs() < 6000);
  assert.match(watch.reports()[1]!.unwatched!, /^no answer in 5\.\d s; ping says "Network is unreachable"$/);
});

test("where nothing comes through it is said why, at once when ping has ended", async () => {
  const time = new Time();
  const stream = new Stream(time, "voice", 0);
  stream.isOver = true;
  stream.complaint = "ping ended with exit code 2";
  const message = await new ProbeWatch([stream], time).begin(NEVER);
  assert.equal(
    message,
    "no probe came through any port group: no answer in 0.0 s; ping ended with exit code 2",
  );
});

test("what was lost counts, and silence does when it lasts", async () => {
  const time = new Time();
  const voice = new Stream(time, "voice", 100, 0, 2000);
  const watch = new ProbeWatch([voice, new Stream(time, "data", 100)], time);
  await watch.begin(NEVER);
  await watch.settle();
  assert.equal(watch.lost, 0);
  voice.lost = 2;
  await time.pause(2000);
  await watch.settle();
  assert.deepEqual(watch.placesOfLoss, ["voice"]);
  assert.ok(watch.lost > 1000);
  voice.complaint = "ping ended with SIGKILL";
  assert.deepEqual(watch.placesOfLoss, ["voice (ping ended with SIGKILL)"]);
});

test("a process that got no time reads what has come before it judges", async () => {
  const time = new Time();
  const stream = new Stream(time, "voice", 100, 31_000);
  let pauses = 0;
  const clock: Clock = {
    nowMs: () => time.nowMs(),
    // The first pause takes half a minute, and only the next reads what came meanwhile.
    pause: (timeMs) => time.pause(pauses++ === 0 ? 30_500 : timeMs + 1000),
  };
  assert.equal(await new ProbeWatch([stream], clock).begin(NEVER), null);
});
