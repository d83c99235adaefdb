// One `log` line of a configuration at work: filters messages by level and sample, puts the header of its
// format before them, cuts them to its length, and hands bytes to a sink that somebody else has opened.
import type { LogTarget } from "../../model/proxy.ts";
import type { LogLevel } from "../../model/rule.ts";
import { formatIsoDate, formatLegacyDate } from "./dates.ts";

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

export class LogOutput {
  /** Messages that the sink did not take. */
  droppedCount = 0;
  readonly #target: LogTarget;
  readonly #sender: LogSender;
  readonly #sink: LogSink;
  readonly #maxLevel: number;
  readonly #minLevel: number;
  readonly #isDatagram: boolean;
  readonly #messageLengthMax: number;
  readonly #sampler: Sampler | null;
  readonly #bytes: Buffer;
  #length = 0;
  #lineCount = 0;

  constructor(target: LogTarget, sender: LogSender, sink: LogSink) {
    this.#target = target;
    this.#sender = sender;
    this.#sink = sink;
    this.#maxLevel = levelNumber(target.maxLevel);
    this.#minLevel = levelNumber(target.minLevel);
    this.#isDatagram = target.target.kind === "udp" || target.target.kind === "unix";
    this.#messageLengthMax = Math.max(MESSAGE_LENGTH_DEFAULT, target.length) - 1;
    this.#sampler = target.sample === null ? null : new Sampler(target.sample.ranges, target.sample.size);
    // Room for a line behind a full batch.
    this.#bytes = Buffer.allocUnsafeSlow(BATCH_BYTES + target.length + 1);
  }

  /**
   * `level`: syslog's number. `message` has one character per byte and no line end. Characters above 0xff
   * lose bits.
   */
  write(level: number, message: string): void {
    if (level > this.#maxLevel) return;
    if (this.#sampler !== null && !this.#sampler.takeNext()) return;
    const header = this.#header(Math.max(level, this.#minLevel));
    const body = message.length > this.#messageLengthMax ? message.slice(0, this.#messageLengthMax) : message;
    this.#append(header + body);
  }

  /** Hands over what was collected. To be called at the end of each turn. */
  flush(): void {
    if (this.#length === 0) return;
    if (!this.#sink.write(this.#bytes, 0, this.#length)) this.droppedCount += this.#lineCount;
    this.#length = 0;
    this.#lineCount = 0;
  }

  /**
   * Datagrams go one by one, newline included as HAProxy sends them; the newline counts only for file
   * descriptors.
   */
  #append(line: string): void {
    const { length } = this.#target;
    const lengthMax = this.#isDatagram ? length : length - 1;
    const text = line.length > lengthMax ? line.slice(0, lengthMax) : line;
    this.#length += this.#bytes.write(text, this.#length, "latin1");
    this.#bytes[this.#length++] = 10;
    this.#lineCount++;
    if (this.#isDatagram || this.#length >= BATCH_BYTES) this.flush();
  }

  #header(level: number): string {
    const { format, facility } = this.#target;
    if (format === "raw") return "";
    const { tag, pid, hostname, clock } = this.#sender;
    const priority = `<${facility * 8 + level}>`;
    switch (format) {
      case "rfc3164":
        return `${priority}${formatLegacyDate(clock.wallClockMs)} ${hostname ?? "localhost"} ${tag}[${pid}]: `;
      case "local":
        return `${priority}${formatLegacyDate(clock.wallClockMs)} ${tag}[${pid}]: `;
      case "rfc5424":
        return `${priority}1 ${formatIsoDate(clock.wallClockMs)} ${hostname ?? "-"} ${tag || "-"} ${pid} - - `;
      case "priority":
        return priority;
      case "short":
        return `<${level}>`;
      case "timed":
        return `<${level}>${formatIsoDate(clock.wallClockMs)} `;
      case "iso":
        return `${formatIsoDate(clock.wallClockMs)} `;
    }
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
