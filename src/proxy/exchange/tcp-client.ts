// A client connection in tcp mode: content rules (with their inspect delay), the backend, a server, then a
// Tunnel.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { HttpProtocol } from "../../model/proxy.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import { serverOfRdpCookie } from "../persistence/rdp-cookie.ts";
import type { RuleProgram } from "../rules/programs.ts";
import type { ListenerRuntime, Server } from "../runtime.ts";
import { COUNTER } from "../state.ts";
import { countTrackedBytes, stopTracking } from "../stick-table/tracking.ts";
import { type Session, Stream } from "../stream.ts";
import { countStream } from "./accounting.ts";
import { AnswerWait } from "./answer-wait.ts";
import { Connector, type ConnectorOwner } from "./connector.ts";
import type { ExchangeContext, LiveSession } from "./context.ts";
import { endFailedHandshake } from "./failed-handshake.ts";
import { HttpClient } from "./http-client.ts";
import { enterBackend, stickToServer } from "./request-phases.ts";
import { ResponseInspection } from "./response-inspection.ts";
import type { ServerLink } from "./server-link.ts";
import { admitSession } from "./session-rules.ts";
import { TERMINATION, type Termination } from "./termination.ts";
import { Tunnel } from "./tunnel.ts";

export class TcpClient implements ConnectionHandler, ConnectorOwner, TimerTarget, LiveSession {
  readonly session: Session;
  readonly connection: Connection;
  readonly listener: ListenerRuntime;
  readonly stream: Stream;
  readonly #context: ExchangeContext;
  readonly #connector: Connector;
  readonly #timer = new Timer(this);
  #tunnel: Tunnel | null = null;
  #inspection: ResponseInspection | null = null;
  #phase: "frontend" | "backend" | "connecting" | "tunnel" | "over" = "frontend";
  #resumeAt = 0;
  /** What a rule waits for, whatever the client sends meanwhile. */
  readonly #answer = new AnswerWait();
  #held: { chunk: Chunk; start: number; end: number }[] = [];
  #heldBytes = 0;
  #isClientEnded = false;
  #isOpen = false;

  constructor(connection: Connection, listener: ListenerRuntime, context: ExchangeContext, session: Session) {
    this.connection = connection;
    this.listener = listener;
    this.session = session;
    this.#context = context;
    this.#connector = new Connector(context, this);
    this.stream = new Stream(session, context.runtime);
    this.stream.startMs = session.acceptMs;
    this.stream.startDateMs = session.acceptDateMs;
  }

  handleOpen(_connection: Connection): void {
    this.#isOpen = true;
    this.session.requestCount = 1;
    this.stream.destination = this.session.destination;
    if (admitSession(this.#context, this.session)) this.#runPhases();
    else this.#end(TERMINATION.denied, true);
  }

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#held.push({ chunk, start, end });
    this.#heldBytes += end - start;
    if (this.#heldBytes >= this.#context.runtime.configuration.global.bufferBytes) {
      this.stream.isContentFinal = true;
      this.connection.pause();
    }
    if (this.#phase === "frontend" || this.#phase === "backend") this.#runPhases();
  }

  handleDrain(_connection: Connection): void {}

  handleEnd(_connection: Connection): void {
    this.#isClientEnded = true;
    this.stream.isContentFinal = true;
    if (this.#phase === "frontend" || this.#phase === "backend") this.#runPhases();
    else if (this.stream.backend?.definition.options.abortonclose === true)
      this.#end(TERMINATION.clientGoneInConnect);
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    if (!this.#isOpen) this.#phase = "over";
    if (this.#phase !== "over")
      this.#end(
        failure?.kind === "timeout" ? TERMINATION.clientTimeoutInData : TERMINATION.clientGoneInConnect,
      );
    if (!this.#context.liveSessions.delete(this)) return;
    const { state } = this.#context;
    if (!this.#isOpen) endFailedHandshake(this.#context, this.stream.session, this.listener.slot, failure);
    stopTracking(this.session, this.#context.engine.nowMs);
    state.leave(this.session.frontend.slot, COUNTER.scur);
    state.leave(this.listener.slot, COUNTER.scur);
    this.#context.sessionEnded();
  }

  kill(): void {
    if (this.#tunnel !== null) this.#tunnel.kill();
    else this.#end(TERMINATION.killed);
  }

  closeIfIdle(): void {}

  /** The inspect delay is over: rules decide on what is there. */
  handleTimeout(_nowMs: number): void {
    if (!this.#answer.isWaiting) this.stream.isContentFinal = true;
    this.#answer.stop();
    this.#runPhases();
  }

  takePrivateLink(_server: Server, _key: string): ServerLink | null {
    return null;
  }

  handleServerReady(link: ServerLink): void {
    this.#phase = "tunnel";
    const tunnel = new Tunnel(this.#context, this.connection, link, this.stream, (termination) =>
      this.#end(termination),
    );
    this.#tunnel = tunnel;
    tunnel.start();
    if (!this.#inspect(link, tunnel)) return;
    const held = this.#held;
    this.#held = [];
    for (const { chunk, start, end } of held) {
      tunnel.handleData(this.connection, chunk, start, end);
      chunk.release();
    }
    if (this.#isClientEnded) tunnel.handleEnd(this.connection);
  }

  /** False when the rules on responses have ended the connection already. */
  #inspect(link: ServerLink, tunnel: Tunnel): boolean {
    const { programs } = this.stream.backend!;
    if (programs.tcpResponseContent.isEmpty) {
      programs.stick?.store(this.stream);
      return true;
    }
    this.#inspection = new ResponseInspection(this.#context, link, this.stream, tunnel, (isSilent) => {
      tunnel.abandon();
      this.#end(TERMINATION.responseRejected, isSilent);
    });
    this.#inspection.start();
    return this.#phase === "tunnel";
  }

  handleServerFailed(termination: Termination): void {
    this.#end(termination);
  }

  // The tunnel owns the link as soon as it is ready.
  handleLinkOpen(_link: ServerLink): void {}
  handleLinkData(_link: ServerLink, _chunk: Chunk, _start: number, _end: number): void {}
  handleLinkDrain(_link: ServerLink): void {}
  handleLinkEnd(_link: ServerLink): void {}
  handleLinkClose(_link: ServerLink, _failure: Failure | null): void {}

  #runPhases(): void {
    if (this.#answer.isWaiting) return;
    const stream = this.stream;
    stream.content = this.#content();
    if (this.#phase === "frontend") {
      if (!this.#passes(stream.frontend.programs.tcpRequestContent)) return;
      const name = stream.frontend.programs.chooseBackend(stream);
      const backend =
        (name === null ? null : stream.runtime.backendsByName.get(name)) ?? stream.frontend.defaultBackend;
      if (backend === null) {
        this.#end(TERMINATION.noServer);
        return;
      }
      if (backend.definition.mode === "http") {
        this.#switchToHttp(null);
        return;
      }
      enterBackend(this.#context, stream, backend);
      this.#phase = "backend";
      this.#resumeAt = 0;
    }
    const backend = stream.backend!;
    if (
      backend.definition !== stream.frontend.definition &&
      !this.#passes(backend.programs.tcpRequestContent)
    )
      return;
    this.#phase = "connecting";
    this.#context.engine.timers.disarm(this.#timer);
    const chosen = backend.programs.chooseServer(stream);
    stream.server = chosen;
    stream.isPersistent = chosen !== null;
    stickToServer(stream, backend);
    if (stream.server === null) {
      stream.server = serverOfRdpCookie(stream, backend);
      stream.isPersistent = stream.server !== null;
    }
    this.#connector.start(false);
  }

  /** True when the rules let the connection go on; false when they wait for more or have ended it. */
  #passes(program: RuleProgram): boolean {
    if (program.isEmpty) return true;
    const verdict = program.run(this.stream, this.#resumeAt);
    if (verdict.kind === "done") return true;
    if (verdict.kind === "wait") {
      this.#resumeAt = verdict.resumeAt;
      this.#context.engine.timers.arm(this.#timer, verdict.deadlineMs);
      if (verdict.pending !== undefined)
        this.#answer.await(verdict.pending, () => {
          this.#context.engine.timers.disarm(this.#timer);
          this.#runPhases();
        });
      return false;
    }
    if (verdict.kind === "switch-mode") {
      this.#switchToHttp(verdict.protocol);
      return false;
    }
    this.#context.state.count((this.stream.backend ?? this.stream.frontend).slot, COUNTER.dreq);
    this.#end(TERMINATION.denied, verdict.kind === "silent-drop");
    return false;
  }

  /** This connection is somebody else's from now on: nothing of it ends here. */
  #switchToHttp(protocol: HttpProtocol | null): void {
    this.#phase = "over";
    this.#context.engine.timers.remove(this.#timer);
    this.#connector.abandon();
    this.#context.liveSessions.delete(this);
    const client = new HttpClient(this.connection, this.listener, this.#context, this.session);
    this.#context.liveSessions.add(client);
    const held = this.#held;
    this.#held = [];
    this.stream.content = EMPTY;
    client.takeOver(this.stream, held, this.#isClientEnded, protocol);
  }

  #content(): Uint8Array {
    if (this.#held.length === 0) return EMPTY;
    if (this.#held.length === 1)
      return this.#held[0]!.chunk.bytes.subarray(this.#held[0]!.start, this.#held[0]!.end);
    return Buffer.concat(this.#held.map(({ chunk, start, end }) => chunk.bytes.subarray(start, end)));
  }

  /** The one end of every connection in tcp mode. */
  #end(termination: Termination | null, isSilent = false): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    const { engine, state } = this.#context;
    const stream = this.stream;
    if (termination !== null) {
      stream.cause = termination.cause;
      stream.phase = termination.phase;
    }
    stream.endMs = engine.nowMs;
    engine.timers.remove(this.#timer);
    this.#connector.abandon();
    this.#inspection?.abandon();
    this.#answer.stop();
    for (const { chunk } of this.#held) chunk.release();
    this.#held = [];
    stream.content = EMPTY;
    countTrackedBytes(stream, engine.nowMs);
    countStream(state, stream, this.listener.slot, Math.floor(engine.wallClockMs / 1000));
    stream.frontend.log?.write(stream);
    this.#context.streamEnded(stream);
    stopTracking(stream, engine.nowMs);
    this.connection.handler = this;
    if (this.connection.isClosed) this.handleClose(this.connection, null);
    else if (isSilent) this.connection.reset();
    else this.connection.close();
  }
}

const EMPTY = new Uint8Array(0);
