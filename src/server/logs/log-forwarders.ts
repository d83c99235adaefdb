// The `log-forward` sections of what serves (manual 3.10), in the master: what comes in by UDP and TCP goes
// out by the section's `log` lines. The master does it, so that `maxconn` and `sample` count for all, ports
// below 1024 can be had after a reload too, and no request ever waits for the logs of others.
import { createSocket, type Socket } from "node:dgram";
import type { DatagramAddress, DatagramBind, LogForwarder } from "../../model/log-forward.ts";
import type { Bind } from "../../model/proxy.ts";
import type { LogOutput } from "../../proxy/log/log-target.ts";
import { readSyslogMessage } from "../../proxy/log/syslog-message.ts";
import type { Engine, Listener } from "../../transport/contract.ts";
import { serverContextOf } from "../generation.ts";
import type { PreparedConfiguration, WorkerProblem } from "../messages.ts";
import { StreamInput, type StreamSettings } from "./stream-input.ts";

const BACKLOG_DEFAULT = 128;
const HANDSHAKE_MS = 30_000;
/** HAProxy receives with the system's default; bursts of a whole machine are larger. */
const RECEIVE_BUFFER_BYTES = 1_048_576;

export interface ForwarderOptions {
  readonly engine: Engine;
  /** The targets of a section, open. */
  outputsOf(forwarder: LogForwarder): readonly LogOutput[];
  /** A message was received. */
  count(): void;
}

interface OpenInput {
  readonly input: StreamInput;
  readonly listener: Listener;
}

/** Where messages of an open socket go at present; null: nowhere, it is only about to serve. */
interface Datagrams {
  readonly socket: Socket;
  forwarder: Forwarder | null;
}

export class LogForwarders {
  readonly #options: ForwarderOptions;
  /** By section: its connections are counted together. */
  readonly #inputs: Map<string, StreamInput> = new Map();
  readonly #streams: Map<string, OpenInput> = new Map();
  readonly #datagrams: Map<string, Datagrams> = new Map();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Opens what a configuration adds. What could not be opened; nothing is served by it yet. */
  async open(prepared: PreparedConfiguration): Promise<readonly WorkerProblem[]> {
    const problems: WorkerProblem[] = [];
    for (const forwarder of prepared.configuration.logForwarders) {
      for (const bind of forwarder.datagramBinds) {
        const problem = await this.#openDatagrams(bind);
        if (problem !== null) problems.push({ ...bind.span, message: `${nameOf(forwarder)} ${problem}` });
      }
      for (const bind of forwarder.binds) {
        const problem = await this.#openStream(forwarder, bind, prepared);
        if (problem !== null) problems.push({ ...bind.span, message: `${nameOf(forwarder)} ${problem}` });
      }
    }
    return problems;
  }

  /** Serves by a configuration whose places are open, and closes all others. */
  follow(prepared: PreparedConfiguration): void {
    const { logForwarders, global } = prepared.configuration;
    const streams = new Map<string, Bind>();
    const datagrams = new Map<string, Forwarder>();
    for (const definition of logForwarders) {
      const forwarder = new Forwarder(this.#options, definition);
      for (const bind of definition.binds) streams.set(streamKey(definition, bind), bind);
      const input = this.#inputs.get(definition.name);
      if (input !== undefined) input.settings = settingsOf(definition, global.bufferBytes, forwarder);
      for (const { address } of definition.datagramBinds) datagrams.set(JSON.stringify(address), forwarder);
    }
    for (const [key, { input, listener }] of this.#streams) {
      const bind = streams.get(key);
      if (bind === undefined) {
        this.#streams.delete(key);
        input.remove(listener);
        continue;
      }
      const tls = serverContextOf(bind, prepared, this.#options.engine);
      if (tls?.ok === true) listener.replaceTls(tls.value);
      input.serve(listener);
    }
    for (const [name, input] of this.#inputs) {
      if (logForwarders.some((definition) => definition.name === name)) continue;
      this.#inputs.delete(name);
      input.close();
    }
    for (const [key, open] of this.#datagrams) {
      open.forwarder = datagrams.get(key) ?? null;
      if (open.forwarder !== null) continue;
      this.#datagrams.delete(key);
      open.socket.close();
    }
  }

  close(): void {
    for (const { input, listener } of this.#streams.values()) input.remove(listener);
    for (const input of this.#inputs.values()) input.close();
    this.#inputs.clear();
    for (const { socket } of this.#datagrams.values()) socket.close();
    this.#streams.clear();
    this.#datagrams.clear();
  }

  async #openDatagrams({ address }: DatagramBind): Promise<string | null> {
    const key = JSON.stringify(address);
    if (this.#datagrams.has(key)) return null;
    try {
      const socket = await bindDatagrams(address);
      const open: Datagrams = { socket, forwarder: null };
      // What the kernel says of a socket that is open already is no reason to stop.
      socket.on("error", () => {});
      socket.on("message", (bytes) => {
        open.forwarder?.take(bytes);
        open.forwarder?.flush();
      });
      this.#datagrams.set(key, open);
      return null;
    } catch (error) {
      return `cannot receive datagrams: ${(error as Error).message}`;
    }
  }

  /** One that is new sends nothing on before it serves. */
  #inputOf(forwarder: LogForwarder, prepared: PreparedConfiguration): StreamInput {
    const known = this.#inputs.get(forwarder.name);
    if (known !== undefined) return known;
    const settings = settingsOf(forwarder, prepared.configuration.global.bufferBytes, NOBODY);
    const input = new StreamInput(this.#options.engine, settings);
    this.#inputs.set(forwarder.name, input);
    return input;
  }

  async #openStream(
    forwarder: LogForwarder,
    bind: Bind,
    prepared: PreparedConfiguration,
  ): Promise<string | null> {
    const key = streamKey(forwarder, bind);
    if (this.#streams.has(key)) return null;
    const { engine } = this.#options;
    const tls = serverContextOf(bind, prepared, engine);
    if (tls?.ok === false) return tls.error.message;
    const input = this.#inputOf(forwarder, prepared);
    const options = {
      address: bind.address,
      backlog: bind.backlog ?? forwarder.backlog ?? BACKLOG_DEFAULT,
      tls: tls?.value ?? null,
      acceptProxy: bind.acceptProxy,
      handshakeTimeoutMs: forwarder.clientMs ?? HANDSHAKE_MS,
      // A section of another name may take the place over.
      reusePort: bind.address.kind === "tcp",
      isPaused: true,
    };
    return new Promise((resolve) =>
      engine.listen(options, input, (result) => {
        if (result.ok) this.#streams.set(key, { input, listener: result.value });
        resolve(result.ok ? null : `cannot listen on ${bind.text}: ${result.error.message}`);
      }),
    );
  }
}

/** A section at work. */
class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #outputs: readonly LogOutput[];

  constructor(options: ForwarderOptions, definition: LogForwarder) {
    this.#options = options;
    this.#outputs = options.outputsOf(definition);
  }

  take(bytes: Uint8Array): void {
    this.#options.count();
    const message = readSyslogMessage(bytes);
    for (const output of this.#outputs) output.forward(message);
  }

  flush(): void {
    for (const output of this.#outputs) output.flush();
  }
}

const NOBODY: Pick<Forwarder, "take" | "flush"> = { take: () => {}, flush: () => {} };

function settingsOf(
  { maxconn, clientMs }: LogForwarder,
  messageBytesMax: number,
  forwarder: Pick<Forwarder, "take" | "flush">,
): StreamSettings {
  const take = (message: Uint8Array) => forwarder.take(message);
  return { maxconn, clientMs, messageBytesMax, take, flush: () => forwarder.flush() };
}

function nameOf({ name }: LogForwarder): string {
  return `log-forward ${name}`;
}

function streamKey({ name }: LogForwarder, { address, acceptProxy, tls }: Bind): string {
  return JSON.stringify([name, address, acceptProxy, tls !== null]);
}

function bindDatagrams(address: DatagramAddress): Promise<Socket> {
  const isV6 = address.kind === "udp" && address.host.includes(":");
  const socket = createSocket({ type: isV6 ? "udp6" : "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    const done = () => {
      socket.removeAllListeners("error");
      resolve(socket);
    };
    if (address.kind === "fd") socket.bind({ fd: address.fd }, done);
    else socket.bind({ address: address.host, port: address.port }, done);
  });
}
