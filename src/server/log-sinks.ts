// Opens what `log` lines name: one sink per distinct target, kept for the life of the process. Flushed each
// turn.
import { writeSync } from "node:fs";
import { hostname } from "node:os";
import type { LogTarget, ProxyConfiguration, Proxy as ProxyDefinition } from "../model/proxy.ts";
import { LogOutput, type LogSink } from "../proxy/log/log-target.ts";
import type { Engine } from "../transport/contract.ts";

const TAG_DEFAULT = "haproxy";

export class LogSinks {
  readonly #engine: Engine;
  readonly #outputs: Map<string, LogOutput> = new Map();
  readonly #sinks: Map<string, LogSink> = new Map();
  readonly #rings: RingWriter | null;
  readonly #report: (text: string) => void;
  readonly #pid: number;
  readonly #countDropped: (count: number) => void;

  /** `pid` is what lines say: whoever reads them knows the process that was started, not its workers. */
  constructor(
    engine: Engine,
    pid: number,
    rings: RingWriter | null,
    report: (text: string) => void,
    countDropped: (count: number) => void = () => {},
  ) {
    this.#engine = engine;
    this.#rings = rings;
    this.#pid = pid;
    this.#countDropped = countDropped;
    this.#report = report;
    engine.onTurnEnd(() => this.flush());
  }

  /** The outputs of a section's log lines; a target that cannot be opened is reported once and left out. */
  outputsOf(
    section: Pick<ProxyDefinition, "logs" | "logTag">,
    configuration: ProxyConfiguration,
  ): LogOutput[] {
    const { global } = configuration;
    return section.logs.flatMap((line) => {
      const target = asRingSays(line, configuration);
      const tag = section.logTag ?? (global.logTag === "" ? TAG_DEFAULT : global.logTag);
      // Where it stands in the file is no part of it: reloads would open it again and again.
      const key = JSON.stringify([{ ...target, span: null }, tag, global.logSendHostname]);
      const known = this.#outputs.get(key);
      if (known !== undefined) return [known];
      const sink = this.#sinkOf(target);
      if (sink === null) return [];
      const sender = {
        tag,
        pid: this.#pid,
        hostname: global.logSendHostname === "" ? hostname() : global.logSendHostname,
        clock: this.#engine,
        countDropped: this.#countDropped,
      };
      const output = new LogOutput(target, sender, sink);
      this.#outputs.set(key, output);
      return [output];
    });
  }

  flush(): void {
    for (const output of this.#outputs.values()) output.flush();
  }

  #sinkOf({ target }: LogTarget): LogSink | null {
    const key = JSON.stringify(target);
    const known = this.#sinks.get(key);
    if (known !== undefined) return known;
    const sink = this.#open(target);
    if (sink !== null) this.#sinks.set(key, sink);
    return sink;
  }

  #open(target: LogTarget["target"]): LogSink | null {
    if (target.kind === "stdout") return new DescriptorSink(1);
    if (target.kind === "stderr") return new DescriptorSink(2);
    if (target.kind === "fd") return new DescriptorSink(target.fd);
    if (target.kind === "ring") return this.#rings === null ? null : new RingSink(this.#rings, target.name);
    const opened = this.#engine.openDatagramSender(target);
    if (!opened.ok) {
      this.#report(
        `cannot log to ${target.kind === "udp" ? `${target.host}:${target.port}` : target.path}: ${opened.error.message}`,
      );
      return null;
    }
    const sender = opened.value;
    return { write: (bytes, start, end) => sender.send(bytes, start, end) };
  }
}

/** Who has the rings, or tells who has them. False: it is lost. */
export interface RingWriter {
  write(ring: string, bytes: Uint8Array, start: number, end: number): boolean;
}

/** The format of a ring is that of all lines that do not name another. */
function asRingSays(line: LogTarget, { rings }: ProxyConfiguration): LogTarget {
  const { target, format } = line;
  if (target.kind !== "ring" || format !== null) return line;
  return { ...line, format: rings.find(({ name }) => name === target.name)?.format ?? null };
}

/** An event is a line without its newline. */
class RingSink implements LogSink {
  readonly #rings: RingWriter;
  readonly #name: string;

  constructor(rings: RingWriter, name: string) {
    this.#rings = rings;
    this.#name = name;
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#rings.write(this.#name, bytes, start, end - 1);
  }
}

/** Standard output and its like. A reader that does not keep up loses lines, it never stops traffic. */
class DescriptorSink implements LogSink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    try {
      for (let at = start; at < end; ) at += writeSync(this.#fd, bytes, at, end - at);
      return true;
    } catch {
      return false;
    }
  }
}
