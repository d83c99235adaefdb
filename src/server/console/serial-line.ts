// A serial line: one connection for all its viewers, since a serial port has one other end only. All see the
// same, and who comes later sees what there was last. A viewer who is slow misses output and then gets the
// last of it again; the others do not wait for him.
import type { Socket } from "node:net";
import { type ConsoleBackendOptions, connectBackend } from "./backend.ts";
import type { Viewer } from "./viewer.ts";

/** What a newcomer sees at once. */
const BACKLOG_BYTES_MAX = 64 * 1024;
/** RIS, "reset to initial state": what follows begins on an empty screen. */
const RESET = Buffer.from("\x1bc");

/** The serial lines that somebody looks at, by machine. */
export class SerialLines {
  readonly #lines = new Map<string, SerialLine>();

  open(viewer: Viewer, backend: ConsoleBackendOptions): void {
    const { machine } = viewer.claims;
    let line = this.#lines.get(machine);
    if (line === undefined) {
      line = new SerialLine(backend, () => this.#lines.delete(machine));
      this.#lines.set(machine, line);
    }
    line.add(viewer);
  }
}

class SerialLine {
  /** Viewers; true for those that have missed something. */
  readonly #viewers = new Map<Viewer, boolean>();
  readonly #onEnd: () => void;
  #server: Socket | null = null;
  #backlog: Buffer = Buffer.alloc(0);
  #hasEnded = false;

  constructor(backend: ConsoleBackendOptions, onEnd: () => void) {
    this.#onEnd = onEnd;
    void this.#open(backend);
  }

  add(viewer: Viewer): void {
    this.#viewers.set(viewer, false);
    viewer.begin({
      receive: (bytes) => this.#type(viewer, bytes),
      handleDrain: () => this.#catchUp(viewer),
      close: () => this.#remove(viewer),
    });
    if (this.#backlog.length > 0) viewer.send(this.#backlog);
  }

  async #open(backend: ConsoleBackendOptions): Promise<void> {
    try {
      const server = await connectBackend(backend);
      if (this.#hasEnded) return void server.destroy();
      this.#server = server;
      server.on("data", (bytes: Buffer) => this.#show(bytes));
      // One that has said all it will may still wait to hear more; nobody sees it any more.
      for (const event of ["end", "close"]) server.on(event, () => this.#end("the console closed", ""));
      server.on("drain", () => {
        for (const viewer of this.#viewers.keys()) viewer.resumeReading();
      });
    } catch (error) {
      this.#end("the console cannot be reached", (error as Error).message);
    }
  }

  #show(bytes: Buffer): void {
    this.#backlog = Buffer.concat([this.#backlog, bytes]);
    if (this.#backlog.length > BACKLOG_BYTES_MAX)
      this.#backlog = Buffer.from(this.#backlog.subarray(-BACKLOG_BYTES_MAX));
    for (const [viewer, isBehind] of this.#viewers) {
      if (!isBehind && !viewer.send(bytes)) this.#viewers.set(viewer, true);
    }
  }

  #catchUp(viewer: Viewer): void {
    if (this.#viewers.get(viewer) !== true) return;
    this.#viewers.set(viewer, false);
    viewer.send(Buffer.concat([RESET, this.#backlog]));
  }

  #type(viewer: Viewer, bytes: Buffer): void {
    if (viewer.claims.isViewOnly) return;
    viewer.noteInput();
    if (this.#server === null || this.#server.write(bytes)) return;
    viewer.pauseReading();
  }

  #remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0 || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#server?.destroy();
    this.#onEnd();
  }

  #end(reason: "the console closed" | "the console cannot be reached", detail: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#server?.destroy();
    this.#onEnd();
    for (const viewer of [...this.#viewers.keys()]) viewer.end(reason, detail);
  }
}
