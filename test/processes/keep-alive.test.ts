// TCP's keep-alive probes, as the kernel has them on the sockets of the program: its table tells for each
// connection whether a timer for probes runs, and when it is due.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ENGINES, pause, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const PATIENCE_MS = 30_000;
/** Of proc(5): the timer of a connection on which nothing is said. */
const KEEP_ALIVE_TIMER = "02";
const TICKS_PER_SECOND = 100;

/** Seconds until the next probe of the connection that has these ports; null: there are no probes. */
function probeDueSeconds(localPort: number, remotePort: number): number | null {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, local = "", remote = "", , , timer = ""] = line.trim().split(/\s+/);
    if (!local.endsWith(`:${hex(localPort)}`) || !remote.endsWith(`:${hex(remotePort)}`)) continue;
    const [kind, ticks = ""] = timer.split(":");
    return kind === KEEP_ALIVE_TIMER ? Number.parseInt(ticks, 16) / TICKS_PER_SECOND : null;
  }
  throw new Error(`no connection from ${localPort} to ${remotePort}`);
}

async function converse(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.write("hello");
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

/** Of the client's and of the server's side; what is on its way has timers of its own until it has come. */
async function dueOnBothSides(
  client: Socket,
  server: Socket,
  expectsProbes: boolean,
): Promise<(number | null)[]> {
  const look = () => [
    probeDueSeconds(client.remotePort!, client.localPort!),
    probeDueSeconds(server.remotePort!, server.localPort!),
  ];
  const deadlineMs = Date.now() + PATIENCE_MS;
  let due = look();
  while (expectsProbes && due.includes(null) && Date.now() < deadlineMs) {
    await pause();
    due = look();
  }
  return due;
}

for (const engine of ENGINES)
  describe(`keep-alive on the ${engine} engine`, () => {
    test("connections are probed where an option asks for it, on both sides, and after a reload", async () => {
      using directory = new TestDirectory();
      const accepted: Socket[] = [];
      const clients: Socket[] = [];
      const echo = createServer((socket) => {
        accepted.push(socket);
        socket.on("error", () => {}).pipe(socket);
      });
      using _sockets = {
        [Symbol.dispose]() {
          for (const socket of [...clients, ...accepted]) socket.destroy();
          echo.close();
        },
      };
      await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
      const { port: serverPort } = echo.address() as { port: number };
      const port = await freePort();
      const configuration = (lines: string) => `
global
  stats socket ${directory.file("admin.sock")} level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen echo
  bind 127.0.0.1:${port}
  server a 127.0.0.1:${serverPort}
${lines}`;
      const file = directory.file("x.cfg", configuration(""));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 1 });
      clients.push(await converse(port));
      assert.deepEqual(await dueOnBothSides(clients[0]!, accepted[0]!, false), [null, null]);

      directory.file("x.cfg", configuration("  option tcpka\n  clitcpka-idle 90\n  srvtcpka-idle 3m\n"));
      await sallyport.reloadBySignal();
      clients.push(await converse(port));
      const [client, server] = await dueOnBothSides(clients[1]!, accepted[1]!, true);
      assert.ok(client! > 30 && client! <= 90, `${client} s`);
      assert.ok(server! > 90 && server! <= 180, `${server} s`);

      directory.file("x.cfg", configuration("  option srvtcpka\n"));
      await sallyport.reloadBySignal();
      clients.push(await converse(port));
      const [none, system] = await dueOnBothSides(clients[2]!, accepted[2]!, false);
      assert.equal(none, null);
      const idle = Number(readFileSync("/proc/sys/net/ipv4/tcp_keepalive_time", "utf8"));
      assert.ok(system! > idle - 60 && system! <= idle, `${system} s`);
    });
  });
