// Where a frontend's log lines go.
import type { Stream } from "../stream.ts";

export interface LogWriter {
  /** Formats and sends the line of a finished stream to all targets. Called at most once per stream. */
  write(stream: Stream): void;
}
