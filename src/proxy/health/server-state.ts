// The state of one server: up, going down, down, starting slowly, stopping, maintenance, drain. Fed with
// check results, agent replies, observations of traffic and commands of the runtime API; writes the shared
// cells, raises the epoch and emits events, whose texts are HAProxy 2.6's. Knows no clock and no sockets:
// seconds since 1970 come in. There is one writer of a server's state, the master's; workers only read cells.
import type { LogLevel } from "../../model/rule.ts";
import type { Backend, Server } from "../runtime.ts";
import {
  CELL,
  DRAIN_MASK,
  MAINTENANCE_MASK,
  type ServerState as OperationalState,
  SERVER_ADMIN,
  SERVER_STATE,
  WEIGHT_SCALE,
} from "../state.ts";
import { type AgentReply, agentResult } from "./agent-reply.ts";
import { CheckHealth } from "./check-health.ts";
import { type CheckResult, describeResult, STATUS_FACTS, statusNumber } from "./check-result.ts";
import type { HealthEvent } from "./health-event.ts";
import { OBSERVATIONS, type Observation } from "./observation.ts";
import { countUsable, describeOnline, describeRemaining } from "./usable-servers.ts";
import { parseWeight } from "./weight-text.ts";

type Emit = (event: HealthEvent) => void;
/** Why a server changes: a check, a command of the runtime API, or the server that it tracks. */
type Cause = CheckResult | "command" | null;

export class ServerState {
  readonly server: Server;
  /** Null without `check`. */
  readonly check: CheckHealth | null;
  /** Null without `agent-check`. */
  readonly agent: CheckHealth | null;
  tracked: ServerState | null = null;
  readonly trackers: ServerState[] = [];
  readonly #emit: Emit;
  #errorsInSequence = 0;

  constructor(server: Server, emit: Emit) {
    this.server = server;
    this.#emit = emit;
    const { check, agent } = server.definition;
    this.check = check === null ? null : new CheckHealth(check.rise, check.fall);
    this.agent = agent === null ? null : new CheckHealth(1, 1);
  }

  /**
   * Writes the cells of a new server, or takes over those that an earlier generation left: state, admin flags
   * and, if `previous` is given and its file said the same weight, the weight that was set at run time.
   */
  initialise(nowSeconds: number, previous: ServerState | null): void {
    const { definition } = this.server;
    const isNew = this.#read(CELL.isInitialised) === 0;
    if (isNew) {
      const { maintenance, maintenanceConfigured, maintenanceUnresolved } = SERVER_ADMIN;
      const disabled = definition.isDisabled ? maintenance | maintenanceConfigured : 0;
      const dynamic = definition.isDynamic ? maintenance : 0;
      const unresolved = this.server.host === "" ? maintenanceUnresolved : 0;
      this.#write(CELL.admin, disabled | dynamic | unresolved);
      this.#write(CELL.operational, this.#isInMaintenance ? SERVER_STATE.down : SERVER_STATE.up);
      this.#write(CELL.lastChangeSeconds, nowSeconds);
      this.#write(CELL.maxconn, -1);
      this.#write(CELL.checkStatus, statusNumber("INI"));
      this.#write(CELL.checkCode, -1);
      this.#write(CELL.checkDurationMs, -1);
      this.#write(CELL.isInitialised, 1);
    }
    if (isNew || previous?.server.definition.weight !== definition.weight)
      this.#write(CELL.weight, definition.weight);
    this.#takeOverChecks(isNew, previous);
    this.#recalculateWeight(nowSeconds);
    this.#commit();
  }

  #takeOverChecks(isNew: boolean, previous: ServerState | null): void {
    const { check, agent } = this;
    if (check !== null) {
      check.isPaused = this.#isInMaintenance;
      if (!isNew) {
        // Rise and fall may have changed: what counts is on which side of the line the server was.
        const isUp = this.operational !== SERVER_STATE.down;
        const health = this.#read(CELL.checkHealth);
        check.health = isUp
          ? Math.max(check.rise, Math.min(health, check.healthMax))
          : Math.min(health, check.rise - 1);
        if (previous?.check) check.last = previous.check.last;
      }
      if (check.isPaused) check.health = 0;
      this.#write(CELL.checkHealth, check.health);
    }
    if (agent !== null && previous?.agent) {
      agent.health = previous.agent.health;
      agent.last = previous.agent.last;
    }
  }

  /** This server follows `other` (`track`). */
  follow(other: ServerState): void {
    this.tracked = other;
    // HAProxy tells the last one first.
    other.trackers.unshift(this);
    const inherited = other.#isInMaintenance
      ? SERVER_ADMIN.maintenanceTracked
      : other.#isDraining
        ? SERVER_ADMIN.drainTracked
        : 0;
    if (inherited !== 0) this.#write(CELL.admin, this.#admin | inherited);
    if (other.operational === SERVER_STATE.down) this.#write(CELL.operational, SERVER_STATE.down);
    this.#commit();
  }

  get operational(): OperationalState {
    return this.#read(CELL.operational) as OperationalState;
  }

  /**
   * Which interval applies to the next check: `inter` when all is well, `downinter` when down for good, else
   * `fastinter`.
   */
  intervalKind(check: CheckHealth): "inter" | "fastinter" | "downinter" {
    if (check.health === check.healthMax) return "inter";
    return this.operational === SERVER_STATE.down && check.health === 0 ? "downinter" : "fastinter";
  }

  // --- results of checks

  receiveCheck(result: CheckResult, nowSeconds: number): void {
    const { check } = this;
    if (check === null) return;
    this.#count(check, result, false);
    this.#follow(check, result, nowSeconds, false);
  }

  /** A result without a reply: the agent could not be asked. */
  receiveAgentFailure(result: CheckResult, nowSeconds: number): void {
    const { agent } = this;
    if (agent === null) return;
    this.#count(agent, result, true);
    this.#follow(agent, result, nowSeconds, true);
  }

  /** Admin words first, then weight and maxconn, then health. */
  receiveAgentReply(reply: AgentReply, durationMs: number, nowSeconds: number): void {
    const { agent } = this;
    if (agent === null) return;
    if (reply.admin === "drain") this.setDrain(nowSeconds);
    else if (reply.admin === "maint") this.setMaintenance(nowSeconds);
    else if (reply.admin === "ready") this.setReady(nowSeconds);
    let warning = reply.weight === null ? null : this.setWeight(reply.weight, nowSeconds);
    if (reply.maxconn !== null) warning = this.setMaxconn(reply.maxconn) ?? warning;
    const result = agentResult(reply, warning, durationMs);
    if (reply.health === "up") agent.health = agent.healthMax;
    else if (reply.health !== null) agent.health = 0;
    this.#count(agent, result, true);
    this.#follow(agent, result, nowSeconds, true);
  }

  /** `observe`: live traffic. Returns true when the next check has to come at `fastinter`. */
  observe(observation: Observation, nowSeconds: number): boolean {
    const { observe } = this.server.definition;
    if (observe === null) return false;
    const facts = OBSERVATIONS[observation];
    const meaning = observe.layer === 4 ? facts.layer4 : facts.layer7;
    if (meaning === null) return false;
    this.#errorsInSequence = meaning === "good" ? 0 : this.#errorsInSequence + 1;
    if (meaning === "good" || this.#errorsInSequence < observe.errorLimit) return false;
    const description = `Detected ${this.#errorsInSequence} consecutive errors, last one was: ${facts.text}`;
    this.#errorsInSequence = 0;
    const { check } = this;
    if (check !== null && observe.onError !== "fastinter") {
      if (observe.onError === "sudden-death" && check.health > check.rise) check.health = check.rise + 1;
      if (observe.onError === "mark-down") check.health = check.rise;
      const result: CheckResult = { status: "HANA", code: 0, description, durationMs: -1 };
      this.#count(check, result, false);
      this.#follow(check, result, nowSeconds, false);
    }
    return true;
  }

  #count(check: CheckHealth, result: CheckResult, isAgent: boolean): void {
    const news = check.count(result, isAgent);
    if (news.hasFailed) this.#write(CELL.checksFailed, this.#read(CELL.checksFailed) + 1);
    const { verdict } = STATUS_FACTS[result.status];
    if (this.server.definition.observe !== null && (verdict === "passed" || verdict === "conditional"))
      this.#errorsInSequence = 0;
    this.#writeCheck(check, isAgent);
    if (!this.#backend.definition.options.logHealthChecks || !news.isNews || verdict === "neutral") return;
    const what = `${isAgent ? "Agent" : "Health"} check for ${this.server.definition.isBackup ? "backup " : ""}server ${this.#fullName}`;
    const outcome = `${verdict === "conditional" ? "conditionally " : ""}${verdict === "failed" ? "failed" : "succeeded"}`;
    const status = check.describe(this.#read(CELL.weight) === 0);
    this.#log("notice", `${what} ${outcome}${describeResult(check.last)}, status: ${status}`, "info");
  }

  #writeCheck(check: CheckHealth, isAgent: boolean): void {
    const { status, code, durationMs } = check.last;
    this.#write(isAgent ? CELL.agentStatus : CELL.checkStatus, statusNumber(status));
    this.#write(isAgent ? CELL.agentCode : CELL.checkCode, STATUS_FACTS[status].hasCode ? code : -1);
    this.#write(isAgent ? CELL.agentDurationMs : CELL.checkDurationMs, Math.floor(durationMs));
    if (!isAgent) this.#write(CELL.checkHealth, check.health);
  }

  #follow(check: CheckHealth, result: CheckResult, nowSeconds: number, isAgent: boolean): void {
    const cause =
      this.tracked === null && !this.#backend.definition.options.logHealthChecks ? check.last : null;
    const { verdict } = STATUS_FACTS[result.status];
    if (verdict === "failed") {
      if (check.health === 0 && (!isAgent || result.status === "L7STS")) this.#stop(cause, nowSeconds);
      return;
    }
    if (verdict !== "passed" && verdict !== "conditional") return;
    if (this.#isInMaintenance || !this.#mayBeUp()) return;
    if (verdict === "conditional") {
      if (!isAgent) this.#beginStopping(cause, nowSeconds);
    } else if (!isAgent || this.operational !== SERVER_STATE.stopping) this.#start(cause, nowSeconds);
  }

  /** No check, agent or tracked server says otherwise. */
  #mayBeUp(): boolean {
    if (this.tracked !== null && this.tracked.operational === SERVER_STATE.down) return false;
    return (this.check === null || this.check.isUp) && (this.agent === null || this.agent.isUp);
  }

  // --- operational changes

  #stop(cause: Cause, nowSeconds: number): void {
    if (this.#isInMaintenance || this.operational === SERVER_STATE.down) return;
    const wasStopping = this.operational === SERVER_STATE.stopping || this.#isDraining;
    const before = countUsable(this.#backend);
    this.#write(CELL.operational, SERVER_STATE.down);
    this.#changed(nowSeconds);
    if (this.server.definition.onMarkedDown === "shutdown-sessions")
      this.#emit({ kind: "shutdown-sessions", server: this.server });
    const level = wasStopping ? "notice" : "alert";
    const text = `${this.#title} is DOWN${this.#because(cause)}${describeRemaining(this.server)}`;
    this.#log(level, text, level);
    this.#write(CELL.checksDownTransitions, this.#read(CELL.checksDownTransitions) + 1);
    this.#noteBackendDown(before, nowSeconds);
    for (const tracker of this.trackers) tracker.#stop(null, nowSeconds);
  }

  #beginStopping(cause: Cause, nowSeconds: number): void {
    if (this.#isInMaintenance || this.operational === SERVER_STATE.stopping) return;
    const before = countUsable(this.#backend);
    this.#write(CELL.operational, SERVER_STATE.stopping);
    this.#changed(nowSeconds);
    this.#log("notice", `${this.#title} is stopping${this.#because(cause)}${describeOnline(this.server)}`);
    this.#noteBackendDown(before, nowSeconds);
    for (const tracker of this.trackers) tracker.#beginStopping(null, nowSeconds);
  }

  #start(cause: Cause, nowSeconds: number): void {
    if (this.#isInMaintenance) return;
    if (this.operational === SERVER_STATE.up || this.operational === SERVER_STATE.starting) return;
    this.#noteBackendUp(nowSeconds);
    if (this.operational === SERVER_STATE.down) this.#addDowntime(nowSeconds);
    this.#write(CELL.operational, this.#upState);
    this.#changed(nowSeconds);
    this.#shutDownBackups();
    const text = `${this.#title} is UP${this.#because(cause)}${describeOnline(this.server)}`;
    this.#log("notice", text, "notice");
    for (const tracker of this.trackers) tracker.#start(null, nowSeconds);
  }

  get #upState(): OperationalState {
    return this.#slowstartSeconds > 0 ? SERVER_STATE.starting : SERVER_STATE.up;
  }

  #changed(nowSeconds: number): void {
    this.#write(CELL.lastChangeSeconds, nowSeconds);
    this.#recalculateWeight(nowSeconds);
    this.#commit();
  }

  #shutDownBackups(): void {
    const { onMarkedUp, isBackup } = this.server.definition;
    if (onMarkedUp === null || isBackup || this.#read(CELL.effectiveWeight) === 0) return;
    this.#emit({ kind: "shutdown-backup-sessions", backend: this.#backend });
  }

  // --- admin commands

  setMaintenance(nowSeconds: number, cause = ""): void {
    this.#setAdmin(SERVER_ADMIN.maintenance, nowSeconds, cause);
    this.#clearAdmin(SERVER_ADMIN.drain, nowSeconds);
  }

  setDrain(nowSeconds: number, cause = ""): void {
    this.#setAdmin(SERVER_ADMIN.drain, nowSeconds, cause);
    this.#clearAdmin(SERVER_ADMIN.maintenance, nowSeconds);
  }

  setReady(nowSeconds: number): void {
    this.#clearAdmin(SERVER_ADMIN.drain, nowSeconds);
    this.#clearAdmin(SERVER_ADMIN.maintenance, nowSeconds);
  }

  /** The name has no address (any more), or has one again. */
  setResolved(isResolved: boolean, nowSeconds: number, cause = ""): void {
    if (isResolved) this.#clearAdmin(SERVER_ADMIN.maintenanceUnresolved, nowSeconds);
    else this.#setAdmin(SERVER_ADMIN.maintenanceUnresolved, nowSeconds, cause);
  }

  get isUnresolved(): boolean {
    return (this.#admin & SERVER_ADMIN.maintenanceUnresolved) !== 0;
  }

  /** Its host name is another one than the file's. */
  noteNamedAtRunTime(): void {
    this.#write(CELL.admin, this.#admin | SERVER_ADMIN.namedAtRunTime);
  }

  /** `set server … health up|stopping|down`. */
  forceHealth(health: "up" | "stopping" | "down", nowSeconds: number): void {
    const { check } = this;
    if (check !== null) check.health = health === "down" ? 0 : check.healthMax;
    if (health === "up") this.#start("command", nowSeconds);
    else if (health === "down") this.#stop("command", nowSeconds);
    else this.#beginStopping("command", nowSeconds);
    if (check !== null) this.#write(CELL.checkHealth, check.health);
  }

  /**
   * "100" or "50%" of the configured weight. Returns what HAProxy answers to a bad one, null when it was set.
   */
  setWeight(text: string, nowSeconds: number): string | null {
    const configured = this.server.definition.weight;
    const weight = parseWeight(text, configured);
    if (typeof weight === "string") return weight;
    if (weight !== 0 && weight !== configured && !this.#hasDynamicWeights) {
      return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
    }
    const before = countUsable(this.#backend);
    this.#write(CELL.weight, weight);
    this.#recalculateWeight(nowSeconds);
    this.#commit();
    this.#noteBackendDown(before, nowSeconds);
    return null;
  }

  /** A number from 0 (unlimited). Returns what HAProxy answers to a bad one. */
  setMaxconn(text: string): string | null {
    if (text === "") return "Require <maxconn>.";
    const [, digits, rest] = /^\s*([+-]?\d+)(.*)$/s.exec(text) ?? [];
    if (digits === undefined) return "maxconn string empty or preceded by garbage";
    if (rest !== "") return "Trailing garbage in maxconn string";
    this.#write(CELL.maxconn, Math.max(0, Math.min(Number(digits), 2 ** 31 - 1)));
    this.#commit();
    return null;
  }

  #setAdmin(flag: number, nowSeconds: number, cause: string): void {
    if ((this.#admin & flag) !== 0) return;
    const mask = (flag & MAINTENANCE_MASK) !== 0 ? MAINTENANCE_MASK : DRAIN_MASK;
    const wasSet = (this.#admin & mask) !== 0;
    const reason = cause === "" ? "" : ` (${cause})`;
    if (mask === MAINTENANCE_MASK) this.#enterMaintenance(flag, wasSet, reason, nowSeconds);
    else this.#enterDrain(flag, wasSet, reason, nowSeconds);
    if (wasSet) return;
    const inherited = mask === MAINTENANCE_MASK ? SERVER_ADMIN.maintenanceTracked : SERVER_ADMIN.drainTracked;
    for (const tracker of this.trackers) tracker.#setAdmin(inherited, nowSeconds, cause);
  }

  #enterMaintenance(flag: number, wasSet: boolean, reason: string, nowSeconds: number): void {
    const before = countUsable(this.#backend);
    const wasDown = this.operational === SERVER_STATE.down;
    const wasStopping = this.operational === SERVER_STATE.stopping || this.#isDraining;
    this.#write(CELL.admin, this.#admin | flag);
    if (wasSet) {
      this.#commit();
      return;
    }
    if (this.check !== null) {
      this.check.isPaused = true;
      this.check.health = 0;
      this.#write(CELL.checkHealth, 0);
    }
    // A forced change has no other cause than the command; an inherited one names the tracked server.
    const via = (flag & SERVER_ADMIN.maintenance) === 0 ? this.#because(null) : "";
    if (wasDown) {
      this.#commit();
      this.#log("notice", `${this.#title} was DOWN and now enters maintenance${reason}${via}`);
      return;
    }
    this.#write(CELL.operational, SERVER_STATE.down);
    this.#changed(nowSeconds);
    if (this.server.definition.onMarkedDown === "shutdown-sessions")
      this.#emit({ kind: "shutdown-sessions", server: this.server });
    this.#log(
      wasStopping ? "notice" : "alert",
      `${this.#title} is going DOWN for maintenance${reason}${via}${describeRemaining(this.server)}`,
    );
    this.#noteBackendDown(before, nowSeconds);
    this.#write(CELL.checksDownTransitions, this.#read(CELL.checksDownTransitions) + 1);
  }

  #enterDrain(flag: number, wasSet: boolean, reason: string, nowSeconds: number): void {
    const before = countUsable(this.#backend);
    this.#write(CELL.admin, this.#admin | flag);
    if (wasSet || this.#isInMaintenance) {
      this.#commit();
      return;
    }
    this.#changed(nowSeconds);
    const via = (flag & SERVER_ADMIN.drain) === 0 ? this.#because(null) : "";
    const text = `${this.#title} enters drain state${reason}${via}${describeOnline(this.server)}`;
    this.#log("notice", text, "notice");
    this.#noteBackendDown(before, nowSeconds);
  }

  #clearAdmin(flag: number, nowSeconds: number): void {
    if ((this.#admin & flag) === 0) return;
    const mask = (flag & MAINTENANCE_MASK) !== 0 ? MAINTENANCE_MASK : DRAIN_MASK;
    // What the file said ends with the command that ends forced maintenance.
    const cleared = flag === SERVER_ADMIN.maintenance ? flag | SERVER_ADMIN.maintenanceConfigured : flag;
    this.#noteBackendUp(nowSeconds);
    this.#write(CELL.admin, this.#admin & ~cleared);
    if ((this.#admin & mask) !== 0) {
      this.#commit();
      this.#logRemaining(flag);
      return;
    }
    if (mask === MAINTENANCE_MASK) this.#leaveMaintenance(flag, nowSeconds);
    else if (!this.#isInMaintenance) this.#leaveDrain(flag, nowSeconds);
    else this.#commit();
    const inherited = mask === MAINTENANCE_MASK ? SERVER_ADMIN.maintenanceTracked : SERVER_ADMIN.drainTracked;
    for (const tracker of this.trackers) tracker.#clearAdmin(inherited, nowSeconds);
  }

  #leaveMaintenance(flag: number, nowSeconds: number): void {
    if (this.check !== null) {
      this.check.isPaused = false;
      // Up again at once, and the first failure will bring it down.
      this.check.health = this.check.rise;
      this.#write(CELL.checkHealth, this.check.health);
    }
    if (this.#mayBeUp()) {
      if (this.operational === SERVER_STATE.down) this.#addDowntime(nowSeconds);
      const isStopping = this.tracked?.operational === SERVER_STATE.stopping;
      this.#write(CELL.operational, isStopping ? SERVER_STATE.stopping : this.#upState);
      this.#changed(nowSeconds);
      this.#shutDownBackups();
    } else this.#commit();
    const state = `${this.operational === SERVER_STATE.down ? "DOWN" : "UP"}/${this.#isDraining ? "DRAIN" : "READY"}`;
    if (flag === SERVER_ADMIN.maintenance)
      this.#log("notice", `${this.#title} is ${state} (leaving forced maintenance)`);
    else if (flag === SERVER_ADMIN.maintenanceUnresolved)
      this.#log("notice", `${this.#title} ('${this.server.hostName}') is ${state} (resolves again)`);
    else this.#log("notice", `${this.#title} is ${state} (leaving maintenance)`);
  }

  #leaveDrain(flag: number, nowSeconds: number): void {
    this.#addDowntime(nowSeconds);
    this.#changed(nowSeconds);
    const state = this.operational === SERVER_STATE.down ? "DOWN" : "UP";
    const how =
      flag === SERVER_ADMIN.drain ? "(leaving forced drain)" : `(leaving drain)${this.#because(null)}`;
    this.#log("notice", `${this.#title} is ${state} ${how}`);
  }

  #logRemaining(flag: number): void {
    const via = this.#because(null);
    if (flag === SERVER_ADMIN.maintenance)
      this.#log("notice", `${this.#title} is leaving forced maintenance but remains in maintenance${via}`);
    else if (flag === SERVER_ADMIN.maintenanceUnresolved)
      this.#log(
        "notice",
        `${this.#title} ('${this.server.hostName}') resolves again but remains in maintenance${via}`,
      );
    else if (flag === SERVER_ADMIN.maintenanceTracked)
      this.#log("notice", `${this.#title} remains in forced maintenance`);
    else if (this.#isInMaintenance) return;
    else if (flag === SERVER_ADMIN.drain)
      this.#log("notice", `${this.#title} is leaving forced drain but remains in drain mode${via}`);
    else this.#log("notice", `${this.#title} remains in forced drain mode`);
  }

  // --- weight

  /**
   * A step of slow start. Returns after how many milliseconds the next one is due; Infinity when there is
   * none.
   */
  warmUp(nowSeconds: number): number {
    if (this.operational !== SERVER_STATE.starting || this.#isInMaintenance) return Number.POSITIVE_INFINITY;
    const before = this.#read(CELL.effectiveWeight);
    this.#recalculateWeight(nowSeconds);
    if (this.#read(CELL.effectiveWeight) !== before || this.operational !== SERVER_STATE.starting)
      this.#commit();
    return this.warmUpIntervalMs;
  }

  /** In steps of 5 %, but not more often than each second. Infinity when the server is not starting. */
  get warmUpIntervalMs(): number {
    if (this.operational !== SERVER_STATE.starting) return Number.POSITIVE_INFINITY;
    return Math.max(1000, (this.#slowstartSeconds * 1000) / 20);
  }

  #recalculateWeight(nowSeconds: number): void {
    const slowstart = this.#slowstartSeconds;
    const age = nowSeconds - this.#read(CELL.lastChangeSeconds);
    if (this.operational === SERVER_STATE.starting && (age < 0 || age >= slowstart))
      this.#write(CELL.operational, SERVER_STATE.up);
    const isThrottled = this.operational === SERVER_STATE.starting && this.#hasDynamicWeights;
    const scale = isThrottled ? Math.floor((WEIGHT_SCALE * age + slowstart) / slowstart) : WEIGHT_SCALE;
    this.#write(CELL.effectiveWeight, this.#read(CELL.weight) * scale);
  }

  get #slowstartSeconds(): number {
    return Math.ceil((this.server.definition.slowstartMs ?? 0) / 1000);
  }

  /** Map-based hashing and static-rr take weights from the file only. */
  get #hasDynamicWeights(): boolean {
    const { balance, hashType } = this.#backend.settings;
    if (balance.algorithm === "static-rr") return false;
    const isHash = !["roundrobin", "leastconn", "first", "random"].includes(balance.algorithm);
    return !isHash || hashType.method === "consistent";
  }

  // --- backend

  #noteBackendDown(usableBefore: number, nowSeconds: number): void {
    const backend = this.#backend;
    if (usableBefore === 0 || countUsable(backend) > 0) return;
    const { state, slot } = backend;
    state.write(slot, CELL.lastChangeSeconds, nowSeconds);
    state.write(slot, CELL.checksDownTransitions, state.read(slot, CELL.checksDownTransitions) + 1);
    const kind = backend.definition.kind === "listen" ? "proxy" : "backend";
    const text = `${kind} ${backend.name} has no server available!`;
    this.#emit({ kind: "log", backend, level: "emerg", text, mailLevel: null });
  }

  /** To be called before a server comes back. */
  #noteBackendUp(nowSeconds: number): void {
    const { state, slot } = this.#backend;
    if (countUsable(this.#backend) > 0) return;
    const downSeconds = Math.max(0, nowSeconds - state.read(slot, CELL.lastChangeSeconds));
    state.write(slot, CELL.downtimeSeconds, state.read(slot, CELL.downtimeSeconds) + downSeconds);
    state.write(slot, CELL.lastChangeSeconds, nowSeconds);
  }

  #addDowntime(nowSeconds: number): void {
    const seconds = Math.max(0, nowSeconds - this.#read(CELL.lastChangeSeconds));
    this.#write(CELL.downtimeSeconds, this.#read(CELL.downtimeSeconds) + seconds);
  }

  // --- words

  get #title(): string {
    return `${this.server.definition.isBackup ? "Backup " : ""}Server ${this.#fullName}`;
  }

  get #fullName(): string {
    return `${this.#backend.name}/${this.server.name}`;
  }

  #because(cause: Cause): string {
    if (cause === "command") return ", changed from CLI";
    if (cause !== null) return describeResult(cause);
    return this.tracked === null ? "" : ` via ${this.tracked.#fullName}`;
  }

  #log(level: LogLevel, text: string, mailLevel: LogLevel | null = null): void {
    this.#emit({ kind: "log", backend: this.#backend, level, text: `${text}.`, mailLevel });
  }

  // --- cells

  get #backend(): Backend {
    return this.server.backend;
  }

  get #admin(): number {
    return this.#read(CELL.admin);
  }

  get #isInMaintenance(): boolean {
    return (this.#admin & MAINTENANCE_MASK) !== 0;
  }

  get #isDraining(): boolean {
    return (this.#admin & DRAIN_MASK) !== 0;
  }

  #commit(): void {
    this.server.state.raiseEpoch();
    this.#emit({ kind: "changed", server: this.server });
  }

  #read(cell: number): number {
    return this.server.state.read(this.server.slot, cell);
  }

  #write(cell: number, value: number): void {
    this.server.state.write(this.server.slot, cell, value);
  }
}
