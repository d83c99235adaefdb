// A frontend's traffic log: compiles its formats and writes finished streams to its targets.
import type { Proxy as ProxyDefinition } from "../../model/proxy.ts";
import type { LogFormat } from "../../model/sample.ts";
import type { RuleEnvironment } from "../rules/environment.ts";
import { compileFormatParts } from "../rules/format.ts";
import type { Session, Stream } from "../stream.ts";
import { formatLogDate } from "./dates.ts";
import { LineBuffer } from "./line-buffer.ts";
import { compileSteps, runSteps } from "./line-program.ts";
import { isErroneous, isLoggedAtConnect, levelOf, shouldLog } from "./log-decision.ts";
import { LEVEL_NUMBERS, type LogOutput } from "./log-target.ts";
import type { LogWriter } from "./log-writer.ts";

/** Appends the line of a stream, without a header, to a buffer. */
export type AppendLine = (stream: Stream, line: LineBuffer) => void;

/** `logCount` counts what %lc prints. */
export function compileLogLine(
  format: LogFormat,
  environment: RuleEnvironment,
  logCount: { value: number } = { value: 0 },
): AppendLine {
  const counters = { logCount, requestCount: environment.requestCount };
  const steps = compileSteps(compileFormatParts(format, environment, "log", counters));
  return (stream, line) => runSteps(steps, stream, line);
}

/**
 * Null when the proxy has no log format, or an empty one, or no target. `outputs` are opened by the caller,
 * who flushes them.
 */
export function compileLogWriter(
  proxy: ProxyDefinition,
  outputs: readonly LogOutput[],
  environment: RuleEnvironment,
): LogWriter | null {
  if (proxy.logFormat === null || proxy.logFormat.parts.length === 0 || outputs.length === 0) return null;
  const logCount = { value: 0 };
  const line = compileLogLine(proxy.logFormat, environment, logCount);
  if (isLoggedAtConnect(proxy)) return new ConnectionLog(line, outputs);
  const { errorLogFormat } = proxy;
  const errorLine = errorLogFormat === null ? line : compileLogLine(errorLogFormat, environment, logCount);
  const { logFormatData } = proxy;
  const data = logFormatData === null ? null : compileLogLine(logFormatData, environment, logCount);
  return new TrafficLog(line, errorLine, data, outputs, logCount);
}

class TrafficLog implements LogWriter {
  readonly #line: AppendLine;
  readonly #errorLine: AppendLine;
  readonly #data: AppendLine | null;
  readonly #outputs: readonly LogOutput[];
  readonly #logCount: { value: number };

  constructor(
    line: AppendLine,
    errorLine: AppendLine,
    data: AppendLine | null,
    outputs: readonly LogOutput[],
    logCount: { value: number },
  ) {
    this.#line = line;
    this.#errorLine = errorLine;
    this.#data = data;
    this.#outputs = outputs;
    this.#logCount = logCount;
  }

  write(stream: Stream): void {
    if (!shouldLog(stream)) return;
    this.#logCount.value++;
    const append = isErroneous(stream) ? this.#errorLine : this.#line;
    writeToAll(this.#outputs, levelOf(stream), stream, append, this.#data);
  }

  writeFailure(session: Session, sentence: string): void {
    writeFailure(this.#outputs, session, sentence);
  }
}

function writeFailure(outputs: readonly LogOutput[], session: Session, sentence: string): void {
  const { source, bind, frontend, acceptDateMs } = session;
  const from = source.family === "unix" ? `unix:${bind.id}` : `${source.host}:${source.port}`;
  const place = `${frontend.name}/${bind.name ?? bind.id}`;
  const level = frontend.definition.options.logSeparateErrors ? LEVEL_NUMBERS.err : LEVEL_NUMBERS.info;
  const text = `${from} [${formatLogDate(acceptDateMs)}] ${place}: ${sentence}`;
  for (const output of outputs) output.write(level, text);
}

/** "Connect from …" and nothing else decides. A client on a unix socket has no address to name. */
class ConnectionLog implements LogWriter {
  readonly #line: AppendLine;
  readonly #outputs: readonly LogOutput[];

  constructor(line: AppendLine, outputs: readonly LogOutput[]) {
    this.#line = line;
    this.#outputs = outputs;
  }

  write(stream: Stream): void {
    const { source, bind } = stream.session;
    if (source.family !== "unix") {
      writeToAll(this.#outputs, LEVEL_NUMBERS.info, stream, this.#line);
      return;
    }
    const { name, definition } = stream.frontend;
    const text = `Connect to unix:${bind.id} (${name}/${definition.mode.toUpperCase()})`;
    for (const output of this.#outputs) output.write(LEVEL_NUMBERS.info, text);
  }

  writeFailure(session: Session, sentence: string): void {
    writeFailure(this.#outputs, session, sentence);
  }
}

/** Used within one call only; as large as the longest line that any target can ask for. */
const SCRATCH = new LineBuffer(65_536);

/** With several outputs the line is made once and copied: `%[rand]` says the same in all of them. */
function writeToAll(
  outputs: readonly LogOutput[],
  level: number,
  stream: Stream,
  append: AppendLine,
  data: AppendLine | null = null,
): void {
  const [only] = outputs;
  const putData = data === null ? null : (line: LineBuffer) => data(stream, line);
  if (outputs.length === 1 && only !== undefined) {
    if (!only.begin(level, putData)) return;
    append(stream, only.line);
    only.end();
    return;
  }
  SCRATCH.length = 0;
  append(stream, SCRATCH);
  for (const output of outputs) {
    if (!output.begin(level, putData)) continue;
    output.line.appendBytes(SCRATCH.bytes, 0, SCRATCH.length);
    output.end();
  }
}
