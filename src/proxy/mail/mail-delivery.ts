// One mail on its way to one mailer: SMTP (RFC 5321) as far as it is needed to hand over a line of text. A
// command goes out when the one before was answered. Ends with exactly one word: delivered, or why not. A
// mailer that is silent ends at the time limit, one that talks without end at a bound.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk, Connection, ConnectionHandler, Engine } from "../../transport/contract.ts";
import type { AlertMail } from "./alert-mail.ts";

export type MailEngine = Pick<Engine, "nowMs" | "timers" | "allocate" | "connect">;

export interface MailRoute {
  readonly host: string;
  readonly port: number;
  /** For all of it, from connecting on. */
  readonly timeoutMs: number;
  /** As whom we greet. */
  readonly hostName: string;
}

/** A reply is a line or a few. */
const REPLY_BYTES_MAX = 8192;

interface Exchange {
  /** What goes out once the reply before was good; "" before the greeting. */
  readonly send: string;
  /** First digit of the reply that lets the mail go on. */
  readonly expects: "2" | "3";
}

export class MailDelivery implements ConnectionHandler, TimerTarget {
  readonly #engine: MailEngine;
  readonly #done: (problem: string | null) => void;
  readonly #exchanges: readonly Exchange[];
  readonly #timer: Timer = new Timer(this);
  readonly #connection: Connection;
  #index = 0;
  #received = "";
  #isDone = false;

  /** Begins at once. `done` is called once, never from inside: null when the mailer took the mail. */
  constructor(mail: AlertMail, route: MailRoute, engine: MailEngine, done: (problem: string | null) => void) {
    this.#engine = engine;
    this.#done = done;
    this.#exchanges = exchangesOf(mail, route.hostName);
    engine.timers.arm(this.#timer, engine.nowMs + route.timeoutMs);
    const address = { kind: "tcp", host: route.host, port: route.port } as const;
    const options = { address, source: null, tls: null, preamble: null, timeoutMs: route.timeoutMs };
    this.#connection = engine.connect(options, this);
  }

  /** Ends without a word. */
  abort(): void {
    this.#isDone = true;
    this.#release();
  }

  handleOpen(): void {}

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (this.#isDone) return;
    for (let i = start; i < end; i++) this.#received += String.fromCharCode(chunk.bytes[i]!);
    for (;;) {
      const reply = /^(?:\d{3}-[^\n]*\n)*(\d{3}(?: [^\n]*?)?)\r?\n/.exec(this.#received);
      if (reply === null) break;
      this.#received = this.#received.slice(reply[0].length);
      this.#advance(reply[1]!);
      if (this.#isDone) return;
    }
    const isNonsense = !/^(?:\d{0,3}$|\d{3}[- \r])/.test(this.#received);
    if (isNonsense || this.#received.length > REPLY_BYTES_MAX) this.#finish("it does not speak SMTP");
  }

  handleDrain(): void {}

  handleEnd(): void {
    this.#finish("it hung up");
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    this.#finish(failure === null ? "it hung up" : failure.message);
  }

  handleTimeout(): void {
    this.#finish("it took too long");
  }

  #advance(reply: string): void {
    const answered = this.#exchanges[this.#index]!;
    if (!reply.startsWith(answered.expects)) {
      this.#finish(`it says: ${reply.replace(/[^ -~]/g, "?")}`);
      return;
    }
    this.#index++;
    const next = this.#exchanges[this.#index];
    if (next === undefined) this.#finish(null);
    else this.#send(next.send);
  }

  #send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const chunk = this.#engine.allocate(bytes.length);
    chunk.bytes.set(bytes);
    this.#connection.send(chunk, 0, bytes.length);
    chunk.release();
  }

  #finish(problem: string | null): void {
    if (this.#isDone) return;
    this.#isDone = true;
    // Once the text was taken, the mail is delivered, however the farewell ends.
    const isTaken = this.#index >= this.#exchanges.length - 1;
    this.#release();
    this.#done(isTaken ? null : problem);
  }

  #release(): void {
    this.#engine.timers.remove(this.#timer);
    this.#connection.close();
  }
}

function exchangesOf({ from, to, content }: AlertMail, hostName: string): Exchange[] {
  return [
    { send: "", expects: "2" },
    { send: `HELO ${hostName}\r\n`, expects: "2" },
    { send: `MAIL FROM:<${from}>\r\n`, expects: "2" },
    { send: `RCPT TO:<${to}>\r\n`, expects: "2" },
    { send: "DATA\r\n", expects: "3" },
    // A line of one dot would end the text (RFC 5321, section 4.5.2).
    { send: `${content.replace(/^\./gm, "..")}.\r\n`, expects: "2" },
    { send: "QUIT\r\n", expects: "2" },
  ];
}
