// Datagrams over node:dgram, for syslog. Node has no datagram sockets in the unix domain, so those are
// refused.
import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { type Failure, failed, failure, type Result, success } from "../../base/failure.ts";
import type { DatagramSender, Engine } from "../../transport/contract.ts";

/** What may wait in Node's own queue before `send` says no. */
const QUEUED_BYTES_MAX = 1024 * 1024;

export function openPortableDatagramSender(
  address: Parameters<Engine["openDatagramSender"]>[0],
): Result<DatagramSender, Failure> {
  if (address.kind === "unix") {
    const message = `Node has no datagram sockets in the unix domain: ${address.path} cannot be written to by the portable engine`;
    return failed(failure("unsupported", "proxy", message));
  }
  const family = isIP(address.host);
  if (family === 0) return failed(failure("unreachable", "proxy", `${address.host} is not an IP address`));
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  return success(new PortableDatagramSender(socket, address.host, address.port));
}

class PortableDatagramSender implements DatagramSender {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #port: number;
  /** Sends that failed after `send` had returned true; the following sends pay for them. */
  #owedFailureCount = 0;
  #isClosed = false;

  constructor(socket: Socket, host: string, port: number) {
    this.#socket = socket;
    this.#host = host;
    this.#port = port;
    socket.on("error", () => {});
    socket.unref();
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isClosed || this.#socket.getSendQueueSize() > QUEUED_BYTES_MAX) return false;
    this.#socket.send(Buffer.from(bytes.subarray(start, end)), this.#port, this.#host, (error) => {
      if (error !== null) this.#owedFailureCount++;
    });
    if (this.#owedFailureCount === 0) return true;
    this.#owedFailureCount--;
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Datagrams handed over in this turn are written at the latest in the next one.
    setImmediate(() => this.#socket.close());
  }
}
