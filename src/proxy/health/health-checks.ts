// Keeps the servers of one generation under check: schedules health and agent checks, feeds their results to
// the state machines, steps slow starts. One per master. A reload makes a new one that takes over from the
// old: by slot, so that a server keeps its state, its counters and its rhythm as long as its name exists.
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Engine } from "../../transport/contract.ts";
import { PatternLists } from "../rules/patterns/pattern-lists.ts";
import type { Backend, Server } from "../runtime.ts";
import { SERVER_STATE } from "../state.ts";
import { parseAgentReply } from "./agent-reply.ts";
import { Check, type CheckEngine } from "./check.ts";
import type { CheckHealth } from "./check-health.ts";
import { createCheckPlan } from "./check-plan.ts";
import type { CheckResult } from "./check-result.ts";
import { type CheckSamples, createCheckSamples } from "./check-samples.ts";
import { agentCheckTarget, healthCheckTarget } from "./check-target.ts";
import { createAgentPlan } from "./checks/agent.ts";
import type { SendStateFacts } from "./checks/http.ts";
import type { HealthEvent } from "./health-event.ts";
import type { Observation } from "./observation.ts";
import { ProgramCheck, type ProgramRunner } from "./program-check.ts";
import { ServerState } from "./server-state.ts";

/** Shorter intervals do not count for how far the first checks are spread. */
const SPREAD_INTERVAL_MIN_MS = 1000;

export interface HealthCheckOptions {
  /** `spread-checks`: percent by which intervals vary, 0..50. */
  readonly spreadChecksPercent: number;
  /** `max-spread-checks`: most time in which all first checks begin; null or absent: an interval. */
  readonly spreadMsMax?: number | null;
  /** `node`, for `http-check send-state`. */
  readonly nodeName: string;
  /** For maps that rules of checks look into; there are none without. */
  readonly patterns?: PatternLists;
  /** For `option external-check`: where there is none, such servers are not checked. */
  readonly programs?: ProgramRunner;
  emit(event: HealthEvent): void;
}

export type HealthEngine = CheckEngine & Pick<Engine, "random">;

export class HealthChecks {
  readonly #engine: HealthEngine;
  readonly #options: HealthCheckOptions;
  readonly #samples: CheckSamples;
  readonly #backends: readonly Backend[];
  readonly #states: Map<number, ServerState> = new Map();
  readonly #schedules: Schedule[] = [];
  readonly #warmUps: Map<number, WarmUp> = new Map();
  #isRunning = false;

  /** Nothing happens before `start`. */
  constructor(engine: HealthEngine, backends: readonly Backend[], options: HealthCheckOptions) {
    this.#engine = engine;
    this.#options = options;
    const patterns = options.patterns ?? new PatternLists([]);
    this.#samples = createCheckSamples(engine, options.nodeName, patterns);
    for (const backend of backends) this.#addBackend(backend);
    this.#backends = backends;
  }

  /** Writes the servers' cells and begins to check. `previous`, which is stopped, hands over. */
  start(previous: HealthChecks | null): void {
    previous?.stop();
    this.#isRunning = true;
    const nowSeconds = this.#nowSeconds;
    for (const [slot, state] of this.#states)
      state.initialise(nowSeconds, previous?.stateOfSlot(slot) ?? null);
    for (const state of this.#states.values()) {
      const tracked = this.#trackedBy(state);
      if (tracked !== null) state.follow(tracked);
      this.#stepWarmUp(state.server);
    }
    this.#spreadStart(previous);
  }

  /** Aborts what is going on. States stay as they are. */
  stop(): void {
    this.#isRunning = false;
    for (const schedule of this.#schedules) schedule.stop();
    for (const warmUp of this.#warmUps.values()) this.#engine.timers.remove(warmUp.timer);
  }

  /** For the runtime API: admin commands, weights, and what the last checks said. */
  stateOf(server: Server): ServerState | null {
    return this.#states.get(server.slot) ?? null;
  }

  stateOfSlot(slot: number): ServerState | null {
    return this.#states.get(slot) ?? null;
  }

  /** `observe`: an event of live traffic. */
  observe(server: Server, observation: Observation): void {
    const mustHurry = this.stateOf(server)?.observe(observation, this.#nowSeconds) ?? false;
    const fastInterMs = server.definition.check?.fastInterMs ?? null;
    if (mustHurry && fastInterMs !== null) this.#scheduleOf(server, "health")?.hurry(fastInterMs);
  }

  /** Runtime `enable|disable health` and `enable|disable agent`. False when the server has no such check. */
  setEnabled(server: Server, kind: "health" | "agent", isEnabled: boolean): boolean {
    const schedule = this.#scheduleOf(server, kind);
    if (schedule === null) return false;
    schedule.isEnabled = isEnabled;
    // Whoever switches a check on waits for what it says.
    if (isEnabled) schedule.hurry(0);
    return true;
  }

  /** True also where there is no such check. */
  isEnabled(server: Server, kind: "health" | "agent"): boolean {
    return this.#scheduleOf(server, kind)?.isEnabled ?? true;
  }

  #addBackend(backend: Backend): void {
    const describeState = (server: Server) => this.#describeState(server);
    const facts = { describeState, nodeName: this.#options.nodeName };
    const begin = this.#beginnerFor(backend, facts);
    for (const server of backend.servers) {
      const state = new ServerState(server, (event) => this.#handle(event));
      this.#states.set(server.slot, state);
      if (state.check !== null && begin !== null)
        this.#schedules.push(this.#healthSchedule(state, state.check, begin));
      if (state.agent !== null) this.#schedules.push(this.#agentSchedule(state, state.agent));
    }
  }

  /** How a run of the checks of a backend begins; null where its programs cannot be started. */
  #beginnerFor(backend: Backend, facts: SendStateFacts): BeginCheck | null {
    const { check } = backend.settings;
    const engine = this.#engine;
    if (check.kind !== "external") {
      const plan = createCheckPlan(check, this.#samples, facts);
      return (server, done) => new Check(plan, server, healthCheckTarget(server), engine, done);
    }
    const { programs } = this.#options;
    if (programs === undefined) return null;
    return (server, done) => new ProgramCheck(check, server, programs, engine, (result) => done(result, ""));
  }

  #trackedBy(state: ServerState): ServerState | null {
    const { track } = state.server.definition;
    if (track === null) return null;
    const backend = this.#backends.find((candidate) => candidate.name === track.backend);
    const server = backend?.serversByName.get(track.server);
    return server === undefined ? null : this.stateOf(server);
  }

  #healthSchedule(state: ServerState, health: CheckHealth, begin: BeginCheck): Schedule {
    const { interMs, fastInterMs, downInterMs } = state.server.definition.check!;
    return new Schedule(this.#engine, this.#options.spreadChecksPercent, {
      state,
      kind: "health",
      health,
      begin: (done) => begin(state.server, done),
      intervals: { inter: interMs, fastinter: fastInterMs ?? interMs, downinter: downInterMs ?? interMs },
      receive: (result) => {
        state.receiveCheck(result, this.#nowSeconds);
        if (result.status === "L4TOUT") this.#options.emit({ kind: "check-timeout", server: state.server });
      },
    });
  }

  #agentSchedule(state: ServerState, health: CheckHealth): Schedule {
    const { server } = state;
    const { interMs, send } = server.definition.agent!;
    const plan = createAgentPlan(send);
    return new Schedule(this.#engine, this.#options.spreadChecksPercent, {
      state,
      kind: "agent",
      health,
      begin: (done) => new Check(plan, server, agentCheckTarget(server), this.#engine, done),
      intervals: { inter: interMs, fastinter: interMs, downinter: interMs },
      receive: (result, input) => {
        const reply = result.status === "CHECKED" ? parseAgentReply(input) : null;
        if (reply === null) state.receiveAgentFailure(result, this.#nowSeconds);
        else state.receiveAgentReply(reply, result.durationMs, this.#nowSeconds);
      },
    });
  }

  /** The first checks are spread over the shortest interval, so that a start is no storm. */
  #spreadStart(previous: HealthChecks | null): void {
    const intervals = this.#schedules
      .map((schedule) => schedule.intervalMs)
      .filter((interval) => interval >= SPREAD_INTERVAL_MIN_MS);
    const shortest = intervals.length === 0 ? 0 : Math.min(...intervals);
    const latest = this.#options.spreadMsMax ?? Number.POSITIVE_INFINITY;
    for (const [position, schedule] of this.#schedules.entries()) {
      const window = Math.min(Math.max(shortest, schedule.intervalMs), latest);
      const dueMs = this.#engine.nowMs + (window * position) / this.#schedules.length;
      const earlier = previous === null ? null : previous.#scheduleOf(schedule, schedule.kind);
      schedule.takeOver(earlier);
      const latestMs = this.#engine.nowMs + schedule.intervalMs;
      schedule.start(earlier === null ? dueMs : Math.min(earlier.dueMs, latestMs));
    }
  }

  #scheduleOf({ slot }: { readonly slot: number }, kind: "health" | "agent"): Schedule | null {
    return this.#schedules.find((schedule) => schedule.slot === slot && schedule.kind === kind) ?? null;
  }

  #handle(event: HealthEvent): void {
    if (event.kind === "changed") this.#stepWarmUp(event.server);
    this.#options.emit(event);
  }

  #stepWarmUp(server: Server): void {
    const state = this.#states.get(server.slot);
    if (!this.#isRunning || state === undefined || state.warmUpIntervalMs === Number.POSITIVE_INFINITY)
      return;
    let warmUp = this.#warmUps.get(server.slot);
    if (warmUp === undefined) {
      warmUp = new WarmUp(this.#engine, state);
      this.#warmUps.set(server.slot, warmUp);
    }
    warmUp.begin();
  }

  #describeState(server: Server): string {
    const state = this.#states.get(server.slot);
    return state === undefined ? "no check" : describeHealth(state);
  }

  get #nowSeconds(): number {
    return Math.floor(this.#engine.wallClockMs / 1000);
  }
}

/**
 * "UP", "UP 1/3" (going down), "DOWN 1/2" (going up), "DOWN", "NOLB", "no check": as statistics and send-
 * state say it.
 */
export function describeHealth(state: ServerState): string {
  const { check } = state;
  if (check === null) return "no check";
  if (state.operational === SERVER_STATE.down)
    return check.health === 0 ? "DOWN" : `DOWN ${check.health}/${check.rise}`;
  const word = state.operational === SERVER_STATE.stopping ? "NOLB" : "UP";
  return check.health === check.healthMax ? word : `${word} ${check.health - check.rise + 1}/${check.fall}`;
}

type CheckDone = (result: CheckResult, input: string) => void;
type BeginCheck = (server: Server, done: CheckDone) => RunningCheck;

interface RunningCheck {
  /** Ends it without a result. */
  abort(): void;
}

interface ScheduledCheck {
  readonly state: ServerState;
  readonly kind: "health" | "agent";
  readonly health: CheckHealth;
  begin(done: CheckDone): RunningCheck;
  readonly intervals: Readonly<Record<"inter" | "fastinter" | "downinter", number>>;
  receive(result: CheckResult, input: string): void;
}

/** One check of one server, again and again. At most one run at a time. */
class Schedule implements TimerTarget {
  readonly #engine: HealthEngine;
  readonly #spreadPercent: number;
  readonly #scheduled: ScheduledCheck;
  readonly #timer: Timer = new Timer(this);
  #running: RunningCheck | null = null;
  isEnabled: boolean;

  constructor(engine: HealthEngine, spreadPercent: number, scheduled: ScheduledCheck) {
    this.#engine = engine;
    this.#spreadPercent = spreadPercent;
    this.#scheduled = scheduled;
    this.isEnabled = !this.#isDynamic;
  }

  get #isDynamic(): boolean {
    return this.#scheduled.state.server.definition.isDynamic;
  }

  /** What was switched off stays off, but not where the file has taken over a server of the runtime API. */
  takeOver(earlier: Schedule | null): void {
    if (earlier !== null && earlier.#isDynamic === this.#isDynamic) this.isEnabled = earlier.isEnabled;
  }

  get slot(): number {
    return this.#scheduled.state.server.slot;
  }

  get kind(): "health" | "agent" {
    return this.#scheduled.kind;
  }

  get dueMs(): number {
    return this.#timer.deadlineMs === Number.POSITIVE_INFINITY ? this.#engine.nowMs : this.#timer.deadlineMs;
  }

  /** What applies in the present state. */
  get intervalMs(): number {
    const { state, health, intervals } = this.#scheduled;
    return intervals[state.intervalKind(health)];
  }

  start(dueMs: number): void {
    this.#engine.timers.arm(this.#timer, dueMs);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    // The deadline stays readable for the generation that takes over.
    const { deadlineMs } = this.#timer;
    this.#engine.timers.remove(this.#timer);
    this.#timer.deadlineMs = deadlineMs;
  }

  /** Brings the next run forward. */
  hurry(withinMs: number): void {
    const dueMs = this.#engine.nowMs + withinMs;
    if (this.#running !== null || this.#timer.deadlineMs <= dueMs) return;
    this.#engine.timers.remove(this.#timer);
    this.#engine.timers.arm(this.#timer, dueMs);
  }

  handleTimeout(): void {
    const { health, receive } = this.#scheduled;
    if (!this.isEnabled || health.isPaused) {
      this.#engine.timers.arm(this.#timer, this.#engine.nowMs + this.#scheduled.intervals.inter);
      return;
    }
    this.#running = this.#scheduled.begin((result, input) => {
      this.#running = null;
      // A command may have come in between.
      if (this.isEnabled && !health.isPaused) receive(result, input);
      this.#engine.timers.arm(this.#timer, this.#engine.nowMs + this.#nextDelayMs());
    });
  }

  #nextDelayMs(): number {
    const interval = this.intervalMs;
    const spread = (interval * this.#spreadPercent) / 100;
    return interval + spread - 2 * spread * this.#engine.random();
  }
}

/** The steps of one server's slow start. */
class WarmUp implements TimerTarget {
  readonly timer: Timer = new Timer(this);
  readonly #engine: HealthEngine;
  readonly #state: ServerState;

  constructor(engine: HealthEngine, state: ServerState) {
    this.#engine = engine;
    this.#state = state;
  }

  begin(): void {
    if (this.timer.slotTick < 0) this.#arm(this.#state.warmUpIntervalMs);
  }

  handleTimeout(): void {
    this.#arm(this.#state.warmUp(Math.floor(this.#engine.wallClockMs / 1000)));
  }

  #arm(delayMs: number): void {
    if (delayMs !== Number.POSITIVE_INFINITY)
      this.#engine.timers.arm(this.timer, this.#engine.nowMs + delayMs);
  }
}
