// A frontend's traffic log: compiles its formats and writes finished streams to its targets.
import type { Proxy as ProxyDefinition } from "../../model/proxy.ts";
import type { LogFormat } from "../../model/sample.ts";
import type { RuleEnvironment } from "../rules/environment.ts";
import { compileFormat } from "../rules/format.ts";
import type { Stream } from "../stream.ts";
import type { WriteText } from "./aliases.ts";
import { isErroneous, isLoggedAtConnect, levelOf, shouldLog } from "./log-decision.ts";
import { LEVEL_NUMBERS, type LogOutput } from "./log-target.ts";
import type { LogWriter } from "./log-writer.ts";

/** The line of a stream in that format, without a header. `logCount` counts what %lc prints. */
export function compileLogLine(
  format: LogFormat,
  environment: RuleEnvironment,
  logCount: { value: number } = { value: 0 },
): WriteText {
  return compileFormat(format, environment, "log", { logCount, requestCount: environment.requestCount });
}

/**
 * Null when the proxy has no log format or no target. `outputs` are opened by the caller, who flushes them.
 */
export function compileLogWriter(
  proxy: ProxyDefinition,
  outputs: readonly LogOutput[],
  environment: RuleEnvironment,
): LogWriter | null {
  if (proxy.logFormat === null || outputs.length === 0) return null;
  const logCount = { value: 0 };
  const line = compileLogLine(proxy.logFormat, environment, logCount);
  const errorLine =
    proxy.errorLogFormat === null ? null : compileLogLine(proxy.errorLogFormat, environment, logCount);
  return isLoggedAtConnect(proxy)
    ? new ConnectionLog(line, outputs)
    : new TrafficLog(line, errorLine, outputs, logCount);
}

class TrafficLog implements LogWriter {
  readonly #line: WriteText;
  readonly #errorLine: WriteText | null;
  readonly #outputs: readonly LogOutput[];
  readonly #logCount: { value: number };

  constructor(
    line: WriteText,
    errorLine: WriteText | null,
    outputs: readonly LogOutput[],
    logCount: { value: number },
  ) {
    this.#line = line;
    this.#errorLine = errorLine;
    this.#outputs = outputs;
    this.#logCount = logCount;
  }

  write(stream: Stream): void {
    if (!shouldLog(stream)) return;
    const text =
      this.#errorLine !== null && isErroneous(stream) ? this.#errorLine(stream) : this.#line(stream);
    // An empty line is no message.
    if (text === "") return;
    this.#logCount.value++;
    const level = levelOf(stream);
    for (const output of this.#outputs) output.write(level, text);
  }
}

/** "Connect from …" and nothing else decides. A client on a unix socket has no address to name. */
class ConnectionLog implements LogWriter {
  readonly #line: WriteText;
  readonly #outputs: readonly LogOutput[];

  constructor(line: WriteText, outputs: readonly LogOutput[]) {
    this.#line = line;
    this.#outputs = outputs;
  }

  write(stream: Stream): void {
    const { source, bind } = stream.session;
    const { name, definition } = stream.frontend;
    const text =
      source.family === "unix"
        ? `Connect to unix:${bind.id} (${name}/${definition.mode.toUpperCase()})`
        : this.#line(stream);
    for (const output of this.#outputs) output.write(LEVEL_NUMBERS.info, text);
  }
}
