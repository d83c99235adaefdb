// Ports for programs that are told where to listen. They are below those that the kernel gives to clients and
// to listeners without a port, so that no connection takes one between the question and its use.
import { once } from "node:events";
import { createServer } from "node:net";

const FIRST = 10_000;
const COUNT = 20_000;
/** Begins somewhere else in each process, and never comes back to a port that was given out. */
let next = Math.floor(Math.random() * COUNT);

/** A port of 127.0.0.1 on which nobody listened a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (next++ % COUNT);
    if (await canListen(port)) return port;
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}
