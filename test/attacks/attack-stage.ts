// What the attacks share: raw conversations, a random source that a seed repeats, origins that say what they
// are told, and what has to hold afterwards.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { askSocket, pause, type RunningSallyport } from "../processes/running-sallyport.ts";

/** Ends a hung conversation; measures nothing. */
const PATIENCE_MS = 10_000;

/** Sends bytes as they are, in pieces that travel alone; gives what came back until the other side closed. */
export function converse(
  to: number | string,
  pieces: readonly Uint8Array[],
  options: { readonly end?: "half" | "cut"; readonly patienceMs?: number } = {},
): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = typeof to === "number" ? connect(to, "127.0.0.1") : connect(to);
    const timer = setTimeout(() => socket.destroy(), options.patienceMs ?? PATIENCE_MS);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.on("connect", async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        if (pieces.length > 1) await new Promise((next) => setImmediate(next));
      }
      if (options.end === "half") socket.end();
      else if (options.end === "cut") socket.destroy();
    });
  });
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Each byte on its own. */
export function bytewise(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const MORSELS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  ": ",
  ",",
  "\t",
  "%00",
  "0x5",
  "-1",
  "99999999999999999999",
  "chunked",
];

/** A few random changes: bytes set, inserted, taken out, doubled, cut off, blown up. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let result = Buffer.from(bytes);
  for (let i = 0; i <= random() * 4; i++) {
    const at = Math.floor(random() * result.length);
    const front = result.subarray(0, at);
    const rest = result.subarray(at);
    switch (Math.floor(random() * 6)) {
      case 0:
        result = Buffer.concat([front, Buffer.of(random() * 256), rest.subarray(1)]);
        break;
      case 1:
        result = Buffer.concat([front, rest.subarray(1 + random() * 5)]);
        break;
      case 2:
        result = Buffer.concat([result, result]);
        break;
      case 3:
        result = front;
        break;
      case 4:
        result = Buffer.concat([front, latin1(MORSELS[Math.floor(random() * MORSELS.length)]!), rest]);
        break;
      default:
        result = Buffer.concat([front, Buffer.alloc(random() * 20_000, 65), rest]);
    }
  }
  return result;
}

/** A TCP server whose connections are handled by the test. */
export class RawOrigin implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(handle: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      handle(socket);
    });
  }

  static async start(handle: (socket: Socket) => void): Promise<RawOrigin> {
    const origin = new RawOrigin(handle);
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) * 1024;
}

export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** No process died, nothing was thrown, and no session is left over. */
export async function assertUnharmed(
  sallyport: RunningSallyport,
  workersBefore: readonly number[],
  statsPath: string,
): Promise<void> {
  assert.deepEqual(sallyport.workerPids, workersBefore, sallyport.text);
  assert.doesNotMatch(sallyport.text, /exited|was killed|Error|^ {4}at /m);
  let left = "";
  for (const deadlineMs = Date.now() + PATIENCE_MS; Date.now() < deadlineMs; await pause()) {
    left = openGauges(await askSocket(statsPath, "show stat"));
    if (left === "") return;
  }
  assert.fail(`gauges that did not return to zero: ${left}`);
}

/** Lines of `show stat` whose qcur or scur is not 0. */
function openGauges(csv: string): string {
  const [, ...lines] = csv.trim().split("\n");
  return lines.filter((line) => !/^[^,]*,[^,]*,0?,[^,]*,0?,/.test(line)).join("\n");
}
