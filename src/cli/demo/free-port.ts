// Ports for the demo on all addresses of localhost: those that are wanted, else any that are free.
import { createServer } from "node:net";

/** The addresses that `localhost` can have and that can be listened on here. */
export async function localAddresses(): Promise<string[]> {
  return (await canListen("::1", 0)) ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

/** `wanted` when it is free on all of the addresses, else another; 0 wants any. */
export async function choosePort(wanted: number, addresses: readonly string[]): Promise<number> {
  if (wanted !== 0 && (await isFree(wanted, addresses))) return wanted;
  for (;;) {
    const port = await anyPort(addresses[0]!);
    if (await isFree(port, addresses)) return port;
  }
}

async function isFree(port: number, addresses: readonly string[]): Promise<boolean> {
  for (const address of addresses) if (!(await canListen(address, port))) return false;
  return true;
}

async function canListen(address: string, port: number): Promise<boolean> {
  return (await listenOnce(address, port)) !== null;
}

async function anyPort(address: string): Promise<number> {
  const port = await listenOnce(address, 0);
  if (port === null) throw new Error(`there is no free port on ${address}`);
  return port;
}

function listenOnce(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(chosen));
    });
  });
}
