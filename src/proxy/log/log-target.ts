// One `log` line of a configuration at work: filters messages by level and sample, puts the header of its
// format before them, cuts them to its length, and hands bytes to a sink that somebody else has opened.
import type { LogFormatName, LogTarget } from "../../model/proxy.ts";
import type { LogLevel } from "../../model/rule.ts";
import { formatIsoDate, formatLegacyDate } from "./dates.ts";
import { headerOfForeign } from "./foreign-header.ts";
import { EncodedText, LineBuffer, putEncoded } from "./line-buffer.ts";
import type { SyslogMessage } from "./syslog-message.ts";

/** Where bytes go. Fire and forget: false when they could not be taken; they are then lost and counted. */
export interface LogSink {
  write(bytes: Uint8Array, start: number, end: number): boolean;
}

/** What headers say of the sender. */
export interface LogSender {
  /** `log-tag`, "haproxy" by default. */
  readonly tag: string;
  readonly pid: number;
  /** `log-send-hostname`; null: none. */
  readonly hostname: string | null;
  /** Milliseconds since 1970. */
  readonly clock: { readonly wallClockMs: number };
  /** Lines that a sink did not take, for all outputs together. */
  countDropped?(count: number): void;
}

/** Syslog's numbers. */
export const LEVEL_NUMBERS: Readonly<Record<Exclude<LogLevel, "silent">, number>> = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

/** Lines for a file descriptor are collected up to this many bytes, else until the turn ends. */
const BATCH_BYTES = 64 * 1024;
/** HAProxy's MAX_SYSLOG_LEN: lines are built in this much room unless some target asks for more. */
const MESSAGE_LENGTH_DEFAULT = 1024;

/** How RFC 5424 says that there are no structured data, and what follows them. */
const NO_DATA = "- ";

export class LogOutput {
  /** Messages that the sink did not take. */
  droppedCount = 0;
  readonly #target: LogTarget;
  readonly #sender: LogSender;
  readonly #sink: LogSink;
  readonly #maxLevel: number;
  readonly #minLevel: number;
  readonly #isAlone: boolean;
  readonly #messageLengthMax: number;
  readonly #sampler: Sampler | null;
  /** By level. */
  readonly #priorities: readonly string[];
  readonly #format: LogFormatName;
  readonly #origin: string;
  #headerSecond = Number.NaN;
  #headerLevel = -1;
  #header = new EncodedText("");
  /** Where a line goes between `begin` and `end`. */
  readonly line: LineBuffer;
  #lineCount = 0;

  constructor(target: LogTarget, sender: LogSender, sink: LogSink) {
    this.#target = target;
    this.#sender = sender;
    this.#sink = sink;
    this.#maxLevel = levelNumber(target.maxLevel);
    this.#minLevel = levelNumber(target.minLevel);
    const { kind } = target.target;
    this.#isAlone = kind === "udp" || kind === "unix" || kind === "ring";
    this.#format = target.format ?? "local";
    this.#messageLengthMax = Math.max(MESSAGE_LENGTH_DEFAULT, target.length) - 1;
    this.#sampler = target.sample === null ? null : new Sampler(target.sample.ranges, target.sample.size);
    this.#priorities = Array.from({ length: 8 }, (_, level) =>
      priorityOf(this.#format, target.facility, level),
    );
    this.#origin = originOf(this.#format, sender);
    // Room for a line behind a full batch.
    this.line = new LineBuffer(BATCH_BYTES + target.length + 1);
  }

  /**
   * `level`: syslog's number. `message` has one character per byte and no line end. Characters above 0xff
   * lose bits.
   */
  write(level: number, message: string): void {
    if (!this.begin(level)) return;
    this.line.append(message);
    this.end();
  }

  /**
   * Starts a line with its header. False if this output does not take it; then there is no `end`. `putData`
   * writes the structured data of RFC 5424, where the format has them.
   */
  begin(level: number, putData: ((line: LineBuffer) => void) | null = null): boolean {
    if (!this.#takes(level)) return false;
    const { line } = this;
    const lineLimit = this.#limitLine();
    this.#writeHeader(Math.max(level, this.#minLevel));
    if (putData !== null && this.#format === "rfc5424") this.#writeData(putData);
    line.limit = Math.min(lineLimit, line.length + this.#messageLengthMax);
    return true;
  }

  /** Sends on what another program has logged, in its own format if the line names none. */
  forward(message: SyslogMessage): void {
    if (!this.#takes((message.priority ?? 0) & 7)) return;
    const { line } = this;
    this.#limitLine();
    const { wallClockMs } = this.#sender.clock;
    line.append(headerOfForeign(message, this.#target, this.#minLevel, wallClockMs));
    line.appendBytes(message.bytes, message.textStart, message.bytes.length);
    this.end();
  }

  #takes(level: number): boolean {
    return level <= this.#maxLevel && (this.#sampler === null || this.#sampler.takeNext());
  }

  /** Where the present line ends at the latest. The newline counts only for file descriptors. */
  #limitLine(): number {
    const { line } = this;
    const { length } = this.#target;
    line.limit = line.length + (this.#isAlone ? length : length - 1);
    return line.limit;
  }

  /** Instead of the "-" that the header ends with. */
  #writeData(putData: (line: LineBuffer) => void): void {
    const { line } = this;
    if (line.length >= line.limit) return;
    line.length -= NO_DATA.length;
    putData(line);
    line.append(" ");
  }

  /**
   * Ends a line. Datagrams and events of rings go at once, newline included as HAProxy sends them; other
   * lines wait for `flush`.
   */
  end(): void {
    const { line } = this;
    line.bytes[line.length++] = 10;
    this.#lineCount++;
    if (this.#isAlone || line.length >= BATCH_BYTES) this.flush();
  }

  /** Hands over what was collected. To be called at the end of each turn. */
  flush(): void {
    const { line } = this;
    if (line.length === 0) return;
    if (!this.#sink.write(line.bytes, 0, line.length)) {
      this.droppedCount += this.#lineCount;
      this.#sender.countDropped?.(this.#lineCount);
    }
    line.length = 0;
    this.#lineCount = 0;
  }

  #writeHeader(level: number): void {
    const format = this.#format;
    if (format === "raw") return;
    const nowMs = this.#sender.clock.wallClockMs;
    if (format !== "rfc3164" && format !== "local") {
      this.line.append(this.#headerText(format, level, nowMs));
      return;
    }
    // These dates change once a second, and with them the header.
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#headerSecond || level !== this.#headerLevel) {
      this.#headerSecond = second;
      this.#headerLevel = level;
      this.#header = new EncodedText(this.#headerText(format, level, nowMs));
    }
    const { line } = this;
    line.length = putEncoded(this.#header, line, line.length, line.limit);
  }

  #headerText(format: LogFormatName, level: number, nowMs: number): string {
    const start = this.#priorities[level]!;
    switch (format) {
      case "rfc3164":
      case "local":
        return start + formatLegacyDate(nowMs) + this.#origin;
      case "rfc5424":
      case "timed":
        return start + formatIsoDate(nowMs) + this.#origin;
      case "iso":
        return formatIsoDate(nowMs) + this.#origin;
      default:
        return start;
    }
  }
}

/** What stands before the date, by level. */
function priorityOf(format: LogFormatName, facility: number, level: number): string {
  if (format === "short" || format === "timed") return `<${level}>`;
  return format === "rfc5424" ? `<${facility * 8 + level}>1 ` : `<${facility * 8 + level}>`;
}

/** What stands between the date and the message. */
function originOf(format: LogFormatName, { tag, pid, hostname }: LogSender): string {
  switch (format) {
    case "rfc3164":
      return ` ${hostname ?? "localhost"} ${tag}[${pid}]: `;
    case "local":
      // The format when none is named; with `log-send-hostname` it has the name too.
      return hostname === null ? ` ${tag}[${pid}]: ` : ` ${hostname} ${tag}[${pid}]: `;
    case "rfc5424":
      return ` ${hostname ?? "-"} ${tag || "-"} ${pid} - ${NO_DATA}`;
    case "timed":
    case "iso":
      return " ";
    default:
      return "";
  }
}

export function levelNumber(level: LogLevel): number {
  return level === "silent" ? -1 : LEVEL_NUMBERS[level];
}

/** `sample 1,3-5:8`: takes the named ones of each `size` messages. */
class Sampler {
  readonly #isTaken: readonly boolean[];
  #next = 0;

  constructor(ranges: readonly (readonly [number, number])[], size: number) {
    this.#isTaken = Array.from({ length: size }, (_, i) =>
      ranges.some(([first, last]) => i + 1 >= first && i + 1 <= last),
    );
  }

  takeNext(): boolean {
    const isTaken = this.#isTaken[this.#next]!;
    this.#next = (this.#next + 1) % this.#isTaken.length;
    return isTaken;
  }
}
