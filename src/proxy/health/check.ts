// One health check of one server at work: connects, sends, expects, and ends with exactly one result. A state
// machine on the transport contract; the engine moves bytes and time. Which steps there are is the plan's
// matter, what the result means for the server is ServerState's. Timeouts and texts are HAProxy 2.6's.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Engine,
} from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";
import { SERVER_STATE } from "../state.ts";
import type { CheckResult, CheckStatusName } from "./check-result.ts";
import {
  type CheckContext,
  type CheckInput,
  type CheckPlan,
  type CheckStep,
  stepNumber,
} from "./check-step.ts";

/** What a check needs of an engine. */
export type CheckEngine = Pick<Engine, "nowMs" | "wallClockMs" | "timers" | "allocate" | "connect">;

export interface CheckTarget {
  connect(step: Extract<CheckStep, { kind: "connect" }>): ConnectOptions;
  readonly intervalMs: number;
  /** `timeout connect`, applied when `timeout check` is set. */
  readonly connectTimeoutMs: number | null;
  readonly checkTimeoutMs: number | null;
}

/** A reply beyond this is judged as it is. */
const REPLY_BYTES_MAX = 16_384;

export class Check implements ConnectionHandler, TimerTarget {
  readonly #plan: CheckPlan;
  readonly #target: CheckTarget;
  readonly #engine: CheckEngine;
  readonly #done: (result: CheckResult, input: string) => void;
  readonly #timer: Timer = new Timer(this);
  readonly #context: CheckContext;
  readonly #startMs: number;
  #connection: Connection | null = null;
  #isOpen = false;
  #hasTls = false;
  #index = 0;
  #text = "";
  #isFinal = false;
  /** Of the last expectation that was met. */
  #lastMatch: { readonly code: number; readonly description: string } = { code: 0, description: "" };
  #code = 0;
  #isDone = false;

  /**
   * Begins at once. `done` is called once, never from inside the constructor's caller unless the plan has no
   * connect.
   */
  constructor(
    plan: CheckPlan,
    server: Server,
    target: CheckTarget,
    engine: CheckEngine,
    done: (result: CheckResult, input: string) => void,
  ) {
    this.#plan = plan;
    this.#target = target;
    this.#engine = engine;
    this.#done = done;
    this.#startMs = engine.nowMs;
    const nowSeconds = Math.floor(engine.wallClockMs / 1000);
    this.#context = { server, nowSeconds, variables: new Map(), reply: "" };
    this.#advance();
  }

  /** Ends without a result. */
  abort(): void {
    this.#isDone = true;
    this.#release();
  }

  // --- events
  // ------------------------------------------------------------------------------------------------------

  handleOpen(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#isOpen = true;
    const { checkTimeoutMs } = this.#target;
    if (checkTimeoutMs !== null) this.#arm(checkTimeoutMs);
    this.#index++;
    this.#advance();
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (connection !== this.#connection || this.#isFinal) return;
    const room = Math.min(end, start + REPLY_BYTES_MAX - this.#text.length);
    for (let i = start; i < room; i++) this.#text += String.fromCharCode(chunk.bytes[i]!);
    if (this.#text.length >= REPLY_BYTES_MAX) this.#isFinal = true;
    this.#advance();
  }

  handleDrain(): void {}

  handleEnd(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#isFinal = true;
    this.#advance();
  }

  handleClose(connection: Connection, failure: Failure | null): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    if (!this.#isOpen) {
      this.#finishConnect(failure);
      return;
    }
    this.#isFinal = true;
    // Many servers reset behind their last bytes: what came is judged.
    if (failure !== null && this.#text === "") {
      this.#finish("SOCKERR", describeFailure(failure) + this.#place());
      return;
    }
    this.#advance();
  }

  handleTimeout(): void {
    const step = this.#plan.steps[this.#index];
    if (!this.#isOpen) {
      this.#finish(this.#hasTls ? "L6TOUT" : "L4TOUT", this.#place());
      return;
    }
    const status = step?.kind === "expect" ? step.expectation.timeoutStatus : null;
    this.#finish(status ?? "L7TOUT", this.#place());
  }

  // --- steps
  // -------------------------------------------------------------------------------------------------------

  #advance(): void {
    while (!this.#isDone) {
      const step = this.#plan.steps[this.#index];
      if (step === undefined) {
        this.#succeed();
        return;
      }
      if (step.kind !== "action") this.#code = 0;
      if (step.kind === "connect") {
        this.#connect(step);
        return;
      }
      this.#context.reply = this.#text;
      if (step.kind === "action") step.run(this.#context);
      else if (step.kind === "send") this.#send(step.make(this.#context));
      else if (!this.#expect(step)) return;
      this.#index++;
    }
  }

  #connect(step: Extract<CheckStep, { kind: "connect" }>): void {
    if (this.#connection !== null && !this.#isOpen) return;
    this.#closeConnection();
    this.#text = "";
    this.#isFinal = false;
    this.#isOpen = false;
    const { intervalMs, connectTimeoutMs, checkTimeoutMs } = this.#target;
    const limit =
      checkTimeoutMs !== null && connectTimeoutMs !== null
        ? Math.min(intervalMs, connectTimeoutMs)
        : intervalMs;
    this.#arm(limit);
    const options = this.#target.connect(step);
    this.#hasTls = options.tls !== null;
    this.#connection = this.#engine.connect(options, this);
  }

  #send(text: string): void {
    this.#text = "";
    if (this.#connection === null || text === "") return;
    const chunk = this.#engine.allocate(text.length);
    for (let i = 0; i < text.length; i++) chunk.bytes[i] = text.charCodeAt(i);
    this.#connection.send(chunk, 0, text.length);
    chunk.release();
  }

  /** False when the check waits or is over. */
  #expect(step: Extract<CheckStep, { kind: "expect" }>): boolean {
    if (this.#text === "" && !this.#isFinal) return false;
    const { expectation } = step;
    const number = stepNumber(this.#plan.steps, this.#index);
    if (this.#text === "" && step.isFarewell === true) {
      this.#code = this.#lastMatch.code;
      this.#finish("L7OK", this.#lastMatch.description);
      return false;
    }
    if (this.#text === "") {
      const description =
        this.#plan.flavour === "http"
          ? ""
          : `TCPCHK got an empty response at step ${number}${quoteComment(step.comment)}`;
      this.#finish(expectation.errorStatus ?? "L7RSP", description);
      return false;
    }
    const outcome = expectation.evaluate(this.#input, number);
    if (outcome.kind === "wait") {
      this.#index = this.#groupStart();
      return false;
    }
    this.#code = outcome.code ?? 0;
    if (outcome.kind === "match") {
      this.#lastMatch = { code: this.#code, description: expectation.describeSuccess(this.#input) };
      return true;
    }
    const comment = step.comment === null ? "" : ` comment: ${step.comment}`;
    this.#finish(outcome.status, outcome.description + comment);
    return false;
  }

  /** Several expects in a row judge the same bytes: all are asked again when more has come. */
  #groupStart(): number {
    let start = this.#index;
    while (this.#plan.steps[start - 1]?.kind === "expect") start--;
    return start;
  }

  get #input(): CheckInput {
    return { text: this.#text, isFinal: this.#isFinal, context: this.#context };
  }

  // --- results
  // -----------------------------------------------------------------------------------------------------

  #succeed(): void {
    const last = this.#plan.steps.findLast((step) => step.kind !== "action");
    if (last === undefined || last.kind === "send") {
      this.#finish("L7OK", "(tcp-check)");
      return;
    }
    if (last.kind === "connect") {
      this.#finish(this.#hasTls ? "L6OK" : "L4OK", last.isImplicit ? "" : "(tcp-check)");
      return;
    }
    const isGone =
      this.#plan.disableOn404 && this.#code === 404 && this.#context.server.operational !== SERVER_STATE.down;
    if (isGone) {
      this.#finish("L7OKC", "");
      return;
    }
    this.#finish(last.expectation.okStatus ?? "L7OK", last.expectation.describeSuccess(this.#input));
  }

  #finishConnect(failure: Failure | null): void {
    if (failure?.kind === "reset" && !this.#hasTls) {
      // Accepted and reset before we were told of the first.
      this.#isOpen = true;
      this.#isFinal = true;
      this.#failEstablished(failure);
      return;
    }
    const isTimeout = failure?.kind === "timeout";
    if (failure?.kind === "tls") {
      this.#finish("L6RSP", `SSL handshake failure${this.#place()}`);
      return;
    }
    // With TLS, a connection that was there and went was in the handshake.
    if (this.#hasTls && (failure === null || failure.kind === "reset" || failure.kind === "closed")) {
      this.#finish("L6RSP", `SSL handshake failure${this.#place()}`);
      return;
    }
    if (isTimeout) {
      this.#finish(this.#hasTls ? "L6TOUT" : "L4TOUT", this.#place());
      return;
    }
    this.#finish("L4CON", (failure === null ? "" : describeFailure(failure)) + this.#place());
  }

  /** Nothing came before the connection broke: an error for what was expected, none if nothing was. */
  #failEstablished(failure: Failure): void {
    const { steps } = this.#plan;
    while (this.#index < steps.length && steps[this.#index]!.kind !== "expect") this.#index++;
    if (this.#index === steps.length) this.#succeed();
    else this.#finish("SOCKERR", describeFailure(failure) + this.#place());
  }

  /** " at step 1 of tcp-check (expect string 'PONG')", said of `option tcp-check` only. */
  #place(): string {
    if (this.#plan.flavour !== "tcp") return "";
    const step = this.#plan.steps[this.#index];
    const number = stepNumber(this.#plan.steps, this.#index);
    if (number === 0) return " at initial connection step of tcp-check";
    let text = ` at step ${number} of tcp-check`;
    if (step?.kind === "connect")
      text += step.connection?.port == null ? " (connect)" : ` (connect port ${step.connection.port})`;
    else if (step?.kind === "expect") text += step.expectation.label;
    else if (step?.kind === "send") text += " (send)";
    return text + quoteComment(step === undefined || step.kind === "action" ? null : step.comment);
  }

  #finish(status: CheckStatusName, description: string): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const durationMs = this.#engine.nowMs - this.#startMs;
    const input = this.#text;
    this.#release();
    this.#done({ status, code: this.#code, description, durationMs }, input);
  }

  #release(): void {
    this.#engine.timers.remove(this.#timer);
    this.#closeConnection();
  }

  #closeConnection(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }

  #arm(delayMs: number): void {
    this.#engine.timers.remove(this.#timer);
    this.#engine.timers.arm(this.#timer, this.#engine.nowMs + delayMs);
  }
}

function quoteComment(comment: string | null): string {
  return comment === null ? "" : ` comment: '${comment}'`;
}

/** strerror's words, which administrators know from HAProxy's logs. */
function describeFailure(failure: Failure): string {
  switch (failure.kind) {
    case "refused":
      return "Connection refused";
    case "reset":
      return "Connection reset by peer";
    case "unreachable":
      return /ENETUNREACH|network/i.test(failure.message) ? "Network is unreachable" : "No route to host";
    default:
      return failure.message;
  }
}
