// The stage of one contract test: an engine that listens, an engine that connects, and recorders in place of
// cores. Recorders note what must never happen (a handler inside an operation or inside another handler,
// events out of order) and `finish` fails the test for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../../base/failure.ts";
import type {
  Acceptor,
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  DatagramSender,
  Engine,
  ListenAddress,
  Listener,
  ListenOptions,
} from "../../transport/contract.ts";

/** How the suite drives an engine. */
export interface ContractHarness {
  /** The engine under test: listens. */
  readonly engine: Engine;
  /** Connects. May be the same engine, or a different kind of engine to test that the two get on. */
  readonly peer: Engine;
  /** Lets events happen until `until()` is true. Rejects after `timeoutMs` (of real or virtual time). */
  pump(until: () => boolean, timeoutMs: number): Promise<void>;
  /** Lets everything happen that can happen without anything new being done. */
  settle(): Promise<void>;
  /** A fresh directory for unix sockets. */
  readonly directory: string;
  /** Something that takes datagrams, and what it took. */
  openDatagramReceiver(): Promise<DatagramReceiver>;
  /** Frees everything; may fail the test for leaks. */
  dispose(): Promise<void>;
}

export interface DatagramReceiver {
  readonly address: Parameters<Engine["openDatagramSender"]>[0];
  readonly received: readonly Uint8Array[];
  close(): void;
}

/** Fails tests that hang; no test depends on its value. */
const PUMP_TIMEOUT_MS = 20_000;

/** A test with a stage of its own. */
export function behaviour(
  title: string,
  create: () => ContractHarness,
  run: (scenario: Scenario) => Promise<void>,
): void {
  test(title, async () => {
    const scenario = new Scenario(create());
    try {
      await run(scenario);
    } catch (error) {
      await scenario.abandon();
      throw error;
    }
    await scenario.finish();
  });
}

/**
 * The byte at a place of an endless stream that differs at every scale, so that lost or swapped pieces show.
 */
export function patternByte(position: number, seed: number): number {
  return (position * 31 + (position >>> 8) * 7 + (position >>> 16) * 13 + seed) & 0xff;
}

export function pattern(byteCount: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  for (let i = 0; i < byteCount; i++) bytes[i] = patternByte(i, seed);
  return bytes;
}

export class Scenario {
  readonly harness: ContractHarness;
  readonly engine: Engine;
  readonly peer: Engine;
  readonly violations: string[] = [];
  readonly recorders: Recorder[] = [];
  readonly listeners: Listener[] = [];
  readonly senders: DatagramSender[] = [];
  operationDepth = 0;
  handlerDepth = 0;

  constructor(harness: ContractHarness) {
    this.harness = harness;
    this.engine = harness.engine;
    this.peer = harness.peer;
  }

  pump(until: () => boolean): Promise<void> {
    return this.harness.pump(until, PUMP_TIMEOUT_MS);
  }

  /** Does something to the engine during which no handler may be called. */
  operate<T>(operation: () => T): T {
    this.operationDepth++;
    try {
      return operation();
    } finally {
      this.operationDepth--;
    }
  }

  recorder(name: string, engine: Engine): Recorder {
    const recorder = new Recorder(name, this, engine);
    this.recorders.push(recorder);
    return recorder;
  }

  async tryListen(
    options: Partial<ListenOptions>,
    acceptor: Acceptor,
  ): Promise<{ listener: Listener | null; failure: Failure | null }> {
    let outcome: { listener: Listener | null; failure: Failure | null } | null = null;
    const address: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0 };
    const full: ListenOptions = {
      address,
      backlog: 512,
      tls: null,
      acceptProxy: false,
      handshakeTimeoutMs: 10_000,
      reusePort: false,
      ...options,
    };
    this.engine.listen(full, acceptor, (result) => {
      outcome = result.ok
        ? { listener: result.value, failure: null }
        : { listener: null, failure: result.error };
    });
    await this.pump(() => outcome !== null);
    const { listener, failure } = outcome as unknown as {
      listener: Listener | null;
      failure: Failure | null;
    };
    if (listener !== null) this.listeners.push(listener);
    return { listener, failure };
  }

  async listen(
    options: Partial<ListenOptions>,
    accept: (connection: Connection) => ConnectionHandler | null,
  ): Promise<Listener> {
    const { listener, failure } = await this.tryListen(options, { accept });
    assert(listener !== null, `cannot listen: ${failure?.message}`);
    return listener;
  }

  /** Listens and gives each accepted connection a recorder, which is also appended to the list. */
  async listenRecording(
    options: Partial<ListenOptions> = {},
  ): Promise<{ listener: Listener; accepted: Recorder[] }> {
    const accepted: Recorder[] = [];
    const listener = await this.listen(options, (connection) => {
      const recorder = this.recorder(`server ${accepted.length}`, this.engine);
      recorder.connection = connection;
      accepted.push(recorder);
      return recorder;
    });
    return { listener, accepted };
  }

  connect(listener: Listener, options: Partial<ConnectOptions> = {}): Recorder {
    const recorder = this.recorder("client", this.peer);
    const { family, host, port } = listener.address;
    const address: ConnectOptions["address"] =
      family === "unix" ? { kind: "unix", path: host } : { kind: "tcp", host, port };
    const full: ConnectOptions = {
      address,
      source: null,
      tls: null,
      preamble: null,
      timeoutMs: 10_000,
      ...options,
    };
    recorder.connection = this.operate(() => this.peer.connect(full, recorder));
    return recorder;
  }

  /** One connection, open at both ends. */
  async pair(
    listenOptions: Partial<ListenOptions> = {},
    connectOptions: Partial<ConnectOptions> = {},
  ): Promise<{ listener: Listener; client: Recorder; server: Recorder }> {
    const { listener, accepted } = await this.listenRecording(listenOptions);
    const client = this.connect(listener, connectOptions);
    await this.pump(() => client.isOpen && accepted[0]?.isOpen === true);
    return { listener, client, server: accepted[0]! };
  }

  async finish(): Promise<void> {
    for (const listener of this.listeners) listener.close();
    for (const sender of this.senders) sender.close();
    for (const recorder of this.recorders) recorder.tearDown();
    await this.pump(() => this.recorders.every((recorder) => !recorder.isAttached || recorder.isClosed));
    await this.harness.settle();
    await this.harness.dispose();
    assert.deepEqual(this.violations, []);
  }

  /** After a failure: whatever can still be freed. */
  async abandon(): Promise<void> {
    for (const listener of this.listeners) listener.close();
    for (const recorder of this.recorders) recorder.tearDown();
    await this.harness.settle();
    await this.harness.dispose().catch(() => {});
  }
}

/** Stands where a core would stand. */
export class Recorder implements ConnectionHandler {
  readonly name: string;
  /** "open", "data" (once for consecutive ones), "drain", "end", "close". */
  readonly events: string[] = [];
  connection: Connection | null = null;
  receivedBytes = 0;
  drainCount = 0;
  isOpen = false;
  hasEnded = false;
  isClosed = false;
  failure: Failure | null = null;
  /** Seed of the pattern that is expected; null: collect instead. */
  expectedSeed: number | null = null;
  collected: Buffer = Buffer.alloc(0);
  onOpen: (connection: Connection) => void = () => {};
  onData: (connection: Connection, chunk: Chunk, start: number, end: number) => void = () => {};
  onDrain: (connection: Connection) => void = () => {};
  onEnd: (connection: Connection) => void = () => {};
  onClose: (connection: Connection, failure: Failure | null) => void = () => {};
  readonly #scenario: Scenario;
  readonly #engine: Engine;

  constructor(name: string, scenario: Scenario, engine: Engine) {
    this.name = name;
    this.#scenario = scenario;
    this.#engine = engine;
  }

  /** False when the connection has got another handler meanwhile: its end is not told here. */
  get isAttached(): boolean {
    return this.connection !== null && this.connection.handler === this;
  }

  get text(): string {
    return this.collected.toString("latin1");
  }

  send(bytes: Uint8Array | string): void {
    const source = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    const connection = this.connection!;
    for (let offset = 0; offset < source.length; offset += 65536) {
      const piece = source.subarray(offset, offset + 65536);
      const chunk = this.#engine.allocate(piece.length);
      chunk.bytes.set(piece);
      this.#scenario.operate(() => connection.send(chunk, 0, piece.length));
      chunk.release();
    }
  }

  sendChunk(chunk: Chunk, start: number, end: number): void {
    this.#scenario.operate(() => this.connection!.send(chunk, start, end));
  }

  pause(): void {
    this.#scenario.operate(() => this.connection!.pause());
  }

  resume(): void {
    this.#scenario.operate(() => this.connection!.resume());
  }

  shutdown(): void {
    this.#scenario.operate(() => this.connection!.shutdown());
  }

  close(): void {
    this.#scenario.operate(() => this.connection!.close());
  }

  reset(): void {
    this.#scenario.operate(() => this.connection!.reset());
  }

  tearDown(): void {
    if (this.connection !== null && !this.connection.isClosed) this.connection.reset();
  }

  /** Sends `byteCount` bytes of the pattern, never holding more than about 256 KiB back. */
  produce(byteCount: number, seed: number, random: () => number, whenDone: () => void = () => {}): void {
    let position = 0;
    const fill = (): void => {
      const connection = this.connection!;
      while (position < byteCount && connection.pendingBytes < 262144) {
        const size = Math.min(byteCount - position, 1 + Math.floor(random() ** 3 * 100_000));
        const chunk = this.#engine.allocate(size);
        for (let i = 0; i < size; i++) chunk.bytes[i] = patternByte(position + i, seed);
        this.sendChunk(chunk, 0, size);
        chunk.release();
        position += size;
      }
      if (position === byteCount) {
        position++;
        whenDone();
      }
    };
    this.onDrain = fill;
    fill();
  }

  handleOpen(connection: Connection): void {
    this.#enter("open", connection);
    if (this.isOpen || this.isClosed) this.#violation("handleOpen came twice or late");
    this.isOpen = true;
    this.onOpen(connection);
    this.#leave();
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.#enter("data", connection);
    if (this.hasEnded) this.#violation("handleData came after handleEnd");
    if (end <= start || start < 0 || end > chunk.bytes.length) this.#violation(`bad range ${start}..${end}`);
    if (this.expectedSeed === null) {
      this.collected = Buffer.concat([this.collected, chunk.bytes.subarray(start, end)]);
    } else this.#verify(chunk, start, end, this.expectedSeed);
    this.receivedBytes += end - start;
    this.onData(connection, chunk, start, end);
    this.#leave();
  }

  handleDrain(connection: Connection): void {
    this.#enter("drain", connection);
    if (connection.pendingBytes !== 0)
      this.#violation(`handleDrain with ${connection.pendingBytes} bytes pending`);
    this.drainCount++;
    this.onDrain(connection);
    this.#leave();
  }

  handleEnd(connection: Connection): void {
    this.#enter("end", connection);
    if (this.hasEnded) this.#violation("handleEnd came twice");
    this.hasEnded = true;
    this.onEnd(connection);
    this.#leave();
  }

  handleClose(connection: Connection, failure: Failure | null): void {
    this.#enter("close", connection);
    if (!connection.isClosed) this.#violation("isClosed is false in handleClose");
    this.isClosed = true;
    this.failure = failure;
    this.onClose(connection, failure);
    this.#leave();
  }

  #verify(chunk: Chunk, start: number, end: number, seed: number): void {
    for (let i = start; i < end; i++) {
      if (chunk.bytes[i] === patternByte(this.receivedBytes + i - start, seed)) continue;
      this.#violation(`wrong byte at ${this.receivedBytes + i - start}`);
      return;
    }
  }

  #enter(event: string, connection: Connection): void {
    const scenario = this.#scenario;
    if (scenario.operationDepth > 0) this.#violation(`${event} was called from inside an operation`);
    if (scenario.handlerDepth > 0) this.#violation(`${event} was called from inside another handler`);
    if (this.isClosed) this.#violation(`${event} came after handleClose`);
    if (event !== "close" && connection.isClosed) this.#violation(`${event} came on a closed connection`);
    if (this.connection !== null && connection !== this.connection)
      this.#violation(`${event} for another connection`);
    scenario.handlerDepth++;
    if (event !== "data" || this.events.at(-1) !== "data") this.events.push(event);
  }

  #leave(): void {
    this.#scenario.handlerDepth--;
  }

  #violation(message: string): void {
    this.#scenario.violations.push(`${this.name}: ${message}`);
  }
}
