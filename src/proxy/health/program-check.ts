// One run of `option external-check`: a program that says by its exit code how a server is (manual 4.2,
// `external-check command`). What it gets as arguments and environment, and what its end means, is here;
// whoever starts processes does it behind `ProgramRunner`.
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Bind, CheckDefinition } from "../../model/proxy.ts";
import type { Server } from "../runtime.ts";
import { CELL, COUNTER } from "../state.ts";
import type { CheckEngine } from "./check.ts";
import type { CheckResult } from "./check-result.ts";

export type ExternalCheck = Extract<CheckDefinition, { readonly kind: "external" }>;

export interface CheckProgram {
  /** Whose check it is: there is one process for each at a time. */
  readonly owner: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Nothing else is in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export type ProgramEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled" }
  /** There is no such program, or it must not be started. */
  | { readonly kind: "not-found" }
  /** The system has no room for one more process. */
  | { readonly kind: "not-started"; readonly message: string };

export interface RunningProgram {
  /** Ends it with all that it has started. `ended` is not called any more. */
  kill(): void;
}

export interface ProgramRunner {
  /** `ended` is called once, never from inside this call. */
  run(program: CheckProgram, ended: (end: ProgramEnd) => void): RunningProgram;
}

/** Of a program that could not be executed, as a child that could not tells HAProxy. */
const NOT_EXECUTED = 255;
const KILLED = -1;
const NOT_USED = "NOT_USED";

export class ProgramCheck implements TimerTarget {
  readonly #engine: CheckEngine;
  readonly #done: (result: CheckResult) => void;
  readonly #timer: Timer = new Timer(this);
  readonly #startMs: number;
  readonly #running: RunningProgram;

  /** Begins at once; `done` is called once, and never from inside. */
  constructor(
    check: ExternalCheck,
    server: Server,
    runner: ProgramRunner,
    engine: CheckEngine,
    done: (result: CheckResult) => void,
  ) {
    this.#engine = engine;
    this.#done = done;
    this.#startMs = engine.nowMs;
    engine.timers.arm(this.#timer, engine.nowMs + timeLimitMs(server));
    this.#running = runner.run(programFor(check, server), (end) => this.#receive(end));
  }

  abort(): void {
    this.#engine.timers.remove(this.#timer);
    this.#running.kill();
  }

  handleTimeout(): void {
    this.#running.kill();
    this.#finish("PROCTOUT", 0);
  }

  #receive(end: ProgramEnd): void {
    this.#engine.timers.remove(this.#timer);
    if (end.kind === "exited") this.#finish(end.code === 0 ? "PROCOK" : "PROCERR", end.code);
    else if (end.kind === "signalled") this.#finish("PROCERR", KILLED);
    else if (end.kind === "not-found") this.#finish("PROCERR", NOT_EXECUTED);
    else this.#finish("SOCKERR", 0, end.message);
  }

  #finish(status: CheckResult["status"], code: number, description = ""): void {
    this.#done({ status, code, description, durationMs: this.#engine.nowMs - this.#startMs });
  }
}

/** `inter`, or a shorter `timeout connect` if there is a `timeout check`: as long as others may connect. */
function timeLimitMs({ definition, backend }: Server): number {
  const { connectMs, checkMs } = backend.definition.timeouts;
  const { interMs } = definition.check!;
  return checkMs === null || connectMs === null ? interMs : Math.min(interMs, connectMs);
}

export function programFor(check: ExternalCheck, server: Server): CheckProgram {
  const { backend, definition, state, slot } = server;
  const proxy = proxyAddress(backend.definition.frontend?.binds ?? []);
  const serverPort = server.port === null ? "" : String(server.port);
  const maxconn = state.read(slot, CELL.maxconn);
  return {
    owner: `${backend.name}/${server.name}`,
    command: check.command,
    arguments: [proxy.address || NOT_USED, proxy.port || NOT_USED, server.host, serverPort || NOT_USED],
    environment: {
      PATH: check.path,
      HAPROXY_PROXY_NAME: backend.name,
      HAPROXY_PROXY_ID: String(backend.definition.id),
      HAPROXY_PROXY_ADDR: proxy.address,
      HAPROXY_PROXY_PORT: proxy.port,
      HAPROXY_SERVER_NAME: server.name,
      HAPROXY_SERVER_ID: String(definition.id),
      HAPROXY_SERVER_ADDR: server.host,
      HAPROXY_SERVER_PORT: serverPort,
      HAPROXY_SERVER_MAXCONN: String(maxconn > 0 ? maxconn : (definition.maxconn ?? 0)),
      HAPROXY_SERVER_CURCONN: String(state.total(slot, COUNTER.scur)),
      HAPROXY_SERVER_SSL: definition.tls === null ? "0" : "1",
      HAPROXY_SERVER_PROTO: backend.definition.mode === "http" ? "h1" : "tcp",
    },
  };
}

/** Of the first listener that has an address or a path. */
function proxyAddress(binds: readonly Bind[]): { readonly address: string; readonly port: string } {
  for (const { address } of binds) {
    if (address.kind === "unix") return { address: address.path, port: "" };
    if (address.kind === "tcp") return { address: address.host ?? "0.0.0.0", port: String(address.port) };
  }
  return { address: "", port: "" };
}
