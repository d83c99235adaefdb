// A client that sends exactly the bytes that a case says, when it says, and records what comes back.
import { connect, type Socket } from "node:net";
import { type Arrivals, type SharedRecords, untilArrived } from "./origin.ts";
import { readRequests, readResponses, showBytes, showMessage, type WireReading } from "./wire-messages.ts";

/**
 * Bytes, a pause in milliseconds, or: wait until the answer contains a text; end our side; cut the
 * connection.
 */
export type ClientStep =
  | string
  | Buffer
  | number
  | { readonly until: string }
  | { readonly halfClose: true }
  | { readonly reset: true }
  | Arrivals;

export const HALF_CLOSE: { readonly halfClose: true } = { halfClose: true };
export const CUT: { readonly reset: true } = { reset: true };

/** An answer that is not there by then never comes. */
const ANSWER_MS = 4000;
/** After the last answer, so long the connection must stay open to count as kept. */
const QUIET_MS = 25;
/** If another subject closed, this one is given so long to do the same. */
const GRACE_MS = 1000;

export interface ConversationPlan {
  readonly steps: readonly ClientStep[];
  /** Complete final responses to wait for; 0: until the connection is closed, or for a quiet moment. */
  readonly responseCount: number;
  readonly localAddress: string;
  /** Of the servers behind the subject. */
  readonly arrived: SharedRecords;
}

export class Conversation {
  readonly #plan: ConversationPlan;
  readonly #socket: Socket;
  readonly #methods: readonly string[];
  #received: Buffer = Buffer.alloc(0);
  #end: "" | "closed" | "reset" = "";
  #wasCutByUs = false;
  #changed: () => void = () => {};

  constructor(port: number, plan: ConversationPlan) {
    this.#plan = plan;
    this.#methods = methodsIn(plan.steps);
    this.#socket = connect({
      port,
      host: "127.0.0.1",
      localAddress: plan.localAddress,
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#changed();
    });
    this.#socket.on("end", () => this.#over("closed"));
    this.#socket.on("error", () => this.#over("reset"));
    this.#socket.on("close", () => this.#over("closed"));
  }

  get isOver(): boolean {
    return this.#end !== "";
  }

  get receivedBytes(): number {
    return this.#received.length;
  }

  /** Everything that was sent to us has arrived here. */
  get isWhole(): boolean {
    return this.#end !== "reset" && !this.#wasCutByUs;
  }

  /** Says everything and listens until the answers are there and nothing more comes. */
  async talk(): Promise<void> {
    for (const step of this.#plan.steps) await this.#take(step);
    await this.#until(() => this.#isAnswered(), ANSWER_MS);
    await this.#until(() => false, QUIET_MS);
  }

  /** Another subject has closed: give this one time to do so too. */
  async untilClosed(): Promise<void> {
    await this.#until(() => false, GRACE_MS);
  }

  /** What happened, as text to compare. */
  describe(): string {
    const { messages, rest } = this.#reading();
    const parts = messages.map(showMessage);
    if (rest.length > 0) parts.push(`raw ${showBytes(rest)}`);
    parts.push(this.#wasCutByUs ? "[we cut]" : this.#end === "" ? "[kept]" : `[${this.#end}]`);
    return parts.join("\n");
  }

  close(): void {
    this.#socket.destroy();
  }

  #reading(): WireReading {
    return readResponses(this.#received, this.#methods, this.#end === "closed");
  }

  #isAnswered(): boolean {
    if (this.#plan.responseCount === 0) return false;
    const finals = this.#reading().messages.filter(
      ({ head, isComplete }) => isComplete && (head.slice(9, 10) !== "1" || head.slice(9, 12) === "101"),
    );
    return finals.length >= this.#plan.responseCount;
  }

  async #take(step: ClientStep): Promise<void> {
    if (typeof step === "number") await new Promise((resolve) => setTimeout(resolve, step));
    else if (typeof step === "string") this.#socket.write(Buffer.from(step, "latin1"));
    else if (step instanceof Buffer) this.#socket.write(step);
    else if ("until" in step) await this.#until(() => this.#received.includes(step.until), ANSWER_MS);
    else if ("arrivals" in step) await untilArrived(step, this.#plan.arrived);
    else if ("halfClose" in step) this.#socket.end();
    else {
      this.#wasCutByUs = true;
      this.#socket.resetAndDestroy();
    }
  }

  async #until(condition: () => boolean, limitMs: number): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (this.#end === "" && !condition() && Date.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #over(how: "closed" | "reset"): void {
    if (this.#end === "") this.#end = how;
    this.#changed();
  }
}

function methodsIn(steps: readonly ClientStep[]): string[] {
  const sent = steps.flatMap((step) =>
    typeof step === "string" ? [Buffer.from(step, "latin1")] : step instanceof Buffer ? [step] : [],
  );
  const bytes = Buffer.concat(sent);
  return readRequests(bytes).messages.map(({ head }) => head.slice(0, head.indexOf(" ")));
}
