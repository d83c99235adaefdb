// `tune.rcvbuf.…` and `tune.sndbuf.…`, as the kernel has them on the sockets of the program: twice what was
// asked for (socket(7)).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { RunningSallyport, TestDirectory } from "./running-sallyport.ts";

/** Of the socket with these ports: "rb8192,t0,tb16384" of `skmem`. */
function buffersOf(localPort: number, remotePort: number): string {
  const filter = ["sport", "=", `:${localPort}`, "and", "dport", "=", `:${remotePort}`];
  const text = execFileSync("ss", ["-tmnH", ...filter], { encoding: "utf8" });
  const [, receive, send] = /skmem:\(r\d+,rb(\d+),t\d+,tb(\d+)/.exec(text) ?? [];
  return `${receive} ${send}`;
}

async function converse(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.write("hello");
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

test("the buffers of both sides are as said, and after a reload as said then", {
  skip: requires("ss"),
}, async () => {
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
${lines}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen echo
  bind 127.0.0.1:${port}
  server a 127.0.0.1:${serverPort}
`;
  const both = async () => {
    const client = await converse(port);
    clients.push(client);
    const server = accepted.at(-1)!;
    return [buffersOf(port, client.localPort!), buffersOf(server.remotePort!, serverPort)];
  };
  const file = directory.file(
    "x.cfg",
    configuration("tune.rcvbuf.client 8192\ntune.sndbuf.client 16384\ntune.sndbuf.server 32768"),
  );
  await using sallyport = await RunningSallyport.start(file, { engine: "uring", workers: 1 });
  const [client, server] = await both();
  assert.equal(client, "16384 32768");
  assert.match(server!, /^\d+ 65536$/);

  directory.file("x.cfg", configuration("tune.rcvbuf.client 12288\ntune.rcvbuf.server 20480"));
  await sallyport.reloadBySignal();
  const [newClient, newServer] = await both();
  assert.match(newClient!, /^24576 /);
  assert.match(newServer!, /^40960 /);
});
