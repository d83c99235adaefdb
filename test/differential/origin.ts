// A server whose every byte the test decides, and which records what it was sent: per request the head byte
// for byte, and whether its connection was new. Plain sockets, so that it can also be wrong, slow and rude.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { readRequests, showBytes, showMessage } from "./wire-messages.ts";

/**
 * What the server does for one request: bytes, pauses in milliseconds, and ways to end. `read` waits for the
 * body.
 */
export type OriginStep =
  | string
  | Buffer
  | number
  | "read"
  | { readonly end: true }
  | { readonly reset: true }
  | { readonly echo: true }
  | Arrivals;
/**
 * The first step is taken when the head is complete. Without "read" in front the server does not wait for the
 * body.
 */
export type OriginScript = readonly OriginStep[];

/** Until so many requests of the case have reached the servers. */
export interface Arrivals {
  readonly arrivals: number;
}

/** They never came: the case goes on, and its outcome tells. */
const ARRIVALS_MS = 4000;

export async function untilArrived({ arrivals }: Arrivals, shared: SharedRecords): Promise<void> {
  const deadline = Date.now() + ARRIVALS_MS;
  while (shared.turn < arrivals && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

export const END: { readonly end: true } = { end: true };
export const RESET: { readonly reset: true } = { reset: true };
/** Sends back whatever comes, until the end. */
export const ECHO: { readonly echo: true } = { echo: true };

/** What the servers of one subject have in common. */
export interface SharedRecords {
  /** Requests that reached any of them. */
  turn: number;
  /** Raised for each case: what came for an earlier one is not told in a later. */
  round: number;
  /** What came, in the order in which it came. */
  readonly records: { readonly turn: number; readonly text: string }[];
}

export interface Origin {
  readonly name: string;
  readonly port: number;
  /**
   * For the requests to come, in order; the last one serves all that follow. "NAME" in it becomes the
   * server's name.
   */
  setScripts(scripts: readonly OriginScript[]): void;
  /** Records what came and is no complete request. */
  flush(): void;
  close(): Promise<void>;
}

/** `mode` tcp: everything that comes is one record, and the script begins when the connection is open. */
export async function startOrigin(name: string, shared: SharedRecords): Promise<Origin> {
  const open = new Set<OriginConnection>();
  const state: OriginState = { name, shared, scripts: [], open };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(new OriginConnection(state, socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    port: (server.address() as AddressInfo).port,
    setScripts: (scripts) => {
      state.scripts = scripts;
    },
    flush: () => {
      for (const connection of open) connection.flush();
    },
    close: () => closeServer(server, open),
  };
}

async function closeServer(server: Server, open: ReadonlySet<OriginConnection>): Promise<void> {
  server.close();
  for (const connection of open) connection.socket.destroy();
  await once(server, "close");
}

const PROXY_V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

interface OriginState {
  readonly name: string;
  readonly shared: SharedRecords;
  scripts: readonly OriginScript[];
  readonly open: Set<OriginConnection>;
}

class OriginConnection {
  readonly socket: Socket;
  readonly #state: OriginState;
  #bytes: Buffer = Buffer.alloc(0);
  #requestCount = 0;
  #turn = 0;
  #round = 0;
  #isBusy = false;
  #isEchoing = false;
  #bodyWaiter: (() => void) | null = null;

  constructor(state: OriginState, socket: Socket) {
    this.#state = state;
    this.socket = socket;
    socket.on("data", (data: Buffer) => this.#receive(data));
    socket.on("end", () => {
      this.flush();
      if (!this.#isBusy) socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.flush();
      this.#bodyWaiter?.();
      state.open.delete(this);
    });
  }

  /** Records what came and is no complete request. */
  flush(): void {
    if (this.#bytes.length === 0 || this.#isBusy) return;
    this.#record(`raw ${showBytes(this.#bytes)}`);
    this.#bytes = Buffer.alloc(0);
  }

  #receive(data: Buffer): void {
    if (this.#isEchoing) {
      this.#record(`tunnel ${showBytes(data)}`);
      this.socket.write(data);
      return;
    }
    this.#bytes = this.#withoutProxyHeader(Buffer.concat([this.#bytes, data]));
    if (this.#isBusy) this.#bodyWaiter?.();
    else void this.#serve();
  }

  /** Version 2 is binary; its addresses are told, and the client's port is any number. */
  #withoutProxyHeader(bytes: Buffer): Buffer {
    if (!bytes.subarray(0, PROXY_V2.length).equals(PROXY_V2)) return bytes;
    const end = 16 + bytes.readUInt16BE(14);
    this.#record(`PROXY v2 ${bytes.toString("hex", 12, 24)} ${bytes.toString("hex", 28, end)}`);
    return bytes.subarray(end);
  }

  async #serve(): Promise<void> {
    while (
      !this.#isBusy &&
      this.#bytes.includes("\r\n\r\n") &&
      /^[A-Za-z-]+ /.test(this.#bytes.toString("latin1", 0, 20))
    ) {
      this.#isBusy = true;
      this.#turn = this.#state.shared.turn++;
      this.#round = this.#state.shared.round;
      const script = this.#state.scripts[Math.min(this.#turn, this.#state.scripts.length - 1)];
      for (const step of script ?? []) await this.#step(step);
      await this.#body();
      const request = readRequests(this.#bytes).messages[0];
      if (request === undefined) return;
      this.#record(`${this.#requestCount++ === 0 ? "new" : "reused"} ${showMessage(request)}`);
      this.#bytes = this.#isEchoing ? Buffer.alloc(0) : this.#bytes.subarray(lengthOf(this.#bytes));
      this.#isBusy = false;
    }
    if (this.socket.readableEnded && !this.#isBusy) this.socket.end();
  }

  async #step(step: OriginStep): Promise<void> {
    if (this.socket.destroyed) return;
    if (step === "read") await this.#body();
    else if (typeof step === "string")
      this.socket.write(Buffer.from(step.replaceAll("NAME", this.#state.name), "latin1"));
    else if (typeof step === "number") await new Promise((resolve) => setTimeout(resolve, step));
    else if (step instanceof Buffer) this.socket.write(step);
    else if ("end" in step) this.socket.end();
    else if ("echo" in step) this.#isEchoing = true;
    else if ("arrivals" in step) await untilArrived(step, this.#state.shared);
    else this.socket.resetAndDestroy();
  }

  /** Waits for the rest of the request. */
  async #body(): Promise<void> {
    while (!this.socket.destroyed && !this.socket.readableEnded && !this.#isEchoing) {
      if (readRequests(this.#bytes).messages[0]?.isComplete === true) return;
      await new Promise<void>((resolve) => {
        this.#bodyWaiter = resolve;
        this.socket.once("end", resolve);
      });
    }
  }

  #record(text: string): void {
    if (this.#requestCount > 0 && this.#round !== this.#state.shared.round) return;
    this.#state.shared.records.push({ turn: this.#turn, text: `${this.#state.name} ${text}` });
  }
}

function lengthOf(bytes: Buffer): number {
  const { messages, rest } = readRequests(bytes);
  if (messages.length <= 1) return bytes.length - rest.length;
  const second = bytes.indexOf(Buffer.from(messages[1]!.head, "latin1"), messages[0]!.head.length);
  return second;
}
