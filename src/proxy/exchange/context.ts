// What an exchange needs from the process that it runs in. Implemented by `ProxyCore`.
import type { LogFormat } from "../../model/sample.ts";
import type { Engine } from "../../transport/contract.ts";
import type { Observation } from "../health/observation.ts";
import type { Backend, Runtime, Server } from "../runtime.ts";
import type { SharedState } from "../state.ts";
import type { Session, Stream } from "../stream.ts";
import type { BackendQueue } from "./queue.ts";
import type { Reply } from "./replies.ts";

/** A client connection, as the runtime API shows and ends it. */
export interface LiveSession {
  readonly session: Session;
  /** The stream in progress; null between two requests. */
  readonly stream: Stream | null;
  kill(): void;
  /** Ends it if no request is in progress, for a soft stop. */
  closeIfIdle(): void;
}

export interface ExchangeContext {
  readonly engine: Engine;
  readonly state: SharedState;
  /** The newest generation; a connection moves to it between two requests. */
  readonly runtime: Runtime;
  /** True once the process stops softly: connections close after the present response. */
  readonly isStopping: boolean;
  readonly liveSessions: Set<LiveSession>;
  queueOf(backend: Backend): BackendQueue;
  evaluate(format: LogFormat, stream: Stream): string;
  /** The statistics page or exporter, if this request asks for it. */
  serveStatistics(stream: Stream): Reply | null;
  serveMetrics(stream: Stream): Reply;
  /** A stream has ended: counted, and about to be forgotten. */
  streamEnded(stream: Stream): void;
  /** A client connection is gone: a frontend at its maxconn may accept again. */
  sessionEnded(): void;
  observe(server: Server, observation: Observation): void;
}
