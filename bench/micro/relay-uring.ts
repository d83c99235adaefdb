// The bare io_uring engine relaying each connection to one of its own towards a backend: what moving the
// bytes of a proxied request costs before any proxy work. `bin/node-26 bench/micro/relay-uring.ts [port]
// [backendPort] [bulkBytes]` serves until killed and prints its processor time per received piece and per MiB
// every second.
import { Timer } from "../../src/base/timer-wheel.ts";
import { createUringEngine } from "../../src/io/uring/engine.ts";
import type { Connection, ConnectionHandler } from "../../src/transport/contract.ts";

const port = Number(process.argv[2] ?? 8101);
const backendPort = Number(process.argv[3] ?? 8100);
const bulkBytes = Number(process.argv[4] ?? 0);
/** More than this waiting to be sent pauses the sender. */
const PENDING_BYTES_MAX = 1_000_000;

const created = createUringEngine();
if (!created.ok) throw new Error(created.error.message);
const engine = created.value;
let pieceCount = 0;
let byteCount = 0;

class RelayEnd implements ConnectionHandler {
  other: Connection | null = null;

  handleOpen(): void {}

  handleData(
    connection: Connection,
    chunk: Parameters<Connection["send"]>[0],
    start: number,
    end: number,
  ): void {
    pieceCount++;
    byteCount += end - start;
    this.other!.send(chunk, start, end);
    if (this.other!.pendingBytes > PENDING_BYTES_MAX) connection.pause();
  }

  handleDrain(): void {
    this.other!.resume();
  }

  handleEnd(): void {
    this.other!.shutdown();
  }

  handleClose(): void {
    this.other!.close();
  }
}

function accept(client: Connection): ConnectionHandler {
  const clientEnd = new RelayEnd();
  const backendEnd = new RelayEnd();
  backendEnd.other = client;
  clientEnd.other = engine.connect(
    {
      address: { kind: "tcp", host: "127.0.0.1", port: backendPort },
      source: null,
      tls: null,
      preamble: null,
      timeoutMs: 5000,
    },
    backendEnd,
  );
  clientEnd.other.expectBulk(bulkBytes);
  return clientEnd;
}

let last = { pieceCount, byteCount, cpu: process.cpuUsage() };
const report = new Timer({
  handleTimeout(nowMs, timer) {
    const { user, system } = process.cpuUsage(last.cpu);
    const pieces = pieceCount - last.pieceCount;
    const mebibytes = (byteCount - last.byteCount) / 1048576;
    const each = (total: number, count: number): string => (total / count).toFixed(2);
    if (pieces > 0) {
      const cost = `${each(user + system, pieces)} µs each (user ${each(user, pieces)})`;
      console.log(`${pieces}/s, ${cost}, ${each(user + system, mebibytes)} µs/MiB`);
    }
    last = { pieceCount, byteCount, cpu: process.cpuUsage() };
    engine.timers.arm(timer, nowMs + 1000);
  },
});
engine.timers.arm(report, engine.nowMs + 1000);

engine.listen(
  {
    address: { kind: "tcp", host: "127.0.0.1", port },
    backlog: 1024,
    tls: null,
    acceptProxy: false,
    handshakeTimeoutMs: 10_000,
    reusePort: false,
  },
  { accept },
  (result) => {
    if (!result.ok) throw new Error(result.error.message);
    console.log(`listening on ${result.value.address.port}`);
  },
);
engine.run();
