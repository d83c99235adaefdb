// Where a frontend's log lines go.
import type { Session, Stream } from "../stream.ts";

export interface LogWriter {
  /** Formats and sends the line of a finished stream to all targets. Called at most once per stream. */
  write(stream: Stream): void;
  /** A connection that came to nothing before it was a stream, and why. */
  writeFailure(session: Session, sentence: string): void;
}
