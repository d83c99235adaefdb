// The bare io_uring engine answering HTTP requests without reading them: what a request costs before any
// proxy work. Serves until killed: `bin/node-26 bench/micro/echo-uring.ts [port] [bodyBytes]
// [certificate.pem]`, then for example `taskset -c 1 wrk -t1 -c64 -d5s http://127.0.0.1:8100/`. The PEM file
// holds certificate and key and switches TLS on. Prints its own processor time per answer every second.
import { readFileSync } from "node:fs";

import { Timer } from "../../src/base/timer-wheel.ts";
import { createUringEngine } from "../../src/io/uring/engine.ts";
import type { Connection, ConnectionHandler, TlsServerContext } from "../../src/transport/contract.ts";

const port = Number(process.argv[2] ?? 8100);
const bodyBytes = Number(process.argv[3] ?? 101);

const pemFile = process.argv[4];

const created = createUringEngine();
if (!created.ok) throw new Error(created.error.message);
const engine = created.value;

const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
const answer = engine.allocate(head.length + bodyBytes);
answer.bytes.set(Buffer.from(head.padEnd(head.length + bodyBytes, "x")));
let answerCount = 0;

function createTls(pem: string): TlsServerContext {
  const context = engine.createTlsServerContext({
    certificates: [{ name: "bench", certificatePem: pem, keyPem: pem }],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ciphers: null,
    ciphersuites: null,
    curves: null,
    alpn: ["http/1.1"],
    strictSni: false,
    clientVerify: null,
    ticketKeys: Uint8Array.from({ length: 80 }, (_, i) => i),
  });
  if (!context.ok) throw new Error(context.error.message);
  return context.value;
}

const handler: ConnectionHandler = {
  handleOpen() {},
  handleData(connection: Connection) {
    answerCount++;
    connection.send(answer, 0, head.length + bodyBytes);
  },
  handleDrain() {},
  handleEnd(connection) {
    connection.close();
  },
  handleClose() {},
};

let lastCount = 0;
let lastCpu = process.cpuUsage();
const report = new Timer({
  handleTimeout(nowMs, timer) {
    const { user, system } = process.cpuUsage(lastCpu);
    const count = answerCount - lastCount;
    if (count > 0)
      console.log(
        `${count}/s, ${((user + system) / count).toFixed(2)} µs each (user ${(user / count).toFixed(2)})`,
      );
    lastCpu = process.cpuUsage();
    lastCount = answerCount;
    engine.timers.arm(timer, nowMs + 1000);
  },
});
engine.timers.arm(report, engine.nowMs + 1000);

engine.listen(
  {
    address: { kind: "tcp", host: "127.0.0.1", port },
    backlog: 1024,
    tls: pemFile === undefined ? null : createTls(readFileSync(pemFile, "utf8")),
    acceptProxy: false,
    handshakeTimeoutMs: 10_000,
    reusePort: false,
  },
  { accept: () => handler },
  (result) => {
    if (!result.ok) throw new Error(result.error.message);
    console.log(`listening on ${result.value.address.port}`);
  },
);
engine.run();
