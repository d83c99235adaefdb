// Connections that log lines come in by (manual 3.10, `bind`): at most `maxconn` at a time, each taken apart
// into its messages. Whoever sends what is no message, or one that never ends, is cut off.
import type { Failure } from "../../base/failure.ts";
import { Timer } from "../../base/timer-wheel.ts";
import { SyslogFraming } from "../../proxy/log/syslog-framing.ts";
import type {
  Acceptor,
  Chunk,
  Connection,
  ConnectionHandler,
  Engine,
  Listener,
} from "../../transport/contract.ts";

export interface StreamSettings {
  readonly maxconn: number;
  readonly clientMs: number | null;
  readonly messageBytesMax: number;
  take(message: Uint8Array): void;
  /** All that has come for now was taken. */
  flush(): void;
}

/** All listeners of a section. Who comes when it is full waits in the kernel, as with HAProxy. */
export class StreamInput implements Acceptor {
  /** What is taken with from now on; connections go on through a reload. */
  settings: StreamSettings;
  readonly engine: Engine;
  readonly #clients: Set<StreamClient> = new Set();
  readonly #listeners: Set<Listener> = new Set();

  constructor(engine: Engine, settings: StreamSettings) {
    this.engine = engine;
    this.settings = settings;
  }

  accept(_connection: Connection): ConnectionHandler | null {
    if (this.#clients.size >= this.settings.maxconn) return null;
    const client = new StreamClient(this, (gone) => {
      this.#clients.delete(gone);
      this.#makeRoom();
    });
    this.#clients.add(client);
    if (this.#clients.size >= this.settings.maxconn) for (const listener of this.#listeners) listener.pause();
    return client;
  }

  /** Accepts what comes there from now on. */
  serve(listener: Listener): void {
    this.#listeners.add(listener);
    this.#makeRoom();
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
    listener.close();
  }

  #makeRoom(): void {
    if (this.#clients.size < this.settings.maxconn) for (const listener of this.#listeners) listener.resume();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

class StreamClient implements ConnectionHandler {
  readonly #input: StreamInput;
  readonly #framing: SyslogFraming;
  readonly #forget: (client: StreamClient) => void;
  readonly #silence: Timer;
  #connection: Connection | null = null;

  constructor(input: StreamInput, forget: (client: StreamClient) => void) {
    this.#input = input;
    this.#forget = forget;
    this.#framing = new SyslogFraming(input.settings.messageBytesMax);
    this.#silence = new Timer({ handleTimeout: () => this.close() });
  }

  close(): void {
    this.#connection?.close();
  }

  handleOpen(connection: Connection): void {
    this.#connection = connection;
    this.#listen();
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    const { settings } = this.#input;
    this.#framing.receive(chunk.bytes.subarray(start, end), (message) => settings.take(message));
    settings.flush();
    if (this.#framing.isBroken) connection.close();
    else this.#listen();
  }

  handleDrain(_connection: Connection): void {}

  handleEnd(connection: Connection): void {
    connection.close();
  }

  handleClose(_connection: Connection, _failure: Failure | null): void {
    this.#connection = null;
    this.#input.engine.timers.remove(this.#silence);
    this.#forget(this);
  }

  #listen(): void {
    const { engine, settings } = this.#input;
    if (settings.clientMs !== null) engine.timers.arm(this.#silence, engine.nowMs + settings.clientMs);
  }
}
